"""Open a task's page in the web browser."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from jules_job_manager.cli.context import Context


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("task", metavar="TASK_ID", help="id, its first characters, or web address")
    parser.add_argument(
        "--print", "-p", action="store_true", dest="only_print", help="print the address only"
    )


def run(args: Namespace, context: Context) -> int:
    """Open the page, or print its address where there is no browser."""
    import webbrowser

    from jules_job_manager.cli.commands.get import fetch
    from jules_job_manager.domain.text import safe_text
    from jules_job_manager.errors import OperationFailedError

    task = context.run(lambda app: fetch(app, args.task, cached=False, context=context))
    if not task.url.startswith(("https://", "http://")):
        raise OperationFailedError(f"Task {task.id} has no web address.")
    if args.only_print or not webbrowser.open(task.url):
        context.write(safe_text(task.url))
    return 0
