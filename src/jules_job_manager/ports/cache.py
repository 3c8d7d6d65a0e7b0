"""Texts kept for a while, so that they need not be worked out again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """What a cache has under a key, and a stamp for putting something there."""

    value: str | None
    stamp: str = ""
    """Changes whenever the key is forgotten. What was read before that is not kept after it."""
    is_away: bool = False
    """Whether the cache could not be asked."""


class Cache(Protocol):
    """Keeps texts. It may lose them at any time; no method raises when it is away."""

    @property
    def name(self) -> str:
        """`none` or `redis`."""
        ...

    @property
    def trouble(self) -> str:
        """Why it does not work just now, one sentence, or empty."""
        ...

    async def get(self, key: str) -> Found:
        """Return what is kept under the key."""
        ...

    async def put(self, key: str, value: str, *, seconds: float, stamp: str) -> None:
        """Keep a value for `seconds` (> 0), unless the key was forgotten since `stamp` was read."""
        ...

    async def forget(self, keys: Sequence[str]) -> None:
        """Forget these."""
        ...

    async def aclose(self) -> None:
        """Let go of connections. Safe to call twice."""
        ...
