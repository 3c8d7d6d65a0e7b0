"""What is told as an alert: something that is wrong for long, once, and again when it is over."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from jules_job_manager.domain.event import Event, EventType

FAILURES = "failures_in_a_row"
BACKEND = "backend_away"


@dataclass(frozen=True, kw_only=True, slots=True)
class AlertPolicy:
    """When something is wrong enough."""

    failures_in_a_row: int = 5
    """Jobs that fail with none done in between; 0: never."""
    backend_away: timedelta = timedelta(minutes=15)
    """Jules does not answer for so long; 0: never."""
    again: timedelta = timedelta(hours=6)
    """What still holds is told again after so long; 0: never."""


@dataclass(frozen=True, kw_only=True, slots=True)
class AlertState:
    """What is known from before."""

    failures: int = 0
    raised: Mapping[str, datetime] = field(default_factory=dict)
    """When each alert that holds was told last, by name."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Alert:
    """One alert that begins to hold, still holds, or is over."""

    name: str
    text: str
    is_over: bool = False


def counted(state: AlertState, event: Event) -> AlertState:
    """Return the state after one event: failures in a row end with the first job that is done."""
    if event.type != EventType.JOB_STATE_CHANGED:
        return state
    after = event.data.get("after")
    if after == "failed":
        return replace(state, failures=state.failures + 1)
    return replace(state, failures=0) if after == "done" else state


def due(
    state: AlertState, away_since: Mapping[str, datetime], now: datetime, policy: AlertPolicy
) -> tuple[list[Alert], AlertState]:
    """Return what is to be told now, and the state once it is told.

    Args:
        state: As it is.
        away_since: Since when each account does not answer, aware UTC.
        now: The time, aware UTC.
        policy: When something is wrong enough.
    """
    holding = dict(_holding(state, away_since, now, policy))
    raised = dict(state.raised)
    told = []
    for name, text in holding.items():
        last = raised.get(name)
        if last is None or (policy.again and now - last >= policy.again):
            told.append(Alert(name=name, text=text))
            raised[name] = now
    for name in sorted(raised.keys() - holding.keys()):
        told.append(Alert(name=name, text=_over(name), is_over=True))
        del raised[name]
    return told, replace(state, raised=raised)


def _holding(
    state: AlertState, away_since: Mapping[str, datetime], now: datetime, policy: AlertPolicy
) -> list[tuple[str, str]]:
    found = []
    if policy.failures_in_a_row and state.failures >= policy.failures_in_a_row:
        found.append((FAILURES, f"{state.failures} jobs failed in a row, and none was done"))
    for account, since in sorted(away_since.items()):
        if policy.backend_away and now - since >= policy.backend_away:
            minutes = int((now - since).total_seconds() // 60)
            text = f"Jules (account {account}) has not answered for {minutes} minutes"
            found.append((f"{BACKEND}:{account}", text))
    return found


def _over(name: str) -> str:
    if name == FAILURES:
        return "jobs are done again"
    return f"Jules (account {name.partition(':')[2]}) answers again"
