"""Command-line arguments that several commands take, and types of them.

argparse prints the errors of a type with the option's name.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser
    from collections.abc import Mapping
    from typing import Any

    from jules_job_manager.cli.context import Context


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


def number(text: str) -> int:
    """Return the number of something that is stored, 0 or more; stores keep 64 bits.

    Raises:
        ArgumentTypeError: it is none, or beyond what the API takes (2^62).
    """
    from argparse import ArgumentTypeError

    try:
        value = int(text)
    except ValueError:
        value = -1
    if not 0 <= value <= 2**62:
        raise ArgumentTypeError(f"must be a whole number, 0 to {2**62}")
    return value


def refuse_options(context: Context, given: Mapping[str, Any]) -> None:
    """Refuse options that say how this machine would do it, when a service does it.

    Args:
        context: Of the command.
        given: Name of each such option, and its value; one that is None or empty was not given.

    Raises:
        InvalidInputError: one was given.
    """
    names = [name for name, value in given.items() if value not in (None, False, [])]
    if not context.server or not names:
        return
    from jules_job_manager.errors import InvalidInputError

    raise InvalidInputError(
        f"{names[0]} means nothing here: the service does this with its own settings.",
        hint=f"Leave {names[0]} out, or change the setting where the service runs.",
    )
