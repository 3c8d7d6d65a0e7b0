"""Send a message to a task."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from jules_job_manager.cli.context import Context


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("task", metavar="TASK_ID", help="id, its first characters, or web address")
    parser.add_argument(
        "message",
        metavar="MESSAGE",
        nargs="*",
        help="what to say, quoted or as several words; - reads stdin",
    )
    parser.add_argument("--file", "-f", metavar="FILE", help="read the message from a file")
    parser.add_argument("--dry-run", action="store_true", help="send nothing")


def run(args: Namespace, context: Context) -> int:
    """Send the message."""
    from jules_job_manager.cli.input import read_text
    from jules_job_manager.cli.output import progress
    from jules_job_manager.errors import InvalidInputError
    from jules_job_manager.services.tasks import require_message

    message = " ".join(args.message) if args.message else None  # several words, not quoted
    if (message is None) == (args.file is None):
        raise InvalidInputError("Give the message as text, or with --file, but not both.")
    text = read_text(context, message, args.file)
    if args.dry_run:
        require_message(text)
        task_id = context.run(lambda app: app.tasks.get_task(args.task)).id
        context.note(f"Would send {len(text)} characters to task {task_id}.")
        return 0
    with progress(context, "Sending …"):
        task_id = context.run(lambda app: app.tasks.send_message(args.task, text))
    context.write(f"Message sent to task {task_id}")
    context.note(f"See the answer with: jjm get {task_id}")
    return 0
