"""What those who follow the queue of another program are told of its events."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from jules_job_manager.domain.event import Event, EventType
from jules_job_manager.services.queue_news import progress_of

NOW = datetime(2026, 11, 24, tzinfo=UTC)


@pytest.mark.parametrize(("data", "told"), [
    ({"after": "needs_you", "reason": "Why?"}, "needs you: Why?"),
    ({"after": "failed", "reason": ""}, "failed"),
    ({"before": "starting", "after": "running"}, "its task is at work"),
    ({"after": "ready", "rule": "quota", "reason": "waits for Jules' quota; next slot 14:18"},
     "waits for Jules' quota; next slot 14:18"),
    # One of many that wait for the same is enough.
    ({"after": "ready", "rule": "quota", "reason": "waits for Jules' quota"}, None),
    ({"after": "ready", "rule": "slot", "reason": "waits for a free slot"}, None),
    ({"after": "blocked", "reason": "waits for A; next slot B"}, None),
])  # fmt: skip
def test_where_a_job_stands(data, told):
    """What no event of its own tells, and a person wants to know."""
    event = Event(id=1, type=EventType.JOB_STATE_CHANGED, subject="job:A", at=NOW, data=data)
    found = progress_of(event)
    assert told == (None if found is None else found.text)
    assert found is None or "A" == found.job_key
