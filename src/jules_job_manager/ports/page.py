"""A part of a list."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True, slots=True)
class Page(Generic[T]):
    """Some items of a list in its order, and how to go on."""

    items: tuple[T, ...] = ()
    next_cursor: str | None = None
    """Given back with the same query it leads to the next page; None: this is the last."""
