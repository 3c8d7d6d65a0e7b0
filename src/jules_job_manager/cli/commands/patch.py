"""Print a task's patch byte for byte, for `git apply`.

Into a file or a pipe it is the patch as Jules made it; on a terminal use `jjm diff`.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from jules_job_manager.cli.context import Context


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("task", metavar="TASK_ID", help="id, its first characters, or web address")
    parser.add_argument(
        "--output", "-o", metavar="FILE", help="write to a file that does not exist yet"
    )


def run(args: Namespace, context: Context) -> int:
    """Write the patch."""
    from pathlib import Path

    from jules_job_manager.domain.text import safe_text
    from jules_job_manager.errors import InvalidInputError

    patch = context.run(lambda app: app.tasks.change_set(args.task)).unidiff_patch
    data = patch.encode("utf-8", "surrogatepass")
    if args.output:
        try:
            with Path(args.output).open("xb") as stream:
                stream.write(data)
        except OSError as exc:
            raise InvalidInputError(f"{args.output} cannot be written: {exc.strerror}.") from exc
    elif context.is_terminal:
        context.write(safe_text(patch, multiline=True).removesuffix("\n"))
    else:
        context.stdout.flush()
        context.stdout.buffer.write(data)
    return 0
