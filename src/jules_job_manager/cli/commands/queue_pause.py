"""Let no job start until `jjm queue resume`. Tasks that run go on, and are reviewed and merged."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from jules_job_manager.cli.context import Context


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "--reason", metavar="TEXT", help="why, shown to everybody (by and your name)"
    )


def run(args: Namespace, context: Context) -> int:
    """Pause the queue."""
    context.run(lambda app: app.queue_admin.pause(args.reason))
    context.write("The queue is paused. Go on with: jjm queue resume")
    return 0
