"""Plan rules and answer rules: the first that fits decides, and says its name."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from jules_job_manager.domain import orchestration as o
from jules_job_manager.domain.job import Attempt, AttemptState, Job, JobFile, JobStatus, Priority
from jules_job_manager.domain.plan import Plan, PlanStep
from jules_job_manager.domain.task import ChatMessage, JulesTask, TaskStatus

NOW = datetime(2026, 11, 24, tzinfo=UTC)
DOCS = Job(
    key="DOC-1", prompt="p", status=JobStatus.RUNNING, priority=Priority.LOW,
    files=(JobFile(path="docs/a.md"), JobFile(path="README.md")),
)  # fmt: skip
PLAN = Plan(id="p", steps=(PlanStep(title="Write"), PlanStep(title="x", description="DROP Table")))
ATTEMPT = Attempt(mark="m", job_key="DOC-1", number=1, state=AttemptState.LIVE, task_id="1")


def _rule(decision="approve", **conditions) -> o.PlanRule:
    return o.PlanRule(name="r", decision=decision, **conditions)


@pytest.mark.parametrize(
    ("conditions", "fits"),
    [
        ({}, True),
        ({"max_steps": 2}, True),
        ({"max_steps": 1}, False),
        ({"words": ("drop table",)}, True),
        ({"words": ("delete", "truncate")}, False),
        ({"paths": ("docs/*", "*.md")}, True),
        ({"paths": ("docs/*",)}, False),
        ({"priorities": ("medium", "low")}, True),
        ({"priorities": ("high",)}, False),
        ({"jobs": ("DOC-*",)}, True),
        ({"jobs": ("CODE-*",)}, False),
        ({"max_steps": 2, "words": ("drop table",), "jobs": ("CODE-*",)}, False),
    ],
)
def test_a_rule_fits_when_all_of_its_conditions_hold(conditions, fits):
    """Any condition that does not hold makes the rule stand aside."""
    assert fits == _rule(**conditions).fits(PLAN, DOCS)


@pytest.mark.parametrize("path", ["docs/../src/secrets.py", "../docs/a.md", "docs/../../x"])
def test_a_path_that_climbs_out_does_not_match(path):
    """`docs/*` means what lies in docs once the path is followed."""
    job = Job(key="a", files=(JobFile(path=path),))
    assert not _rule(paths=("docs/*",)).fits(PLAN, job)


def test_paths_do_not_fit_a_job_that_declares_no_files():
    """What is not known is not approved by where it would be."""
    assert not _rule(paths=("*",)).fits(PLAN, Job(key="a"))


@pytest.mark.parametrize(
    ("rules", "approve", "approved", "rule"),
    [
        ((_rule("ask"), _rule("approve")), "always", False, "plan rule r"),
        ((_rule("approve"), _rule("ask")), "ask", True, "plan rule r"),
        ((_rule("ask", max_steps=1),), "always", True, "queue.approve = always"),
        ((_rule("approve", max_steps=1),), "ask", False, "queue.approve = ask"),
    ],
)
def test_the_first_rule_that_fits_counts_and_else_queue_approve(rules, approve, approved, rule):
    """Rules stand before `queue.approve`, in the order of the file."""
    ruling = o.rule_on_plan(PLAN, o.Policy(plan_rules=rules, approve=approve), DOCS)
    assert (approved, rule) == (not ruling.reason, ruling.rule)


@pytest.mark.parametrize("plan", [None, Plan(id="empty")])
def test_no_rule_approves_a_plan_that_cannot_be_read(plan):
    """A plan without steps is left to a person, whatever the rules say."""
    policy = o.Policy(plan_rules=(_rule("approve"),), approve="policy")
    assert "could not be read" in o.rule_on_plan(plan, policy, DOCS).reason


def test_what_is_approved_is_what_was_seen():
    """The approval carries the fingerprint of the very plan the rule was asked about."""
    policy = o.Policy(plan_rules=(_rule("approve"),))
    task = JulesTask(id="1", status=TaskStatus.WAITING_APPROVAL, plan=PLAN)
    snapshot = o.Snapshot(jobs=(DOCS,), attempts=(ATTEMPT,), tasks={"1": task})
    [action] = o.decide(snapshot, NOW, policy)
    assert (PLAN.fingerprint, "plan rule r") == (action.fingerprint, action.rule)


RULES = (
    o.AnswerRule(name="python", words=("Python version", "interpreter"), text="3.11"),
    o.AnswerRule(name="program", words=("database",), command="answer.py"),
)


@pytest.mark.parametrize(
    ("question", "fallback", "expected"),
    [
        ("Which PYTHON VERSION?", "", ("3.11", "", "answer rule python")),
        ("Which database, which interpreter?", "", ("3.11", "", "answer rule python")),
        ("Which database?", "", ("", "answer.py", "answer rule program")),
        ("What colour?", "As you like.", ("As you like.", "", "queue.answer")),
        ("What colour?", "", None),
    ],
)
def test_questions_are_answered_by_the_first_rule_that_fits(question, fallback, expected):
    """Then by `queue.answer`; and a person is asked when nothing fits."""
    chat = (ChatMessage(content=question, type="jules"),)
    task = JulesTask(id="1", status=TaskStatus.WAITING_FEEDBACK, chat_history=chat)
    snapshot = o.Snapshot(jobs=(DOCS,), attempts=(ATTEMPT,), tasks={"1": task})
    [action] = o.decide(snapshot, NOW, o.Policy(answer_rules=RULES, answer=fallback))
    if expected is None:
        assert (JobStatus.NEEDS_YOU, True) == (action.status, "Jules asks" in action.reason)
    else:
        assert expected == (action.text, action.command, action.rule)
        assert question == action.question
