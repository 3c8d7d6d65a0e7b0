"""List the repositories Jules may work on."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from jules_job_manager.cli.context import Context

FIELDS = ("name", "repository", "default_branch", "branches", "is_private")


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the options."""
    from jules_job_manager.cli.output import add_json_options

    add_json_options(parser, FIELDS)


def run(args: Namespace, context: Context) -> int:
    """Print the repositories."""
    from jules_job_manager.cli import output

    fields = output.json_fields(args, FIELDS)
    with output.progress(context, "Asking Jules …"):
        sources = context.run(lambda app: app.tasks.list_sources())
    if fields is not None:
        output.print_json(context, [output.pick(s.to_dict(), fields) for s in sources], args.jq)
        return 0
    if not sources:
        context.note(
            "Jules may work on no repository yet; connect one at https://jules.google.com."
        )
    rows = [(s.repository, s.default_branch or "-", str(len(s.branches))) for s in sources]
    output.print_table(context, ("REPOSITORY", "DEFAULT BRANCH", "BRANCHES"), rows)
    return 0
