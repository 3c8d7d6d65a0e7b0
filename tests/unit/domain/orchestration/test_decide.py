"""The whole orchestration as one pure function."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jules_job_manager.domain import orchestration as o
from jules_job_manager.domain.job import (
    Attempt,
    AttemptState,
    ChecklistItem,
    Job,
    JobStatus,
    Priority,
)
from jules_job_manager.domain.plan import Plan, PlanStep
from jules_job_manager.domain.review import CheckResult, Conclusion, Review, Verdict
from jules_job_manager.domain.task import ChatMessage, JulesTask, TaskStatus

NOW = datetime(2026, 11, 24, tzinfo=UTC)
JOB = Job(key="a", prompt="p", status=JobStatus.RUNNING)
ATTEMPT = Attempt(
    mark="m", job_key="a", number=1, state=AttemptState.LIVE, task_id="1", updated_at=NOW
)
PLAN = Plan(id="p", steps=(PlanStep(title="DROP TABLE x"),))


def _decide(task_status, *, policy=o.Policy(), attempt=ATTEMPT, plan=PLAN, chat=(), **known):  # noqa: B008
    task = JulesTask(id="1", status=task_status, plan=plan, chat_history=chat)
    snapshot = o.Snapshot(jobs=(JOB,), attempts=(attempt,), tasks={"1": task}, **known)
    return o.decide(snapshot, NOW, policy)


def _review(verdict):
    check = CheckResult(name="make test", conclusion=Conclusion.FAILURE)
    return Review(
        job_key="a",
        mark="m",
        delivered_commit="d",
        base_commit="b",
        verdict=verdict,
        checks=(check,),
    )


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        (o.Policy(approve="always"), o.Approve),
        (o.Policy(approve="ask"), o.AskPlan),
        (o.Policy(approve="policy"), o.Approve),
        (o.Policy(approve="policy", approve_refuse_words=("drop table",)), o.SetStatus),
        (o.Policy(approve="policy", approve_max_steps=0), o.SetStatus),
    ],
)
def test_plans(policy, expected):
    """A plan is approved by policy, or a person is asked."""
    [action] = _decide(TaskStatus.WAITING_APPROVAL, policy=policy)
    assert isinstance(action, expected)


@pytest.mark.parametrize(
    ("policy", "rule"),
    [
        (o.Policy(approve="always"), "queue.approve = always"),
        (o.Policy(approve="ask"), "queue.approve = ask"),
        (o.Policy(approve="policy"), "queue.approve = policy: 1 steps, no refused word"),
        (o.Policy(approve="policy", approve_max_steps=0), "queue.approve_max_steps = 0"),
        (o.Policy(approve="policy", approve_refuse_words=("x",)), "queue.approve_refuse_words"),
    ],
)
def test_every_ruling_on_a_plan_names_its_rule(policy, rule):
    """Approved or left to a person: the action says which rule did it."""
    [action] = _decide(TaskStatus.WAITING_APPROVAL, policy=policy)
    assert rule == action.rule


def test_a_plan_that_cannot_be_read_or_was_declined_is_left_to_the_person():
    """No policy approves what it cannot see, and nobody is asked twice about one plan."""
    [action] = _decide(TaskStatus.WAITING_APPROVAL, policy=o.Policy(approve="policy"), plan=None)
    assert "could not be read" in action.reason
    [action] = _decide(TaskStatus.WAITING_APPROVAL, declined=frozenset({PLAN.fingerprint}))
    assert (JobStatus.NEEDS_YOU, True) == (action.status, "jjm message 1" in action.reason)


def test_a_job_that_waits_for_a_person_lets_others_start():
    """It takes a slot only while its task still runs at Jules."""
    waiting = replace(JOB, status=JobStatus.NEEDS_YOU)
    other = Job(key="b", prompt="p", status=JobStatus.READY)
    for status, starts in (
        (TaskStatus.COMPLETED, True), (TaskStatus.FAILED, True),
        (TaskStatus.WAITING_APPROVAL, False), (TaskStatus.PAUSED, False),
    ):  # fmt: skip
        snapshot = o.Snapshot(
            jobs=(waiting, other),
            attempts=(ATTEMPT,),
            tasks={"1": JulesTask(id="1", status=status)},
        )
        one = o.Policy(concurrency=1)
        started = [a for a in o.decide(snapshot, NOW, one) if isinstance(a, o.Dispatch)]
        assert starts == bool(started) == o.may_still_move(snapshot, one, NOW)
        assert int(not starts) == o.slots_used(snapshot)


def test_a_job_the_document_calls_begun_is_left_alone():
    """Without an attempt of ours there is nothing to do, and nothing to wait for."""
    snapshot = o.Snapshot(jobs=(JOB,))
    assert [] == o.decide(snapshot, NOW, o.Policy())
    assert not o.may_still_move(snapshot, o.Policy(), NOW)


def test_what_jules_refused_is_not_tried_again_and_again():
    """Until the task changes, a person is asked instead."""
    [action] = _decide(
        TaskStatus.WAITING_APPROVAL,
        policy=o.Policy(approve="always"),
        refused={"m": "no such plan"},
    )
    assert (JobStatus.NEEDS_YOU, "no such plan") == (action.status, action.reason)


def test_questions():
    """A question is answered from the configuration, a bounded number of times, else a person is asked."""
    asked = (ChatMessage(content="Which?", type="jules"),)
    [action] = _decide(TaskStatus.WAITING_FEEDBACK, policy=o.Policy(answer="yes"), chat=asked)
    assert isinstance(action, o.Answer)
    often = replace(ATTEMPT, answers=5)
    [action] = _decide(
        TaskStatus.WAITING_FEEDBACK, policy=o.Policy(answer="yes"), chat=asked, attempt=often
    )
    assert JobStatus.NEEDS_YOU is action.status
    [action] = _decide(TaskStatus.WAITING_FEEDBACK, chat=asked)
    assert JobStatus.NEEDS_YOU is action.status


def test_a_delivery_is_reviewed_merged_or_sent_back():
    """What follows a delivery depends on its review of this very commit on this very base."""
    known = {"deliveries": {"m": "d"}, "bases": {"m": "b"}}
    assert isinstance(_decide(TaskStatus.COMPLETED, **known)[-1], o.RunReview)
    accepted = {"reviews": {"m": _review(Verdict.ACCEPT)}}
    assert isinstance(_decide(TaskStatus.COMPLETED, **known, **accepted)[-1], o.Merge)
    moved = {**known, "bases": {"m": "b2"}}
    assert isinstance(_decide(TaskStatus.COMPLETED, **moved, **accepted)[-1], o.RunReview)
    rejected = {"reviews": {"m": _review(Verdict.REJECT)}}
    assert isinstance(_decide(TaskStatus.COMPLETED, **known, **rejected)[-1], o.SendFeedback)


def test_what_nothing_proves_may_wait_for_a_person():
    """Only where that is asked for; once every line is proven or signed it is merged."""
    known = {
        "deliveries": {"m": "d"},
        "bases": {"m": "b"},
        "reviews": {"m": _review(Verdict.ACCEPT)},
    }
    lines = (ChecklistItem(text="Looks good"), ChecklistItem(text="Is fast", checked=True))
    task = {"1": JulesTask(id="1", status=TaskStatus.COMPLETED)}

    def last(policy, checklist):
        job = replace(JOB, checklist=checklist)
        snapshot = o.Snapshot(jobs=(job,), attempts=(ATTEMPT,), tasks=task, **known)
        return o.decide(snapshot, NOW, policy)[-1]

    asking = o.Policy(unproven="ask")
    asked = last(asking, lines)
    assert JobStatus.NEEDS_YOU is asked.status
    assert "nothing proves 'Looks good': jjm review 'a'" in asked.reason
    assert isinstance(last(asking, lines[1:]), o.Merge)
    assert isinstance(last(o.Policy(), lines), o.Merge)


def test_repair_is_bounded():
    """After the last round comes another attempt, and after the last attempt the end."""
    known = {
        "deliveries": {"m": "d"},
        "bases": {"m": "b"},
        "reviews": {"m": _review(Verdict.REJECT)},
    }
    tired = replace(ATTEMPT, feedback_rounds=3)
    assert isinstance(_decide(TaskStatus.COMPLETED, attempt=tired, **known)[-1], o.Retry)
    last = replace(tired, tries=2)
    assert isinstance(_decide(TaskStatus.COMPLETED, attempt=last, **known)[-1], o.Fail)


def test_feedback_is_not_repeated_while_jules_repairs():
    """A delivery that was sent back is left alone until something changes."""
    sent = replace(ATTEMPT, delivered_commit="d", feedback_rounds=1)
    [action] = _decide(TaskStatus.COMPLETED, attempt=sent, deliveries={"m": "d"})
    assert JobStatus.RUNNING is action.status
    [action] = _decide(
        TaskStatus.COMPLETED, attempt=sent, deliveries={"m": "d"}, answered=frozenset("m")
    )
    assert isinstance(action, o.SendFeedback)
    late = replace(sent, updated_at=NOW - timedelta(hours=1))
    [action] = _decide(TaskStatus.COMPLETED, attempt=late, deliveries={"m": "d"})
    assert JobStatus.NEEDS_YOU is action.status


def test_feedback_that_did_not_arrive_is_sent_again():
    """After a kill between writing and sending: the same round, once it surely was lost."""
    sent = replace(ATTEMPT, delivered_commit="d", feedback_rounds=1)
    known = {"deliveries": {"m": "d"}, "unheard": frozenset("m")}
    [action] = _decide(TaskStatus.COMPLETED, attempt=sent, **known)
    assert JobStatus.RUNNING is action.status
    old = replace(sent, updated_at=NOW - timedelta(minutes=1))
    [action] = _decide(TaskStatus.COMPLETED, attempt=old, since=NOW, **known)
    assert JobStatus.RUNNING is action.status
    [action] = _decide(TaskStatus.COMPLETED, attempt=old, **known)
    assert isinstance(action, o.SendFeedback)
    assert action.again


def test_a_program_just_started_waits_before_it_creates_again():
    """What the killed one sent may only now take effect."""
    old = replace(ATTEMPT, task_id="", state=AttemptState.INTENDED, updated_at=NOW - timedelta(1))
    [action] = _decide(TaskStatus.PENDING, attempt=old, since=NOW)
    assert not action.may_create


def test_an_intended_attempt_is_settled_first():
    """A task whose creation was not answered is looked for, and made only after a while."""
    fresh = replace(ATTEMPT, task_id="", state=AttemptState.INTENDED)
    [action] = _decide(TaskStatus.PENDING, attempt=fresh)
    assert isinstance(action, o.Settle)
    assert not action.may_create
    [action] = _decide(
        TaskStatus.PENDING, attempt=replace(fresh, updated_at=NOW - timedelta(minutes=1))
    )
    assert action.may_create


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (TaskStatus.FAILED, o.Retry),
        (TaskStatus.CANCELLED, o.Retry),
        (TaskStatus.PAUSED, o.SetStatus),
        (TaskStatus.UNKNOWN, o.SetStatus),
    ],
)
def test_other_states(status, expected):
    """Every state of a task leads to an action."""
    assert isinstance(_decide(status)[0], expected)


KEYS = "abcdef"
GRAPHS = st.lists(
    st.tuples(st.sampled_from(list(Priority)), st.sampled_from(list(JobStatus)), st.sets(st.sampled_from(KEYS)), st.booleans()),
    min_size=1, max_size=6,
)  # fmt: skip


@given(GRAPHS, st.integers(1, 4), st.integers(0, 3))
def test_dispatch_keeps_every_promise(graph, concurrency, at_work):
    """No job starts before what it needs is done, without a prompt, twice, or above the limit."""
    jobs = tuple(
        Job(key=key, priority=priority, status=status, depends_on=tuple(sorted(needs - {key})), prompt="p" if prompt else "")
        for key, (priority, status, needs, prompt) in zip(KEYS, graph, strict=False)
    )  # fmt: skip
    live = tuple(
        Attempt(mark=j.key, job_key=j.key, number=1, state=AttemptState.LIVE, task_id=j.key)
        for j in jobs[:at_work]
    )
    actions = o.decide(o.Snapshot(jobs=jobs, attempts=live), NOW, o.Policy(concurrency=concurrency))
    started = [action.job_key for action in actions if isinstance(action, o.Dispatch)]
    by_key = {job.key: job for job in jobs}
    assert len(started) == len(set(started)) <= max(0, concurrency - len(live))
    for key in started:
        job = by_key[key]
        assert job.prompt
        assert job.status in {JobStatus.READY, JobStatus.BLOCKED}
        assert key not in {attempt.job_key for attempt in live}
        assert all(
            by_key.get(n) is not None and by_key[n].status is JobStatus.DONE for n in job.depends_on
        )
    ranks = [by_key[key].priority.rank for key in started]
    assert sorted(ranks) == ranks
