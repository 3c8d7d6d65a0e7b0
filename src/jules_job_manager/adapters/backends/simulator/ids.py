"""Ids and words, the same for the same seed."""

from __future__ import annotations

import hashlib
import re

from jules_job_manager.adapters.backends.simulator.state import WorldState


class Ids:
    """Makes ids from a seed and a counter that the world keeps."""

    def __init__(self, state: WorldState, seed: int) -> None:
        """Count in `state`."""
        self._state = state
        self._seed = seed

    def session(self) -> str:
        """Return a session id: 19 or 20 digits, as the service makes them."""
        return str(10**18 + int(self._digest("session"), 16) % (9 * 10**18))

    def hexadecimal(self) -> str:
        """Return an id of 32 hex digits."""
        return self._digest("id")[:32]

    def _digest(self, kind: str) -> str:
        number = self._state.count("ids")
        return hashlib.sha256(f"{self._seed}/{kind}/{number}".encode()).hexdigest()


def chance(seed: int, *what: object) -> float:
    """Return the number in [0, 1) that stands for `what`: the same one each time."""
    text = "/".join(str(part) for part in (seed, *what))
    return int(hashlib.sha256(text.encode()).hexdigest()[:13], 16) / 16**13


def branch_words(text: str) -> str:
    """Return up to four plain words of `text`, joined for a branch name."""
    words = re.findall(r"[a-z0-9]+", text.lower())[:4]
    return "-".join(words)[:40].strip("-") or "task"
