"""Watching one task until it reaches a status."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

from jules_job_manager.domain.task import JulesTask, TaskStatus
from jules_job_manager.errors import (
    BackendConnectionError,
    QuotaExceededError,
    ServiceUnreachableError,
    StoreUnavailableError,
)
from jules_job_manager.ports.clock import Clock
from jules_job_manager.services.observer import Observer


@dataclass(frozen=True, kw_only=True, slots=True)
class Look:
    """One look at the task. `failure` says why this look failed; `task` is then the last one known."""

    at: datetime
    task: JulesTask | None
    failure: str | None = None
    is_last: bool = False


async def watch(
    observer: Observer,
    clock: Clock,
    reference: str,
    *,
    interval_seconds: float,
    until: TaskStatus | None = None,
    wait: Callable[[float], Awaitable[None]] | None = None,
) -> AsyncIterator[Look]:
    """Yield a look every `interval_seconds` (>= 0) until the task is `until`, or is finished.

    With `wait`, which waits for so many seconds or for news of the task, a look comes with the news.

    A finished task ends the watch also when another status was waited for, since it may never
    come. Looks count in the budget of the task's account (see `Observer.look_at`). A look that fails
    because Jules, or the service, cannot be reached is told, and watching goes on.

    Raises:
        TaskNotFoundError, AuthenticationError, OperationFailedError: watching cannot go on.
    """
    last: JulesTask | None = None
    while True:
        try:
            last = await observer.look_at(reference, fresh_seconds=interval_seconds)
        except (
            BackendConnectionError,
            QuotaExceededError,
            ServiceUnreachableError,
            StoreUnavailableError,
        ) as exc:
            yield Look(at=clock.now(), task=last, failure=str(exc))
        else:
            done = last.status is until or last.status.is_finished
            yield Look(at=clock.now(), task=last, is_last=done)
            if done:
                return
        await (wait or clock.sleep)(interval_seconds)
