"""No cache."""

from __future__ import annotations

from collections.abc import Sequence

from jules_job_manager.ports.cache import Found


class NoCache:
    """The Cache port, keeping nothing."""

    name = "none"
    trouble = ""

    async def get(self, key: str) -> Found:
        """Return that nothing is there."""
        del key
        return Found(value=None)

    async def put(self, key: str, value: str, *, seconds: float, stamp: str) -> None:
        """Do nothing."""

    async def forget(self, keys: Sequence[str]) -> None:
        """Do nothing."""

    async def aclose(self) -> None:
        """Do nothing."""
