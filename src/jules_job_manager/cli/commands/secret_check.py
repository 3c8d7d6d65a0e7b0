"""Show which settings refer to a secret, and whether it is there. Never the secret itself.

Exit code 0: every secret is there. 1: one is not.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from jules_job_manager.cli.context import Context

FIELDS = ("setting", "reference", "ok", "text", "hint", "source")


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the options."""
    from jules_job_manager.cli.output import add_json_options

    add_json_options(parser, FIELDS)


def run(args: Namespace, context: Context) -> int:
    """Look for every secret that a setting refers to."""
    from jules_job_manager.cli import output
    from jules_job_manager.cli.exit_codes import FAILED, OK

    fields = output.json_fields(args, FIELDS)
    found = _rows(context)
    if fields is not None:
        output.print_json(context, [output.pick(row, fields) for row in found], args.jq)
    else:
        rows = [(str(r["setting"]), str(r["reference"]), str(r["text"])) for r in found]
        output.print_table(context, ("SETTING", "KEPT IN", "WHY"), rows)
        for hint in dict.fromkeys(str(row["hint"]) for row in found if row["hint"]):
            context.note(f"hint: {hint}")
        if not found:
            context.note("No setting refers to a secret; docs/reference/secrets.md says how.")
    return OK if all(row["ok"] for row in found) else FAILED


def _rows(context: Context) -> list[dict[str, object]]:
    from jules_job_manager.settings.load import load_settings, whole_environment
    from jules_job_manager.settings.secrets import check

    settings = load_settings(context.environ, config=context.config, read_secrets=False)
    return [
        {
            "setting": state.setting, "reference": state.reference, "ok": not state.error,
            "text": state.error or "is there", "hint": state.hint,
            "source": settings.sources.get(state.setting, str(settings.config_file)),
        }
        for state in check(settings, whole_environment(context.environ))
    ]  # fmt: skip
