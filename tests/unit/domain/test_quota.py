"""Quota arithmetic: what counts, what is left, and when the next task may start."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jules_job_manager.domain.budget import Budget
from jules_job_manager.domain.quota import (
    EDGE,
    FAR,
    WINDOW,
    AccountUse,
    Limits,
    Provenance,
    counted_starts,
    limits_of,
    most_in_window,
)

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"plan": "ultra"}, (300, 60, "stated")),
        ({"plan": "auto"}, (15, 3, "assumed")),
        ({"plan": "auto", "most_in_a_day": 16}, (100, 15, "observed")),
        ({"plan": "auto", "most_at_once": 16}, (300, 60, "observed")),
        ({"plan": "auto", "most_in_a_day": 301}, (None, None, "observed")),
        ({"plan": "none"}, (None, None, "stated")),
        ({"plan": "free", "per_day": 20}, (20, 3, "stated")),
        ({"plan": "auto", "per_day": 20, "at_once": 5}, (20, 5, "stated")),
        ({"plan": "auto", "per_day": 20}, (20, 3, "assumed")),
    ],
)
def test_limits_say_how_they_are_known(given, expected):
    """Own numbers and named plans are stated; what was seen raises the plan that is assumed."""
    limits = limits_of(**given)
    assert expected == (limits.per_day, limits.at_once, limits.provenance.value)


def test_there_is_no_other_plan():
    """A plan that is not known is refused, not taken for none."""
    with pytest.raises(ValueError, match="no plan 'gold'"):
        limits_of("gold")


def test_a_task_counts_for_a_day_and_the_edge():
    """The window rolls; at its edge a task counts a little longer than Jules says."""
    use = AccountUse(limits=Limits(per_day=1), starts=(NOW,))
    over = NOW + WINDOW + EDGE
    assert (1, 0) == (use.used(NOW + WINDOW), use.room(NOW + WINDOW))
    assert (0, 1) == (use.used(over), use.room(over))
    assert over == use.next_day_slot(NOW)
    assert use.next_day_slot(over) is None


def test_the_reserve_is_for_high_and_critical_jobs():
    """Medium and low jobs leave the reserve alone, and wait for a slot beyond it."""
    starts = tuple(NOW - HOUR * ago for ago in (20, 10, 5))
    use = AccountUse(limits=Limits(per_day=5), starts=starts)
    assert 2 == use.room(NOW, rank=1, reserve=2)
    assert 0 == use.room(NOW, rank=2, reserve=2)
    assert starts[0] + WINDOW + EDGE == use.next_day_slot(NOW, rank=2, reserve=2)
    assert use.next_day_slot(NOW, rank=0, reserve=2) is None
    assert FAR == use.next_day_slot(NOW, rank=2, reserve=5)


def test_a_refusal_holds_everything_back():
    """However much room there seems to be."""
    use = AccountUse(limits=Limits(), refused_until=NOW + HOUR)
    assert (0, NOW + HOUR) == (use.room(NOW), use.next_day_slot(NOW))
    assert use.room(NOW + HOUR) > 0


def test_a_reservation_and_its_task_count_once():
    """A reservation counts until its task is listed; a task of somebody else counts too."""
    listed = [("1", NOW - HOUR), ("elsewhere", NOW)]
    reserved = [("1", NOW - HOUR * 2), ("", NOW), ("not listed yet", NOW)]
    assert (NOW - HOUR, NOW, NOW, NOW) == counted_starts(listed, reserved)


@given(st.lists(st.integers(0, 200_000), max_size=60), st.integers(1, 20), st.integers(0, 200_000))
def test_keeping_to_the_room_never_exceeds_the_limit(moments, limit, later):
    """Whoever starts only where there is room has at most the limit in any 24 hours, edge included."""
    use = AccountUse(limits=Limits(per_day=limit))
    for seconds in sorted(moments):
        at = NOW + timedelta(seconds=seconds)
        if use.room(at):
            use = use.with_one_more(at)
    assert most_in_window(use.starts) <= limit
    slot, now = use.next_day_slot(NOW + timedelta(seconds=later)), NOW + timedelta(seconds=later)
    assert bool(use.room(now)) == (slot is None)
    if slot is not None:
        assert use.room(slot)
        assert not use.room(slot - timedelta(microseconds=1))


@given(st.lists(st.floats(0, 10, allow_nan=False), min_size=1, max_size=200), st.integers(1, 30))
def test_a_budget_is_never_exceeded(pauses, per_minute):
    """In any stretch of time at most a full bucket and what flowed in since was taken."""
    budget, now, taken = Budget.full(per_minute, 0.0), 0.0, 0
    for pause in pauses:
        now += pause
        left = budget.taken(now)
        if left is not None:
            budget, taken = left, taken + 1
        assert taken <= per_minute + now * per_minute / 60 + 1e-6


def test_provenance_words():
    """The words are shown to people and scripts."""
    assert ["stated", "observed", "assumed"] == [kind.value for kind in Provenance]
