"""Plans and questions: what the policy says, and by which rule."""

from __future__ import annotations

from dataclasses import dataclass

from jules_job_manager.domain.decision_rules import AnswerRule, plan_text
from jules_job_manager.domain.job import Attempt, Job, JobStatus
from jules_job_manager.domain.orchestration.actions import (
    Action,
    Answer,
    Approve,
    AskPlan,
    SetStatus,
)
from jules_job_manager.domain.orchestration.policy import Policy
from jules_job_manager.domain.orchestration.snapshot import Snapshot
from jules_job_manager.domain.orchestration.statuses import ask, running, status
from jules_job_manager.domain.plan import Plan
from jules_job_manager.domain.task import JulesTask


@dataclass(frozen=True, kw_only=True, slots=True)
class PlanRuling:
    """What the policy says of a plan, and the rule that says so."""

    rule: str
    reason: str = ""
    """Why a person must see it; empty when it is approved."""
    at_desk: bool = False
    """It may be put to the person who watches, not only left to other commands."""


def rule_on_plan(plan: Plan | None, policy: Policy, job: Job) -> PlanRuling:
    """Return whether the policy approves the plan of `job`, and by which rule."""
    if plan is not None and plan.steps:
        for rule in policy.plan_rules:
            if rule.fits(plan, job):
                named = f"plan rule {rule.name}"
                asks = rule.decision == "ask"
                reason = f"its plan is one that you want to see ({named})" if asks else ""
                return PlanRuling(rule=named, reason=reason, at_desk=asks)
    if policy.approve == "always":
        return PlanRuling(rule="queue.approve = always")
    if policy.approve == "ask":
        reason = "its plan waits for your approval"
        return PlanRuling(rule="queue.approve = ask", reason=reason, at_desk=True)
    return _by_limits(plan, policy)


def _by_limits(plan: Plan | None, policy: Policy) -> PlanRuling:
    if plan is None or not plan.steps:
        return PlanRuling(
            rule="queue.approve = policy", reason="its plan could not be read, so it is up to you"
        )
    most = f"queue.approve_max_steps = {policy.approve_max_steps}"
    if len(plan.steps) > policy.approve_max_steps:
        return PlanRuling(rule=most, reason=f"its plan has {len(plan.steps)} steps ({most})")
    text = plan_text(plan)
    word = next((w for w in policy.approve_refuse_words if w.casefold() in text), None)
    if word is not None:
        rule = "queue.approve_refuse_words"
        return PlanRuling(rule=rule, reason=f"its plan says {word!r} ({rule})")
    return PlanRuling(rule=f"queue.approve = policy: {len(plan.steps)} steps, no refused word")


def plan_action(
    snapshot: Snapshot, job: Job, attempt: Attempt, task: JulesTask, policy: Policy
) -> Action:
    """Return what to do about a plan that waits."""
    fingerprint = None if task.plan is None else task.plan.fingerprint
    ruling = rule_on_plan(task.plan, policy, job)
    if fingerprint in snapshot.declined:
        reason = f"you declined its plan; say what to change: jjm message {task.id} TEXT"
        return status(job, JobStatus.NEEDS_YOU, reason, "a person declined the plan")
    if not ruling.reason:
        return Approve(
            job_key=job.key, mark=attempt.mark, rule=ruling.rule, fingerprint=fingerprint
        )
    reason = f"{ruling.reason}: jjm plan {task.id}, then jjm approve {task.id}"
    if ruling.at_desk:
        return AskPlan(
            job_key=job.key, mark=attempt.mark, rule=ruling.rule, reason=reason,
            fingerprint=fingerprint,
        )  # fmt: skip
    return status(job, JobStatus.NEEDS_YOU, reason, ruling.rule)


def question_action(job: Job, attempt: Attempt, task: JulesTask, policy: Policy) -> Action:
    """Return what to do about a question of Jules."""
    chat = task.chat_history
    if chat and chat[-1].type == "user":
        return running(job, "answered; Jules has not gone on yet")
    asked = chat[-1].content if chat else ""
    rules = policy.answer_rules
    if policy.answer:
        rules = (*rules, AnswerRule(name="queue.answer", text=policy.answer))
    rule = next((r for r in rules if r.fits(asked)), None)
    if rule is None or attempt.answers >= policy.max_answers:
        return _ask_person(job, task)
    named = rule.name if rule.name == "queue.answer" else f"answer rule {rule.name}"
    return Answer(
        job_key=job.key, mark=attempt.mark, rule=named, text=rule.text,
        command="" if rule.text else rule.command, question=asked,
    )  # fmt: skip


def _ask_person(job: Job, task: JulesTask) -> SetStatus:
    return ask(job, f"Jules asks something: jjm get {task.id}, then jjm message {task.id} TEXT")
