"""Show how often each check was flaky: it failed and passed on the same files.

Counted over all finished reviews of jobs. Let a check run again with `retries`, or name its flaky
tests in `quarantine`, both in .jjm.toml.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from jules_job_manager.bootstrap import App
    from jules_job_manager.cli.context import Context
    from jules_job_manager.services.flakes import CheckHistory

FIELDS = ("check", "runs", "failed", "flaky", "quarantined", "changed_its_mind", "flaky_share")


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the options."""
    from jules_job_manager.cli.output import add_json_options

    add_json_options(parser, FIELDS)


def run(args: Namespace, context: Context) -> int:
    """Print the histories."""
    from jules_job_manager.cli import output
    from jules_job_manager.domain.text import safe_text

    fields = output.json_fields(args, FIELDS)

    async def work(app: App) -> list[CheckHistory]:
        return await app.administration.check_histories()

    found = context.run(work)
    if fields is not None:
        output.print_json(context, [output.pick(h.to_dict(), fields) for h in found], args.jq)
        return 0
    if not found:
        context.note("No command was run on a delivery yet.")
    for one in found:
        flaky = one.flaky + one.quarantined + one.changed_its_mind
        context.write(
            f"{safe_text(one.name)}\t{one.runs} runs\t{one.failed} failed\t{flaky} flaky "
            f"({100 * one.flaky_share:.0f} %)"
        )
    return 0
