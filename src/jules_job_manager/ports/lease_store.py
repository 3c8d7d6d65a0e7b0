"""Who may act: leases with a fencing token."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, kw_only=True, slots=True)
class Lease:
    """The right to act under a name until a moment. `token` grows with every change of owner."""

    name: str
    owner: str
    token: int
    until: datetime


class LeaseStore(Protocol):
    """Gives each name to one owner at a time.

    Whoever lost a lease without knowing it is stopped by the writes that carry its token
    (`JobStore.fenced`). Every method may raise StoreUnavailableError.
    """

    async def acquire(
        self, name: str, owner: str, *, seconds: float, steal: bool = False
    ) -> Lease | None:
        """Take the lease if it is free, expired or already this owner's; None when it is not.

        Also None: a transaction of another program has its row locked for longer than is waited.

        Args:
            name: What is leased.
            owner: Unique to this run of the program.
            seconds: How long it holds, > 0; renew it well before.
            steal: Take it in any case: only when the owner is known to be dead.
        """
        ...

    async def renew(self, lease: Lease, *, seconds: float) -> Lease | None:
        """Make the lease last from now; None when another owner has it."""
        ...

    async def release(self, lease: Lease) -> None:
        """Give it back; nothing happens when another owner has it."""
        ...

    async def current(self, name: str) -> Lease | None:
        """Return the lease as it stands, expired or not, or None when nobody ever had it."""
        ...
