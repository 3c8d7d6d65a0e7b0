"""What is told as an alert, when, and when it is over."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from jules_job_manager.domain.alerts import AlertPolicy, AlertState, counted, due
from jules_job_manager.domain.event import Event

NOW = datetime(2026, 11, 24, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def _job(after, event_type="job_state_changed") -> Event:
    return Event(id=1, type=event_type, subject="job:a", at=NOW, data={"after": after})


def _texts(told):
    return [("over" if alert.is_over else "alert", alert.text) for alert in told]


def test_failures_in_a_row():
    """The fifth is told once; the next that is done ends it."""
    state, policy = AlertState(), AlertPolicy(failures_in_a_row=3)
    for _ in range(2):
        state = counted(state, _job("failed"))
        assert [] == due(state, {}, NOW, policy)[0]
    state = counted(state, _job("failed"))
    told, state = due(state, {}, NOW, policy)
    assert [("alert", "3 jobs failed in a row, and none was done")] == _texts(told)
    state = counted(counted(state, _job("failed")), _job("needs_you"))
    assert [] == due(state, {}, NOW + MINUTE, policy)[0]
    told, state = due(counted(state, _job("done")), {}, NOW, policy)
    assert [("over", "jobs are done again")] == _texts(told)
    assert AlertState() == state


def test_one_that_is_done_in_between_begins_the_count_anew():
    """Only failures in a row are an alert."""
    state = AlertState()
    for after in ("failed", "failed", "done", "failed", "failed"):
        state = counted(state, _job(after))
    assert 2 == state.failures
    assert state == counted(state, _job("failed", "task_state_changed"))


def test_jules_is_away():
    """Told after 15 minutes, again after 6 hours, and when it is back."""
    state, policy, away = AlertState(), AlertPolicy(), {"work": NOW}
    assert [] == due(state, away, NOW + 14 * MINUTE, policy)[0]
    told, state = due(state, away, NOW + 15 * MINUTE, policy)
    assert [("alert", "Jules (account work) has not answered for 15 minutes")] == _texts(told)
    assert [] == due(state, away, NOW + 374 * MINUTE, policy)[0]
    told, state = due(state, away, NOW + 375 * MINUTE, policy)
    assert 1 == len(told)
    told, state = due(state, {}, NOW + 376 * MINUTE, policy)
    assert [("over", "Jules (account work) answers again")] == _texts(told)
    assert {} == state.raised


def test_switched_off():
    """0 is never, for each of them."""
    off = AlertPolicy(failures_in_a_row=0, backend_away=timedelta(0), again=timedelta(0))
    assert [] == due(AlertState(failures=99), {"a": NOW}, NOW + 999 * MINUTE, off)[0]
    once = AlertPolicy(again=timedelta(0))
    told, state = due(AlertState(failures=5), {}, NOW, once)
    assert 1 == len(told)
    assert [] == due(state, {}, NOW + timedelta(days=9), once)[0]


STEPS = st.lists(st.tuples(st.sampled_from(["failed", "done"]), st.booleans(), st.integers(0, 120)))


@given(STEPS, st.integers(1, 4))
def test_begin_and_end_take_turns(steps, limit):
    """Without repetition, an alert is told, then over, then told; never twice the same."""
    policy = AlertPolicy(failures_in_a_row=limit, again=timedelta(0))
    state, now, since, history = AlertState(), NOW, {}, {}
    for after, is_away, minutes in steps:
        now += minutes * MINUTE
        since = {"a": since.get("a", now)} if is_away else {}
        told, state = due(counted(state, _job(after)), since, now, policy)
        for alert in told:
            assert history.get(alert.name, True) is not alert.is_over
            history[alert.name] = alert.is_over
    assert set(state.raised) == {name for name, is_over in history.items() if not is_over}
