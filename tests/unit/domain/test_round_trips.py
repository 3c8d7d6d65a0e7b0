"""Every value comes back from its dictionary as it went in, through real JSON."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from tests import strategies

from jules_job_manager.domain.activity import Activity, ActivityKind
from jules_job_manager.domain.artifact import UnknownArtifact, artifact_from_dict
from jules_job_manager.domain.job import Attempt, Job
from jules_job_manager.domain.plan import Plan
from jules_job_manager.domain.review import Review
from jules_job_manager.domain.task import JulesTask, TaskStatus


def _through_json(value):
    return json.loads(json.dumps(value.to_dict()))


@given(strategies.tasks)
def test_task(task):
    """A task survives JSON."""
    assert task == JulesTask.from_dict(_through_json(task))


@given(strategies.activities)
def test_activity(activity):
    """An activity survives JSON."""
    assert activity == Activity.from_dict(_through_json(activity))


@given(strategies.plans)
def test_plan(plan):
    """A plan survives JSON, and so does what a person approved of it."""
    restored = Plan.from_dict(_through_json(plan))
    assert (plan, plan.fingerprint) == (restored, restored.fingerprint)


@given(strategies.artifacts)
def test_artifact(artifact):
    """An artifact of any kind survives JSON."""
    assert artifact == artifact_from_dict(_through_json(artifact))


@given(strategies.jobs)
def test_job(job):
    """A job survives JSON."""
    assert job == Job.from_dict(_through_json(job))


@given(strategies.attempts)
def test_attempt(attempt):
    """An attempt survives JSON."""
    assert attempt == Attempt.from_dict(_through_json(attempt))


@given(strategies.reviews)
def test_review(review):
    """A review survives JSON."""
    assert review == Review.from_dict(_through_json(review))


def test_unknown_status_is_kept_raw():
    """A status this version does not know becomes unknown, and its word is kept."""
    task = JulesTask.from_dict({"id": "1", "status": "dreaming"})
    assert (TaskStatus.UNKNOWN, "dreaming") == (task.status, task.raw_state)


def test_unknown_activity_kind_is_kept_raw():
    """An activity of an unknown kind keeps everything it came with."""
    data = {"id": "a", "task_id": "1", "kind": "danced", "message": "m"}
    activity = Activity.from_dict(data)
    assert (ActivityKind.UNKNOWN, data) == (activity.kind, activity.raw)


def test_unknown_artifact_kind_is_kept_raw():
    """An artifact of an unknown kind keeps everything it came with."""
    data = {"kind": "hologram", "beam": 7}
    assert UnknownArtifact(raw=data) == artifact_from_dict(data)


def test_missing_id_is_refused():
    """A task without an id is no task."""
    with pytest.raises(KeyError):
        JulesTask.from_dict({"title": "x"})
