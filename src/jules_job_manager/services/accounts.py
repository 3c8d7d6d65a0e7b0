"""The accounts of Jules that a queue may use, each with its own quota, and what each has used."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from jules_job_manager.domain.job import Attempt
from jules_job_manager.domain.quota import (
    EDGE,
    WINDOW,
    AccountUse,
    counted_starts,
    limits_of,
    most_in_window,
)
from jules_job_manager.ports.backend import Backend
from jules_job_manager.ports.quota_ledger import LedgerEntry
from jules_job_manager.services.observer import Look, Observer
from jules_job_manager.services.tasks import TaskService


@dataclass(frozen=True, kw_only=True, slots=True)
class PlanChoice:
    """What the user says of an account's limits; see `domain.quota.limits_of`."""

    plan: str = "auto"
    per_day: int = 0
    at_once: int = 0


@dataclass(frozen=True, kw_only=True)
class Account:
    """One account: how it is reached and watched."""

    name: str
    backend: Backend
    tasks: TaskService
    observer: Observer
    choice: PlanChoice = PlanChoice()


def account_use(
    account: str,
    choice: PlanChoice,
    look: Look,
    ledger: Sequence[LedgerEntry],
    attempts: Sequence[Attempt],
    now: datetime,
) -> AccountUse:
    """Return what an account has used: Jules' own tasks, local reservations and refusals.

    Args:
        account: Its name.
        choice: Its limits.
        look: What its observer found last.
        ledger: Entries of the last 24 hours and more, of any account.
        attempts: Every attempt; those whose task is not known yet hold a reservation.
        now: The time, aware UTC.
    """
    by_mark: Mapping[str, Attempt] = {a.mark: a for a in attempts if a.account == account}
    reserved = []
    for entry in ledger:
        attempt = by_mark.get(entry.mark)
        if entry.account != account or entry.kind != "start" or attempt is None:
            continue
        if attempt.task_id:
            reserved.append((attempt.task_id, entry.at))
        elif attempt.state.is_live:
            reserved.append(("", now))  # it is created later than it was intended
    starts = counted_starts(look.starts.items(), reserved)
    recent = tuple(at for at in starts if at > now - WINDOW - EDGE)
    refusals = [e for e in ledger if e.kind == "refusal" and e.account == account]
    limits = limits_of(
        choice.plan, per_day=choice.per_day, at_once=choice.at_once,
        most_in_a_day=most_in_window(starts), most_at_once=look.at_work,
    )  # fmt: skip
    return AccountUse(
        name=account, limits=limits, starts=recent, at_work=look.at_work,
        refused_until=max((e.until for e in refusals if e.until is not None), default=None),
    )  # fmt: skip
