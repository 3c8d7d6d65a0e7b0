"""Progress of the queue, told from its events: for those who watch a run of another program."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from jules_job_manager.domain.event import Event, EventType
from jules_job_manager.domain.orchestration import NEXT_SLOT, WaitKind
from jules_job_manager.services.queue_state import Progress


def progress_of(event: Event) -> Progress | None:
    """Return what an event says of the queue, in the words of a run; None: nothing worth a line."""
    words = _WORDS.get(event.type)
    text = "" if words is None else words(event.data)
    if not text:
        return None
    kind, _, name = event.subject.partition(":")
    return Progress(
        at=event.at, job_key=name if kind == "job" else "", text=text,
        rule=str(event.data.get("rule") or ""),
    )  # fmt: skip


def _moved(data: Mapping[str, Any]) -> str:
    """Tell only of statuses that no event of their own tells of."""
    after, reason = str(data.get("after") or ""), str(data.get("reason") or "")
    if after in {"needs_you", "failed", "cancelled"}:
        said = {"needs_you": "needs you"}.get(after, after)
        return f"{said}: {reason}" if reason else said
    if data.get("before") == "starting" and after == "running":
        return "its task is at work"
    return reason if NEXT_SLOT in reason and data.get("rule") == WaitKind.QUOTA else ""


def _named(data: Mapping[str, Any], name: str) -> str:
    return str(data.get(name) or "")


def _delivered(data: Mapping[str, Any]) -> str:
    return f"checking {_named(data, 'branch') or 'its patch'} ({_named(data, 'commit')[:8]})"


def _repeated(data: Mapping[str, Any]) -> str:
    review = data.get("review")
    verdict = review.get("verdict") if isinstance(review, Mapping) else None
    return f"checked again: {verdict or 'it could not be'}"


def _paused(data: Mapping[str, Any]) -> str:
    reason = _named(data, "reason")
    return _named(data, "what") + (f": {reason}" if reason else "")


def _low(data: Mapping[str, Any]) -> str:
    return f"{_named(data, 'account')} has {data.get('left')} of {data.get('per_day')} tasks left today"


_WORDS: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    EventType.ATTEMPT_STARTED: lambda data: f"attempt {data.get('number')} begins",
    EventType.JOB_STATE_CHANGED: _moved,
    EventType.JOB_CHANGED: lambda data: f"changed by a person: {_named(data, 'what')}",
    EventType.JOB_RECURS: lambda data: f"runs again, the {data.get('occurrence')}. time",
    EventType.DELIVERY_FOUND: _delivered,
    EventType.REVIEW_FINISHED: lambda data: f"review: {_named(data, 'verdict')}",
    EventType.REVIEW_REPEATED: _repeated,
    EventType.FEEDBACK_SENT: lambda data: f"sent back to Jules, round {data.get('number')}",
    EventType.TASK_NUDGED: lambda data: f"asked to go on ({data.get('number')})",
    EventType.MERGE_APPROVED: lambda data: f"a person lets {_named(data, 'commit')[:8]} be merged",
    EventType.CHECKLIST_SIGNED: lambda data: f"signed by a person: {_named(data, 'line')}",
    EventType.MERGED: lambda data: f"merged as {_named(data, 'commit')[:8]}",
    EventType.REVERTED: lambda data: f"taken back by {_named(data, 'commit')[:8]}",
    EventType.QUEUE_PAUSED: _paused,
    EventType.QUOTA_LOW: _low,
}
