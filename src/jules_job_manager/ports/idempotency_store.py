"""Answers kept by idempotency key, so that a request may be repeated without being done twice."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, kw_only=True, slots=True)
class KeptAnswer:
    """The answer to a finished request."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


@dataclass(frozen=True, kw_only=True, slots=True)
class Claim:
    """What stands under an idempotency key now.

    `outcome` is `claimed` (this caller is to do the work), `running` (another does it), `answered`
    (see `answer`) or `other` (the key belongs to a request that was not the same).
    """

    outcome: str
    answer: KeptAnswer | None = None
    is_again: bool = False
    """Claimed, and an earlier try was begun that never said how it ended: it may have done the work."""


class IdempotencyStore(Protocol):
    """Keeps claims and answers. Times are those of the database, where it has a clock."""

    async def claim(
        self,
        owner: str,
        key: str,
        *,
        fingerprint: str,
        token: str,
        lease_seconds: float,
        keep_seconds: float,
    ) -> Claim:
        """Take the right to do a request, or learn what became of it.

        Args:
            owner: Who asks; the keys of one owner say nothing about another's.
            key: What the client calls the request.
            fingerprint: Changes with the request.
            token: Unique to this try.
            lease_seconds: How long others wait for this try; then the next one may do it.
            keep_seconds: How long the answer is kept, from now.
        """
        ...

    async def answer(self, owner: str, key: str, *, token: str, answer: KeptAnswer) -> bool:
        """Keep the answer; False when another try has taken over meanwhile."""
        ...

    async def renew(self, owner: str, key: str, *, token: str, lease_seconds: float) -> bool:
        """Let others wait longer, from now; False when another try has taken over.

        With 0 seconds nobody waits any more, and the next try hears that this one was begun.
        """
        ...

    async def release(self, owner: str, key: str, *, token: str) -> None:
        """Forget a claim whose work was not done, so that it may be tried again at once."""
        ...

    async def sweep(self) -> int:
        """Forget answers that were kept long enough; return how many."""
        ...
