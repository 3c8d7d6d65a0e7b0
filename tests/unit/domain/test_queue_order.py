"""Which waiting job is next: pins, priority, ageing, a person's order, age."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from jules_job_manager.domain.job import Job, Priority
from jules_job_manager.domain.queue_order import effective_rank, in_order, moved

NOW = datetime(2026, 11, 24, tzinfo=UTC)
DAY = timedelta(days=1)
JOBS = st.lists(
    st.tuples(st.sampled_from(Priority), st.integers(0, 5), st.booleans()), min_size=2, max_size=8
).map(
    lambda rows: [
        Job(key=str(n), priority=p, queued_at=NOW - DAY * days, pinned=pin)
        for n, (p, days, pin) in enumerate(rows)
    ]
)


def _keys(jobs, ageing=DAY):
    return [job.key for job in in_order(jobs, NOW, ageing)]


def test_priority_then_age_then_place_in_the_document():
    """The field's usual order."""
    jobs = [
        Job(key="low", priority=Priority.LOW, queued_at=NOW),
        Job(key="second", position=1, queued_at=NOW),
        Job(key="first", position=0, queued_at=NOW),
        Job(key="older", position=9, queued_at=NOW - timedelta(hours=1)),
        Job(key="pinned", priority=Priority.LOW, queued_at=NOW, pinned=True),
        Job(key="critical", priority=Priority.CRITICAL, queued_at=NOW),
    ]
    assert ["pinned", "critical", "older", "first", "second", "low"] == _keys(jobs)


def test_nothing_starves():
    """A low job counts as critical after three days, and then goes before a fresh critical one."""
    old = Job(key="old", priority=Priority.LOW, queued_at=NOW - DAY * 3)
    fresh = Job(key="fresh", priority=Priority.CRITICAL, queued_at=NOW)
    assert [3, 2, 0] == [
        effective_rank(Job(key="x", priority=Priority.LOW, queued_at=NOW - DAY * days), NOW, DAY)
        for days in (0, 1, 3)
    ]
    assert ["old", "fresh"] == _keys([fresh, old])
    assert ["fresh", "old"] == _keys([fresh, old], timedelta(0))


@given(JOBS, st.data())
def test_a_moved_job_stands_where_it_was_put(jobs, data):
    """And all others keep their order."""
    line = in_order(jobs, NOW, DAY)
    key = data.draw(st.sampled_from([job.key for job in line]))
    to = data.draw(st.integers(0, len(line) - 1))
    changed = {job.key: job for job in moved(line, key, to=to, now=NOW, ageing=DAY)}
    after = _keys([changed.get(job.key, job) for job in jobs])
    expected = [job.key for job in line if job.key != key]
    expected.insert(to, key)
    assert expected == after
