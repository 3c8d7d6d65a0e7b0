"""What each event adds to the metrics, and that labels stay few."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jules_job_manager.domain.event import Event, EventType
from jules_job_manager.domain.measures import (
    METRICS,
    Kind,
    ended_status,
    samples_of,
)

NOW = datetime(2026, 11, 24, tzinfo=UTC)


def _event(event_type, **data) -> Event:
    return Event(id=1, type=event_type, subject="job:Task 1", at=NOW, data=data)


def _added(event):
    return [(s.name, s.value, dict(s.labels)) for s in samples_of(event, ("default", "work"))]


@pytest.mark.parametrize(
    ("event", "added"),
    [
        (_event("task_created"), [("jules_tasks_created_total", 1, {})]),
        (_event("task_state_changed", after="completed"),
         [("jules_tasks_ended_total", 1, {"status": "completed"}),
          ("jules_tasks_completed_total", 1, {})]),
        (_event("task_state_changed", after="failed"),
         [("jules_tasks_ended_total", 1, {"status": "failed"})]),
        (_event("task_state_changed", after="in_progress"), []),
        (_event("job_state_changed", after="done"), [("jules_jobs_ended_total", 1, {"status": "done"})]),
        (_event("job_state_changed", after="needs_you"), [("jules_jobs_need_you_total", 1, {})]),
        (_event("job_state_changed", after="blocked", rule="dependency"),
         [("jules_waits_total", 1, {"kind": "dependency"})]),
        (_event("job_state_changed", after="ready", rule="quota"),
         [("jules_waits_total", 1, {"kind": "quota"})]),
        (_event("job_state_changed", after="ready", rule="words of a person"), []),
        (_event("attempt_started", account="work"), [("jules_dispatches_total", 1, {"account": "work"})]),
        (_event("attempt_started", account="gone"), [("jules_dispatches_total", 1, {"account": "other"})]),
        (_event("merged"), [("jules_merges_total", 1, {})]),
        (_event("reverted"), [("jules_reverts_total", 1, {})]),
        (_event("review_finished", verdict="accept", checks=[
            {"conclusion": "success", "duration_seconds": 2.5}, {"conclusion": "a later word"}]),
         [("jules_reviews_total", 1, {"verdict": "accept"}),
          ("jules_checks_total", 1, {"conclusion": "success"}),
          ("jules_check_duration_seconds", 2.5, {"conclusion": "success"}),
          ("jules_checks_total", 1, {"conclusion": "other"}),
          ("jules_check_duration_seconds", 0, {"conclusion": "other"}),
          ("jules_review_duration_seconds", 2.5, {"verdict": "accept"})]),
        (_event("a word of a later version", x=1), []),
        (_event("review_finished", verdict="accept", checks=7), []),
        (_event("review_finished", verdict="accept", checks=[{"duration_seconds": "long"}]), []),
    ],
)  # fmt: skip
def test_what_an_event_adds(event, added):
    """Words of others never become labels."""
    assert sorted(added, key=str) == sorted(_added(event), key=str)


def test_how_a_task_ended():
    """Only an end of a task is timed."""
    assert "failed" == ended_status(_event("task_state_changed", after="failed"))
    assert "" == ended_status(_event("task_state_changed", after="paused"))
    assert "" == ended_status(_event("job_state_changed", after="failed"))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip
BY_NAME = {metric.name: metric for metric in METRICS}
WORDS = ("after", "rule", "account", "verdict", "checks", "conclusion", "duration_seconds")


@given(st.sampled_from(EventType), st.dictionaries(st.sampled_from(WORDS), JSON))
def test_whatever_an_event_holds_only_declared_series_come_of_it(event_type, data):
    """No data can raise, go backwards, or make a series of their own."""
    declared = BY_NAME
    for sample in samples_of(_event(event_type, **data), ("default",)):
        assert set(declared[sample.name].labels) == set(sample.labels)
        assert sample.value >= 0
        assert all(value.isidentifier() for value in sample.labels.values())


def test_names_say_what_they_are():
    """The rules of Prometheus. Source: prometheus.io/docs/practices/naming, read 2026-11."""
    assert len(METRICS) == len(BY_NAME)
    for metric in METRICS:
        assert metric.name.startswith("jules_")
        assert (metric.kind is Kind.COUNTER) == metric.name.endswith("_total")
        assert (metric.kind is Kind.HISTOGRAM) == bool(metric.buckets)
        assert not {"repository", "job", "task", "path"} & set(metric.labels)


def test_the_names_of_the_ticket_are_there():
    """Dashboards are made from them."""
    named = {
        "jules_tasks_created_total", "jules_tasks_completed_total", "jules_errors_total",
        "jules_task_duration_seconds", "jules_api_request_duration_seconds", "jules_active_tasks",
    }  # fmt: skip
    assert named <= set(BY_NAME)
    assert ("error_type",) == BY_NAME["jules_errors_total"].labels
