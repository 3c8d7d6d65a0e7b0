"""Types of command-line arguments; argparse prints their errors with the option's name."""

from __future__ import annotations


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
