"""Where what is measured goes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol


class Meter(Protocol):
    """Takes values for the metrics of `domain.measures`.

    A name or label that is not declared there is a mistake in the program: ValueError. Cheap, and
    never waits.
    """

    def add(self, name: str, value: float = 1.0, **labels: str) -> None:
        """Add to a counter (`value` >= 0), or one observation to a histogram."""
        ...

    def put(self, name: str, value: float, **labels: str) -> None:
        """Set a gauge."""
        ...

    def put_all(self, name: str, label: str, values: Mapping[str, float]) -> None:
        """Set a gauge with one label for each of `values`; those it has besides become 0."""
        ...
