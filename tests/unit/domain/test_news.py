"""What people are told, and when."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jules_job_manager.domain.event import Event
from jules_job_manager.domain.news import (
    MOST_LINES,
    DigestPolicy,
    News,
    NewsKind,
    is_due,
    message_of,
    news_of,
)

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def _event(event_type, **data) -> Event:
    return Event(id=1, type=event_type, subject="job:Task 1", at=NOW, data=data)


@pytest.mark.parametrize(
    ("event", "kind", "text"),
    [
        (_event("job_state_changed", after="needs_you", reason="a plan"), "needs_you",
         "Task 1 needs you: a plan"),
        (_event("job_state_changed", after="failed", reason="no branch"), "failed",
         "Task 1 failed: no branch"),
        (_event("delivery_found"), "delivered", "Task 1 was delivered"),
        (_event("feedback_sent", number=2), "rejected_twice", "Task 1 was rejected twice"),
        (_event("quota_low", account="work", left=3, per_day=100), "quota_low",
         "account work: 3 of 100 tasks of the day are left"),
        (_event("queue_drained"), "drained", "nothing more can move"),
    ],
)  # fmt: skip
def test_events_that_are_news(event, kind, text):
    """Each kind, in words."""
    news = news_of(event)
    assert (kind, text, NOW) == (news.kind.value, news.text, news.at)


@pytest.mark.parametrize(
    "event",
    [
        _event("job_state_changed", after="running"),
        _event("job_state_changed"),
        _event("feedback_sent", number=1),
        _event("feedback_sent", number=3),
        _event("merged"),
        _event("a word of a later version"),
    ],
)
def test_events_that_are_none(event):
    """Told once when twice rejected, not with every round."""
    assert news_of(event) is None


@pytest.mark.parametrize(
    ("begin", "end", "hour", "quiet"),
    [
        ("22:00", "07:00", "21:59", False),
        ("22:00", "07:00", "22:00", True),
        ("22:00", "07:00", "00:00", True),
        ("22:00", "07:00", "06:59", True),
        ("22:00", "07:00", "07:00", False),
        ("12:00", "14:00", "13:00", True),
        ("12:00", "14:00", "14:00", False),
        ("12:00", "12:00", "12:00", False),
    ],
)
def test_quiet_hours_also_over_midnight_and_in_local_time(begin, end, hour, quiet):
    """From the beginning up to the end, in the zone of the policy."""
    zone = timezone(timedelta(hours=5, minutes=30))
    policy = DigestPolicy(
        quiet_from=time.fromisoformat(begin), quiet_to=time.fromisoformat(end), zone=zone
    )
    there = datetime.combine(NOW.date(), time.fromisoformat(hour), zone)
    assert quiet == policy.is_quiet(there.astimezone(UTC))


def _news(kind=NewsKind.DELIVERED, *, ago=HOUR, text="x") -> News:
    return News(kind=kind, text=text, at=NOW - ago)


QUIET = DigestPolicy(quiet_from=time(11), quiet_to=time(13), zone=UTC)


@pytest.mark.parametrize(
    ("pending", "sent", "policy", "due"),
    [
        ([], 0, DigestPolicy(), False),
        ([_news(ago=timedelta(minutes=4))], 0, DigestPolicy(), False),
        ([_news(ago=timedelta(minutes=5)), _news(ago=timedelta(0))], 0, DigestPolicy(), True),
        ([_news(ago=timedelta(0))], 0, DigestPolicy(wait=timedelta(0)), True),
        ([_news()], 12, DigestPolicy(), False),
        ([_news()], 11, DigestPolicy(), True),
        ([_news()], 0, QUIET, False),
        ([_news(), _news(NewsKind.FAILED)], 12, QUIET, True),
    ],
)
def test_when_a_message_is_due(pending, sent, policy, due):
    """A digest waits, the hour has a budget, quiet hours are quiet, and what is critical goes."""
    assert due == is_due(pending, [NOW - timedelta(minutes=9)] * sent, NOW, policy)


def test_the_budget_is_of_the_last_hour():
    """What was sent an hour ago counts no more."""
    assert is_due([_news()], [NOW - HOUR] * 12, NOW, DigestPolicy())


KINDS = st.lists(st.sampled_from(list(NewsKind)), min_size=1, max_size=60)


@given(KINDS)
def test_a_message_accounts_for_every_piece_of_news(kinds):
    """Every one has its line, or is counted among the rest."""
    pending = [_news(kind, text=f"piece {n}") for n, kind in enumerate(kinds)]
    title, body = message_of(pending)
    lines = body.splitlines()
    assert [f"piece {n}" for n in range(min(len(kinds), MOST_LINES))] == lines[:MOST_LINES]
    rest = len(kinds) - MOST_LINES
    assert ([f"… and {rest} more: jjm queue status"] if rest > 0 else []) == lines[MOST_LINES:]
    assert 0 < len(title) <= 120


@given(st.text(max_size=400))
def test_untrusted_text_becomes_one_line_without_control_characters(text):
    """A reason that Jules worded cannot break out of its line."""
    news = news_of(_event("job_state_changed", after="failed", reason=text))
    assert news.text.startswith("Task 1 failed: "[:14])
    assert news.text.isprintable() or not set(news.text) & {chr(n) for n in (*range(32), 127)}
    assert 1 == len(message_of([news])[1].splitlines())
