"""Show what a task changed, as a patch with colours on a terminal."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from jules_job_manager.cli.context import Context


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("task", metavar="TASK_ID", help="id, its first characters, or web address")
    parser.add_argument(
        "--name-only", action="store_true", help="print the names of changed files only"
    )


def run(args: Namespace, context: Context) -> int:
    """Print the patch."""
    from jules_job_manager.domain.text import safe_text

    change_set = context.run(lambda app: app.tasks.change_set(args.task))
    if args.name_only:
        for file in change_set.files:
            context.write(safe_text(file.filename))
    elif context.is_terminal:
        from rich.syntax import Syntax

        from jules_job_manager.cli.output import console

        shown = safe_text(change_set.unidiff_patch, multiline=True)
        console(context).print(Syntax(shown, "diff", background_color="default", word_wrap=True))
    else:
        context.write(safe_text(change_set.unidiff_patch, multiline=True).removesuffix("\n"))
    return 0
