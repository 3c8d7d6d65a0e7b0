"""What a delivery is checked by: commands and rules, from the settings and the base branch."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from jules_job_manager.domain.reviewer import ReviewerSpec
from jules_job_manager.errors import ConfigurationError

REVIEW_FILE = ".jjm.toml"
"""Read from the base branch, never from the delivery."""
USES = ("required", "advisory", "off")


@dataclass(frozen=True, kw_only=True, slots=True)
class CommandCheck:
    """A command that must exit with 0."""

    command: str
    """Run by the shell, at the top of the merged files."""
    name: str = ""
    """What reports call it; empty: the command itself."""
    required: bool = True
    timeout_seconds: float = 900.0
    retries: int = 0
    """How often it is run again when it fails; passing then counts, and is shown as flaky."""
    proves: tuple[str, ...] = ()
    """Lines of a checklist that it proves: as they stand there, `*` for any text, case ignored."""

    junit: str = ""
    """Path of the JUnit XML file that it writes; empty: none."""
    coverage: str = ""
    """Path of the Cobertura XML or LCOV file that it writes; empty: none."""
    changed_lines: int = 0
    """Least share of the changed lines that its tests reach, in percent; 0: any."""
    new_tests: str = "off"
    """Whether tests that a delivery adds must fail without the rest of it: one of USES."""
    quarantine: tuple[str, ...] = ()
    """Ids of tests known to be flaky, `*` for any text: a run in which only these fail counts."""

    @property
    def title(self) -> str:
        """What it is called."""
        return self.name or self.command


@dataclass(frozen=True, kw_only=True)
class ReviewPlan:
    """Everything that one delivery is checked by."""

    setup: tuple[str, ...] = ()
    """Commands run first; when one fails the others are not run."""
    setup_network: bool = False
    """Whether they reach the network."""
    checks: tuple[CommandCheck, ...] = ()
    reviewers: tuple[ReviewerSpec, ...] = ()
    """Who is asked when the checks are done."""
    rules: Mapping[str, str] = field(default_factory=dict)
    """Rule id to `required`, `advisory` or `off`, where it is not as the rule itself says; `all`
    stands for those not named."""
    timeout_seconds: float = 900.0
    """Of a set-up command."""
    allowed_paths: tuple[str, ...] = ()
    """Globs of protected files that deliveries may change."""
    largest_file_bytes: int = 5_000_000
    route_lines: int = 30

    def use_of(self, rule: str, usual: str) -> str:
        """Return `required`, `advisory` or `off` for a rule whose own word is `usual`."""
        return self.rules.get(rule, self.rules.get("all", usual))

    @property
    def digest(self) -> str:
        """A short hash; two plans with the same one check the same."""
        text = json.dumps(asdict(self), sort_keys=True, default=list)
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def with_file(
    plan: ReviewPlan, document: Mapping[str, Any], *, known_rules: Sequence[str]
) -> ReviewPlan:
    """Return `plan` (from the user's settings) with what the repository's file adds.

    Commands and set-up of both are run; of rules and limits, the file's word counts.

    Raises:
        ConfigurationError: something in it cannot be used.
    """
    table = _Table(document, "")
    review = table.table("review")
    found = replace(
        plan,
        setup=plan.setup + review.texts("setup"),
        setup_network=review.flag("setup_network", default=plan.setup_network),
        checks=plan.checks + tuple(_check(item) for item in table.tables("checks")),
        reviewers=plan.reviewers + tuple(_reviewer(item) for item in table.tables("reviewers")),
        rules=dict(plan.rules) | _rules(table.table("rules"), known_rules),
        allowed_paths=plan.allowed_paths + review.texts("allowed_paths"),
        largest_file_bytes=review.whole("largest_file_bytes", plan.largest_file_bytes, least=1),
        route_lines=review.whole("route_lines", plan.route_lines, least=1),
    )
    review.close()
    table.close()
    _require_different("checks", [check.title for check in found.checks])
    _require_different("reviewers", [reviewer.name for reviewer in found.reviewers])
    return found


def _require_different(kind: str, names: Sequence[str]) -> None:
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise ConfigurationError(f"{REVIEW_FILE}: two {kind} are called {twice!r}.")


def with_commands(plan: ReviewPlan, commands: Sequence[str]) -> ReviewPlan:
    """Return `plan` with commands of a job's own; what it has already is not run twice."""
    known = {check.command for check in plan.checks}
    names = {check.title for check in plan.checks}
    more = tuple(
        CommandCheck(command=command, timeout_seconds=plan.timeout_seconds)
        for command in dict.fromkeys(commands)
        if command not in known and command not in names
    )
    return replace(plan, checks=plan.checks + more) if more else plan


def rule_choices(texts: Sequence[str], *, known_rules: Sequence[str]) -> dict[str, str]:
    """Return rule id to its use, from texts such as `no-stubs=advisory`.

    Raises:
        ConfigurationError: a text is not written so, or names no rule.
    """
    found = {}
    for text in texts:
        name, _, use = text.partition("=")
        if name.strip() not in (*known_rules, "all") or use.strip() not in USES:
            raise ConfigurationError(
                f"review.rules has {text!r}, which is not RULE=USE.",
                hint=f"A use is {', '.join(USES)}; the rules are all, {', '.join(known_rules)}.",
            )
        found[name.strip()] = use.strip()
    return found


def _check(table: _Table) -> CommandCheck:
    check = CommandCheck(
        command=table.text("command"),
        name=table.text("name", ""),
        required=table.flag("required", default=True),
        timeout_seconds=float(table.whole("timeout_seconds", 900, least=1)),
        retries=table.whole("retries", 0, least=0),
        proves=table.texts("proves"),
        junit=table.path("junit"),
        coverage=table.path("coverage"),
        changed_lines=table.whole("changed_lines", 0, least=0),
        new_tests=table.text("new_tests", "off"),
        quarantine=table.texts("quarantine"),
    )
    table.close()
    if check.new_tests not in USES:
        raise ConfigurationError(
            f"{REVIEW_FILE}: {table.name} new_tests must be one of {', '.join(USES)}."
        )
    if check.changed_lines > 100:
        raise ConfigurationError(f"{REVIEW_FILE}: {table.name} changed_lines must be 100 or less.")
    for member, needed in (("changed_lines", "coverage"), ("quarantine", "junit")):
        if getattr(check, member) and not getattr(check, needed):
            raise ConfigurationError(f"{REVIEW_FILE}: {table.name} {member} needs {needed}.")
    if check.retries > 5:
        raise ConfigurationError(f"{REVIEW_FILE}: {table.name} retries must be 5 or less.")
    return check


def _reviewer(table: _Table) -> ReviewerSpec:
    found = ReviewerSpec(
        name=table.text("name"),
        command=table.text("command", ""),
        mcp=table.text("mcp", ""),
        tool=table.text("tool", ""),
        required=table.flag("required", default=False),
        timeout_seconds=float(table.whole("timeout_seconds", 600, least=1)),
        retries=table.whole("retries", 0, least=0),
        network=table.flag("network", default=False),
        may_prove=table.texts("may_prove"),
        after_failure=table.flag("after_failure", default=False),
    )
    table.close()
    problem = found.problem
    if problem:
        raise ConfigurationError(f"{REVIEW_FILE}: {table.name} {problem}.")
    return found


def _rules(table: _Table, known: Sequence[str]) -> dict[str, str]:
    found = {}
    for name in table.names():
        word = table.text(name)
        if name not in (*known, "all"):
            raise ConfigurationError(
                f"{REVIEW_FILE}: there is no rule {name!r}.",
                hint=f"There are: all, {', '.join(known)}.",
            )
        if word not in USES:
            raise ConfigurationError(
                f"{REVIEW_FILE}: [rules] {name} must be one of {', '.join(USES)}, not {word!r}."
            )
        found[name] = word
    return found


class _Table:
    """Reads a table member by member, and complains of what is left over."""

    def __init__(self, members: Any, name: str) -> None:
        self.name = name
        if not isinstance(members, Mapping):
            raise ConfigurationError(f"{REVIEW_FILE}: {name} must be a table.")
        self._members = dict(members)

    def names(self) -> list[str]:
        return [str(name) for name in self._members]

    def table(self, name: str) -> _Table:
        return _Table(self._members.pop(name, {}), f"[{name}]")

    def tables(self, name: str) -> list[_Table]:
        found = self._members.pop(name, [])
        if not isinstance(found, list):
            raise ConfigurationError(f"{REVIEW_FILE}: {name} are written as [[{name}]].")
        return [_Table(item, f"[[{name}]] {n}") for n, item in enumerate(found, start=1)]

    def text(self, name: str, default: str | None = None) -> str:
        value = self._members.pop(name, default)
        if not isinstance(value, str) or (default is None and not value.strip()):
            raise self._wrong(name, "a text")
        return value

    def texts(self, name: str) -> tuple[str, ...]:
        value = self._members.pop(name, [])
        if not isinstance(value, list) or not all(isinstance(v, str) and v.strip() for v in value):
            raise self._wrong(name, "a list of texts")
        return tuple(value)

    def path(self, name: str) -> str:
        value = self.text(name, "")
        if value and (value.startswith(("/", "\\")) or ".." in value.split("/")):
            raise self._wrong(name, "a path within the repository")
        return value

    def flag(self, name: str, *, default: bool) -> bool:
        value = self._members.pop(name, default)
        if not isinstance(value, bool):
            raise self._wrong(name, "true or false")
        return value

    def whole(self, name: str, default: int, *, least: int) -> int:
        value = self._members.pop(name, default)
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            raise self._wrong(name, f"a whole number of {least} or more")
        return value

    def close(self) -> None:
        if self._members:
            left = ", ".join(sorted(str(name) for name in self._members))
            raise ConfigurationError(
                f"{REVIEW_FILE}: {self.name or 'it'} has unknown members: {left}."
            )

    def _wrong(self, name: str, wanted: str) -> ConfigurationError:
        where = f"{self.name} " if self.name else ""
        return ConfigurationError(f"{REVIEW_FILE}: {where}{name} must be {wanted}.")
