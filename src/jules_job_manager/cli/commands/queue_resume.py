"""Let jobs start again after `jjm queue pause`."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from jules_job_manager.cli.context import Context


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the options: none of its own."""
    del parser


def run(args: Namespace, context: Context) -> int:
    """Go on."""
    del args
    was = context.run(lambda app: app.queue_admin.resume())
    context.write("The queue goes on." if was else "The queue was not paused.")
    return 0
