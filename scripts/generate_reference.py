"""Writes the reference pages that are made from the code, so that they cannot drift.

Run `python scripts/generate_reference.py` after changing a setting or an error; a test fails
while the pages and the code differ.
"""

from __future__ import annotations

import dataclasses
import inspect
from importlib import import_module
from pathlib import Path

from jules_job_manager import errors
from jules_job_manager.cli import exit_codes, table
from jules_job_manager.cli.dispatch import command_parser
from jules_job_manager.domain.decision_rules import AnswerRule, PlanRule
from jules_job_manager.domain.measures import METRICS
from jules_job_manager.domain.reviewer import ReviewerSpec
from jules_job_manager.domain.rules import built_in_rules
from jules_job_manager.domain.scans import SCANS
from jules_job_manager.settings.load import setting_fields
from jules_job_manager.settings.model import SECTIONS, AccountSettings, ServerKeySettings

PAGES = Path(__file__).parent.parent / "docs" / "reference"


def settings_page() -> str:
    """Return the page that lists every setting."""
    lines = [
        "# Settings",
        "",
        "Made from `settings/sections/` by `scripts/generate_reference.py`.",
        "",
        "Precedence: command line, then environment, then configuration file, then default.",
        "`jjm config show` prints each value with where it came from. Every setting can be given",
        "as `JJM_SECTION__NAME`; some have a second variable, named below. The file is",
        "`config.toml` (or `config.json`) in the home folder, or what `--config` or `JJM_CONFIG` names.",
        "The home folder is `JJM_HOME`, by default `~/.jjm`; `.env` is read from there alone.",
        "",
    ]
    for section, cls in SECTIONS.items():
        lines += [f"## [{section}]", "", (cls.__doc__ or "").strip(), ""]
        lines += ["| setting | default | variable | meaning |", "|---|---|---|---|"]
        for owner, name, field in setting_fields():
            if owner == section:
                lines.append(_setting_row(section, name, field))
        lines.append("")
    lines += [
        "## [remotes]",
        "",
        'Lines of `"owner/name" = "git URL or path"`: where the local forge finds a repository.',
        "`--remote OWNER/NAME=URL` on `jjm queue run` adds one.",
        "",
        "## [accounts.NAME], [servers.ADDRESS], [reviewers.NAME], [[plan_rules]], [[answer_rules]]",
        "",
        "Only in the file. [Several accounts](../how-to/several-accounts.md),",
        "[keys of services](../how-to/keys-and-sign-in.md),",
        "[reviewers](reviewers.md), [policies](../how-to/policies.md).",
        "",
    ]
    for title, cls in (
        ("accounts.NAME", AccountSettings), ('servers."https://HOST:PORT"', ServerKeySettings), ("reviewers.NAME", ReviewerSpec), ("plan_rules", PlanRule), ("answer_rules", AnswerRule),
    ):  # fmt: skip
        members = ", ".join(f"`{field.name}`" for field in dataclasses.fields(cls))
        lines.append(f"- `{title}`: {members}")
    lines.append("")
    return "\n".join(lines)


def _setting_row(section: str, name: str, field: object) -> str:
    metadata = field.metadata  # type: ignore[attr-defined]
    default = field.default  # type: ignore[attr-defined]
    shown = ", ".join(default) if isinstance(default, tuple) else str(default)
    if isinstance(default, bool):
        shown = shown.lower()
    meaning = metadata["help"]
    if metadata["choices"]:
        meaning += (
            " One of " + ", ".join(f"`{choice}`" for choice in metadata["choices"] if choice) + "."
        )
    if metadata["secret"]:
        meaning += " Secret: masked wherever it is shown."
    variable = f"`{metadata['env']}`" if metadata["env"] else ""
    return f"| `{section}.{name}` | {f'`{shown}`' if shown else ''} | {variable} | {meaning} |"


def errors_page() -> str:
    """Return the page that lists every error."""
    lines = [
        "# Errors",
        "",
        "Made from `errors.py` by `scripts/generate_reference.py`.",
        "",
        "Every failure is one sentence and a next step on stderr; `--debug` adds the traceback.",
        "Scripts in Python catch these classes; all are `JulesManagerError`.",
        "",
        "| code | class | is a | may pass by itself | meaning |",
        "|---|---|---|---|---|",
    ]
    classes = [
        value
        for value in vars(errors).values()
        if inspect.isclass(value) and issubclass(value, errors.JulesManagerError)
    ]
    for cls in sorted(classes, key=lambda one: one.code):
        parent = cls.__mro__[1].__name__
        meaning = (cls.__doc__ or "").strip().splitlines()[0]
        transient = "yes" if cls.is_transient else ""
        lines.append(f"| `{cls.code}` | `{cls.__name__}` | `{parent}` | {transient} | {meaning} |")
    return "\n".join([*lines, ""])


def commands_page() -> str:
    """Return the page that shows every command's help, and the exit codes."""
    lines = [
        "# Commands",
        "",
        "Made from the code by `scripts/generate_reference.py`.",
        "",
        "## Exit codes",
        "",
    ]
    lines += ["| code | meaning |", "|---|---|"]
    lines += [f"| {code} | {meaning} |" for code, meaning in exit_codes.MEANINGS.items()]
    for name, module, _ in table.every_command():
        loaded = import_module(f"jules_job_manager.cli.commands.{module}")
        parser = command_parser(loaded, name)
        lines += [
            "",
            f"## jjm {name}",
            "",
            (loaded.__doc__ or "").strip(),
            "",
            "| option | meaning |",
            "|---|---|",
        ]
        for action in parser._actions:  # noqa: SLF001 - argparse has no public way to list them
            words = (
                ", ".join(f"`{word}`" for word in action.option_strings)
                or f"`{action.metavar or action.dest}`"
            )
            if action.dest not in {"help", "config", "debug"}:
                lines.append(f"| {words} | {(action.help or '').replace('|', '/')} |")
    return "\n".join([*lines, ""])


def rules_page() -> str:
    """Return the page that lists every built-in rule of reviews."""
    lines = [
        "# Built-in rules of reviews",
        "",
        "Made from `domain/rules/registry.py` by `scripts/generate_reference.py`.",
        "",
        "A required rule rejects a delivery, an advisory one is shown. `[rules]` in `.jjm.toml` and",
        "`review.rules` change that: [reviews](review.md).",
        "",
        "| rule | | what it looks for |",
        "|---|---|---|",
    ]
    rules = built_in_rules()
    lines += [f"| `{rule.id}` | {rule.need.value} | {rule.explanation} |" for rule in rules]
    lines += [
        "",
        "## Scanners",
        "",
        "These two come from scanners of others and need the extra `scan`; they are switched in the",
        "same way: [reviews](review.md#scanners).",
        "",
        "| check | | what it looks for |",
        "|---|---|---|",
    ]
    lines += [f"| `{scan.id}` | {scan.need.value} | {scan.explanation} |" for scan in SCANS]
    return "\n".join([*lines, ""])


def metrics_page() -> str:
    """Return the page that lists every metric."""
    lines = [
        "# Metrics",
        "",
        "Made from `domain/measures.py` by `scripts/generate_reference.py`.",
        "",
        "`/metrics` on the server, or on a port of its own without a key (`metrics.port`, off by default;",
        "`metrics.host` says for whom, and only with `metrics.allow_public` for other machines: keep strangers out",
        "by a firewall then). Text, or OpenMetrics for those who ask for it: there an observation",
        "carries the id of its trace (an exemplar), when traces are on. Beside these there are the usual",
        "`process_*` and `python_info`. Alerts on them: [what to do](../how-to/runbook.md).",
        "",
        "- **event log**: counted from the events that were written since this process began. A restart",
        "  begins at 0 again, which `rate` and `increase` allow for. What happens while no server runs (a",
        "  worker may go on) is in the log and in the gauges, and not in these counters. Every server counts",
        "  all events, so take `max`, not `sum`, over several of them.",
        "- **store**: counted from the rows when asked for; at most `metrics.snapshot_seconds` old, what the",
        "  accounts have left `metrics.quota_seconds`. The same on every server. While the database is away",
        "  the last values are shown; `jules_health_check` says so.",
        "- **health**: from the last look of a [check](health.md).",
        "- **this process**: what this one server did; take `sum` over several.",
        "",
        "A gauge that was not measured yet is `NaN`. Labels take few values: words of jjm, names of",
        "configured accounts (any other is `other`), templates of routes (`unmatched` for paths that fit",
        "none). Repositories, jobs, tasks and paths are never labels.",
        "",
        "| metric | kind | labels | from | meaning |",
        "|---|---|---|---|---|",
    ]
    for metric in METRICS:
        labels = ", ".join(f"`{label}`" for label in metric.labels)
        lines.append(
            f"| `{metric.name}` | {metric.kind.value} | {labels} | {metric.origin} | {metric.about} |"
        )
    return "\n".join([*lines, ""])


GENERATED = {
    "metrics.md": metrics_page,
    "commands.md": commands_page,
    "settings.md": settings_page,
    "errors.md": errors_page,
    "review-rules.md": rules_page,
}


def main() -> None:
    """Write every generated page."""
    PAGES.mkdir(parents=True, exist_ok=True)
    for name, make in GENERATED.items():
        (PAGES / name).write_text(make(), encoding="utf-8")


if __name__ == "__main__":
    main()
