"""How `jjm queue run` tells what happens: a live board for people, lines, or JSON lines."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager
    from typing import Protocol

    from rich.console import Console

    from jules_job_manager.cli.context import Context
    from jules_job_manager.domain.orchestration import Snapshot
    from jules_job_manager.services.plan_desk import PlanDesk
    from jules_job_manager.services.queue_state import Progress

    class Watch(Protocol):
        """What a run is told to."""

        @property
        def desk(self) -> PlanDesk | None:
            """Where a person decides on plans, if anywhere."""

        def report(self, progress: Progress) -> None:
            """Tell one thing that happened."""

        def show(self, snapshot: Snapshot) -> None:
            """Show what is known now."""


class LineWatch:
    """One line for each thing that happens: text, or a JSON object."""

    desk: PlanDesk | None = None

    def __init__(self, context: Context, *, as_json: bool) -> None:
        """Write to the stdout of `context`."""
        self._context = context
        self._as_json = as_json

    def report(self, progress: Progress) -> None:
        """Write the line at once."""
        self._context.write(self._json(progress) if self._as_json else line_of(progress))
        self._context.stdout.flush()

    def show(self, snapshot: Snapshot) -> None:
        """Say nothing: lines tell what happens, not how things stand."""

    @staticmethod
    def _json(progress: Progress) -> str:
        import json

        from jules_job_manager.domain.clockwork import to_rfc3339

        return json.dumps(
            {
                "at": to_rfc3339(progress.at),
                "job": progress.job_key,
                "text": progress.text,
                "rule": progress.rule,
            }
        )


def line_of(progress: Progress) -> str:
    """Return what happened on one line, safe for a terminal."""
    from jules_job_manager.domain.text import safe_text

    stamp = progress.at.astimezone().strftime("%H:%M:%S")
    return f"{stamp}  {safe_text(progress.job_key or 'queue'):12}  {safe_text(progress.text)}"


def watching(
    context: Context, *, slots: int, as_json: bool, asks: bool, foot: str = ""
) -> AbstractContextManager[Watch]:
    """Return how to tell: the board on a terminal that can show it, lines elsewhere.

    Args:
        context: Where it is told.
        slots: The most tasks at once; 0: as many as the accounts allow.
        as_json: Lines are JSON objects, and there is no board.
        asks: A person may decide on plans at the board.
        foot: What the last line of the board says; empty: how a run here is stopped.
    """
    from contextlib import contextmanager, nullcontext

    @contextmanager
    def lines() -> Iterator[Watch]:
        yield LineWatch(context, as_json=as_json)

    screen = None if as_json else _screen(context)
    if screen is None:
        return lines()
    from jules_job_manager.cli.board import STOPS_SAFELY, Board
    from jules_job_manager.cli.plan_desk import open_desk

    @contextmanager
    def board() -> Iterator[Watch]:
        at_desk = open_desk(context) if asks else nullcontext(None)
        with at_desk as desk, Board(screen, slots, desk, foot=foot or STOPS_SAFELY) as shown:
            yield shown

    return board()


def shows_board(context: Context) -> bool:
    """Whether the board can be shown here."""
    return _screen(context) is not None


def _screen(context: Context) -> Console | None:
    """Return the terminal that can show the board, or None."""
    if not context.is_terminal:
        return None
    from jules_job_manager.cli.output import console

    screen = console(context)
    return screen if screen.is_terminal and not screen.is_dumb_terminal else None
