"""The whole story of a job on one page of Markdown, for the person it was handed to.

What others wrote stands in code spans and fences, as in `markdown`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from jules_job_manager.domain.event import Event, EventType
from jules_job_manager.domain.job import Attempt, Job, JobStatus
from jules_job_manager.domain.plan import Plan
from jules_job_manager.domain.report.markdown import code
from jules_job_manager.domain.report.words import VERDICTS, duration
from jules_job_manager.domain.review import Review
from jules_job_manager.domain.task import JulesTask
from jules_job_manager.domain.text import fenced, shorten

PROMPT_CHARACTERS = 4000
OUTPUT_CHARACTERS = 1500
MOST_REVIEWS = 10
"""Of one attempt, the newest."""
MOST_EVENTS = 60
"""Of the job, the newest."""


@dataclass(frozen=True, kw_only=True)
class AttemptStory:
    """One attempt with what became of it."""

    attempt: Attempt
    task: JulesTask | None = None
    plans: Sequence[Plan] = ()
    reviews: Sequence[Review] = ()


@dataclass(frozen=True, kw_only=True)
class Story:
    """All that is known of a job."""

    job: Job
    attempts: Sequence[AttemptStory] = ()
    events: Sequence[Event] = field(default_factory=tuple)
    """About the job, oldest first."""


def story_markdown(story: Story) -> str:
    """Return the page, with a line end."""
    job = story.job
    parts = [f"# {code(shorten(job.key, 100))}: {code(shorten(job.title, 200))}" if job.title
             else f"# {code(shorten(job.key, 100))}"]  # fmt: skip
    parts += [_standing(job), *_next_steps(job), *_checklist(job)]
    for number, attempt in enumerate(story.attempts, start=1):
        parts += _attempt(attempt, number)
    parts += [*_history(story.events), *_asked(job)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _standing(job: Job) -> str:
    said = f"**{job.status.value.replace('_', ' ')}**"
    return f"{said}: {code(shorten(job.reason, 500))}" if job.reason else said


def _next_steps(job: Job) -> Iterator[str]:
    name = f"'{job.key}'"
    steps = {
        JobStatus.NEEDS_YOU: [("look at its task", f"jjm get {job.task_id}"),
                              ("judge its delivery", f"jjm review {name} --full"),
                              ("bring its work home", f"jjm recover {name}"),
                              ("take it out", f"jjm queue cancel {name}")],
        JobStatus.FAILED: [("bring its work home", f"jjm recover {name}"),
                           ("let Jules begin again", f"jjm queue retry {name}"),
                           ("let what depends on it go on", f"jjm queue skip {name}")],
        JobStatus.DONE: [("take it back", f"jjm merge revert {name}")],
    }.get(job.status, [])  # fmt: skip
    if steps:
        yield "## What you can do"
        yield "\n".join(f"- {what}: {code(shorten(command, 300))}" for what, command in steps)


def _checklist(job: Job) -> Iterator[str]:
    if not job.checklist:
        return
    yield "## Checklist"
    lines = []
    for item in job.checklist:
        proof = f" ({code(shorten(item.evidence, 200))})" if item.evidence else ""
        lines.append(f"- {'✓' if item.checked else '–'} {code(shorten(item.text, 300))}{proof}")
    yield "\n".join(lines)


def _attempt(story: AttemptStory, number: int) -> Iterator[str]:
    attempt, task = story.attempt, story.task
    yield f"## Attempt {number}: {attempt.state.value}"
    facts = [f"task {code(attempt.task_id)}" if attempt.task_id else "no task",
             f"account {code(attempt.account)}"]  # fmt: skip
    if task is not None:
        facts.append(f"Jules says {task.status.value}")
        facts += [code(shorten(task.url, 300))] if task.url else []
    facts += [f"sent back {_times(attempt.feedback_rounds)}"] if attempt.feedback_rounds else []
    facts += [f"asked to go on {_times(attempt.nudges)}"] if attempt.nudges else []
    facts += [f"begun {_moment(attempt.created_at)}"] if attempt.created_at else []
    yield " · ".join(facts)
    if story.plans:
        steps = story.plans[-1].steps
        many = f" (the last of {len(story.plans)})" if len(story.plans) > 1 else ""
        yield f"Its plan{many}:"
        yield "\n".join(f"{n}. {code(shorten(s.title, 200))}" for n, s in enumerate(steps, 1))
    left = len(story.reviews) - MOST_REVIEWS
    if left > 0:
        yield f"*{left} earlier reviews left out.*"
    for review in story.reviews[-MOST_REVIEWS:]:
        yield from _review(review)


def _review(review: Review) -> Iterator[str]:
    at = f", {_moment(review.at)}" if review.at else ""
    yield f"### {VERDICTS[review.verdict]}: {code(review.delivered_commit[:12])}{at}"
    for check in review.checks:
        if not check.is_failed and not (
            check.is_required and check.conclusion.value == "action_required"
        ):
            continue  # fmt: skip
        seconds = duration(check.duration_seconds)
        exit_code = f", exit code {check.exit_code}" if check.exit_code else ""
        took = f", {seconds}" if seconds else ""
        yield f"{code(shorten(check.name, 200))}: {check.conclusion.value}{exit_code}{took}"
        output = check.output.strip()[-OUTPUT_CHARACTERS:]
        if output:
            yield fenced(output, "text")


def _history(events: Sequence[Event]) -> Iterator[str]:
    lines = [line for event in events if (line := _line(event))]
    if not lines:
        return
    yield "## What happened"
    if len(lines) > MOST_EVENTS:
        yield f"*{len(lines) - MOST_EVENTS} earlier entries left out.*"
    yield "\n".join(lines[-MOST_EVENTS:])


def _line(event: Event) -> str:
    words = _WORDS.get(event.type)
    return "" if words is None else f"- {_moment(event.at)} {words(event.data)}"


def _changed(data: Mapping[str, Any]) -> str:
    rule, reason = _text(data, "rule"), _text(data, "reason")
    parts = [f"{_text(data, 'before')} → {_text(data, 'after')}"]
    parts += [code(shorten(reason, 200))] if reason else []
    parts += [f"rule {code(shorten(rule, 200))}"] if rule else []
    return " · ".join(parts)


def _found(data: Mapping[str, Any]) -> str:
    branch = shorten(_text(data, "branch") or "a patch", 200)
    return f"delivery found: {code(branch)} at {_commit(data)}"


def _commit(data: Mapping[str, Any]) -> str:
    return code(_text(data, "commit")[:12])


_WORDS: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    EventType.JOB_STATE_CHANGED: _changed,
    EventType.FEEDBACK_SENT: lambda data: f"feedback sent, round {_text(data, 'number')}",
    EventType.TASK_NUDGED: lambda data: f"asked to go on ({_text(data, 'number')})",
    EventType.DELIVERY_FOUND: _found,
    EventType.REVIEW_FINISHED: lambda data: f"review: {_text(data, 'verdict')}",
    EventType.REVIEW_REPEATED: lambda data: (
        f"checked again: {_text(data.get('review') or {}, 'verdict') or 'it could not be'}"
    ),
    EventType.MERGED: lambda data: f"merged as {_commit(data)}",
    EventType.REVERTED: lambda data: f"taken back as {_commit(data)}",
    EventType.MERGE_APPROVED: lambda data: f"a person lets {_commit(data)} be merged",
    EventType.JOB_CHANGED: lambda data: f"a person: {code(shorten(_text(data, 'what'), 200))}",
    EventType.CHECKLIST_SIGNED: lambda data: (
        f"signed by a person: {code(shorten(_text(data, 'line'), 200))}"
    ),
}
"""How each event of interest is told."""


def _asked(job: Job) -> Iterator[str]:
    if job.prompt:
        yield "## What was asked"
        left = len(job.prompt) - PROMPT_CHARACTERS
        yield fenced(job.prompt[:PROMPT_CHARACTERS], "text")
        if left > 0:
            yield f"*{left} characters left out.*"


def _text(data: Any, name: str) -> str:
    return str(data.get(name) or "")


def _moment(at: datetime) -> str:
    return at.strftime("%Y-%m-%d %H:%M UTC")


def _times(number: int) -> str:
    return "once" if number == 1 else f"{number} times"
