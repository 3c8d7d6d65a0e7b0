"""What people are told: which events are news, and when they are put into one message."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta, tzinfo
from enum import StrEnum

from jules_job_manager.domain.event import Event, EventType
from jules_job_manager.domain.text import shorten

MOST_LINES = 20


class NewsKind(StrEnum):
    """Kinds of news."""

    NEEDS_YOU = "needs_you"
    DELIVERED = "delivered"
    REJECTED_TWICE = "rejected_twice"
    FAILED = "failed"
    QUOTA_LOW = "quota_low"
    DRAINED = "drained"
    ALERT = "alert"


CRITICAL = frozenset({NewsKind.FAILED, NewsKind.ALERT})
"""Sent at once, whatever the budget and the hour."""


@dataclass(frozen=True, kw_only=True, slots=True)
class News:
    """One thing worth telling."""

    kind: NewsKind
    text: str
    at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class DigestPolicy:
    """When and of what people are told."""

    kinds: frozenset[NewsKind] = frozenset(NewsKind)
    wait: timedelta = timedelta(minutes=5)
    """News of so long is put into one message."""
    per_hour: int = 12
    """Most messages in an hour; critical ones always go."""
    quiet_from: time | None = None
    quiet_to: time | None = None
    """Between these, local time, only what is critical is sent."""
    zone: tzinfo | None = None

    def is_quiet(self, now: datetime) -> bool:
        """Whether it is a quiet hour."""
        if self.quiet_from is None or self.quiet_to is None or self.quiet_from == self.quiet_to:
            return False
        here = now.astimezone(self.zone).time().replace(tzinfo=None)
        if self.quiet_from < self.quiet_to:
            return self.quiet_from <= here < self.quiet_to
        return here >= self.quiet_from or here < self.quiet_to


def news_of(event: Event) -> News | None:
    """Return what a person should know of an event, or None."""
    key = event.subject.partition(":")[2]
    data = event.data
    if event.type == EventType.JOB_STATE_CHANGED and data.get("after") == "needs_you":
        return _news(NewsKind.NEEDS_YOU, f"{key} needs you: {data.get('reason') or ''}", event)
    if event.type == EventType.JOB_STATE_CHANGED and data.get("after") == "failed":
        return _news(NewsKind.FAILED, f"{key} failed: {data.get('reason') or ''}", event)
    if event.type == EventType.DELIVERY_FOUND:
        return _news(NewsKind.DELIVERED, f"{key} was delivered", event)
    if event.type == EventType.FEEDBACK_SENT and int(data.get("number") or 0) == 2:
        return _news(NewsKind.REJECTED_TWICE, f"{key} was rejected twice", event)
    if event.type == EventType.QUOTA_LOW:
        left = f"{data.get('left')} of {data.get('per_day')} tasks of the day are left"
        return _news(NewsKind.QUOTA_LOW, f"account {data.get('account')}: {left}", event)
    if event.type == EventType.QUEUE_DRAINED:
        return _news(NewsKind.DRAINED, "nothing more can move", event)
    if event.type in {EventType.ALERT_RAISED, EventType.ALERT_CLEARED}:
        word = "alert" if event.type == EventType.ALERT_RAISED else "over"
        return _news(NewsKind.ALERT, f"{word}: {data.get('text') or ''}", event)
    return None


def _news(kind: NewsKind, text: str, event: Event) -> News:
    return News(kind=kind, text=shorten(text, 300), at=event.at)


def is_due(
    pending: Sequence[News], sent: Sequence[datetime], now: datetime, policy: DigestPolicy
) -> bool:
    """Return whether the pending news (oldest first) are to be sent now, all in one message.

    Args:
        pending: News of the wanted kinds that were not sent.
        sent: When messages were sent in the last hour.
        now: The time, aware UTC.
        policy: When people are told.
    """
    if not pending:
        return False
    if any(news.kind in CRITICAL for news in pending):
        return True
    recent = sum(now - moment < timedelta(hours=1) for moment in sent)
    if policy.is_quiet(now) or recent >= policy.per_hour:
        return False
    return now - pending[0].at >= policy.wait


def message_of(pending: Sequence[News]) -> tuple[str, str]:
    """Return title and body of the message that tells the news; plain text, control-free."""
    counts: dict[NewsKind, int] = {}
    for news in pending:
        counts[news.kind] = counts.get(news.kind, 0) + 1
    first = pending[0].text if len(pending) == 1 else None
    told = ", ".join(f"{count} {kind.value.replace('_', ' ')}" for kind, count in counts.items())
    lines = [news.text for news in pending[:MOST_LINES]]
    if len(pending) > MOST_LINES:
        lines.append(f"… and {len(pending) - MOST_LINES} more: jjm queue status")
    return f"jjm: {first or told}"[:120], "\n".join(lines)
