"""Where time goes: spans of what is done, nested as they are done."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Protocol


class Tracer(Protocol):
    """Records spans. It never raises, and swallows nothing."""

    def span(self, name: str, **attributes: str) -> AbstractContextManager[None]:
        """Return what is entered when something begins and left when it ends.

        Args:
            name: Of few values, such as `queue.dispatch`.
            attributes: What it was about; underscores become dots (`jjm_job`: `jjm.job`).
        """
        ...

    def trace_id(self) -> str:
        """Return the id of the running trace, 32 hexadecimal digits, or an empty text."""
        ...
