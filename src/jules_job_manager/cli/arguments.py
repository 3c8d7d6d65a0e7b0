"""Command-line arguments that several commands take, and types of them.

argparse prints the errors of a type with the option's name.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser


def add_remotes(parser: ArgumentParser) -> None:
    """Declare where repositories are; `queue_run.parsed_remotes` reads it."""
    parser.add_argument(
        "--remote", action="append", default=[], metavar="OWNER/NAME=URL",
        help="where git finds the repository; repeatable",
    )  # fmt: skip


def add_checks(parser: ArgumentParser) -> None:
    """Declare commands in place of those of the setting `review.checks`."""
    parser.add_argument(
        "--check", action="append", metavar="COMMAND",
        help="command that must exit with 0 on the merge; repeatable",
    )  # fmt: skip


def seconds(text: str) -> float:
    """Return a number of seconds, 0 or more.

    Raises:
        ArgumentTypeError: it is none, or without end.
    """
    from argparse import ArgumentTypeError

    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value < float("inf"):  # refuses nan too, which compares with nothing
        raise ArgumentTypeError("must be a number of seconds, 0 or more")
    return value
