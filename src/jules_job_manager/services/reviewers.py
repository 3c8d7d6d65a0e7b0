"""Asks the configured reviewers about a merge, and says what their answers are worth.

A reviewer can reject, or leave the delivery to a person. It cannot undo the failure of a check, and
its word for a line of the checklist is an opinion, unless `may_prove` names the line and no check
could have proved it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace

from jules_job_manager.domain.change import Change, FileStatus
from jules_job_manager.domain.evidence import PROMISED_FILES, fits, provable
from jules_job_manager.domain.opinion import Opinion, Word
from jules_job_manager.domain.review import CheckResult, Conclusion
from jules_job_manager.domain.reviewer import ReviewerSpec
from jules_job_manager.domain.reviewers import (
    Answer,
    Decision,
    UnusableAnswerError,
    parse_answer,
    request_document,
    request_text,
)
from jules_job_manager.domain.text import safe_text
from jules_job_manager.ports.forge import Forge
from jules_job_manager.ports.reviewer import Reply, ReviewerAccess
from jules_job_manager.services.judging import Case
from jules_job_manager.services.rule_checks import finding_line

_LOG_CHARACTERS = 2_000
_UNCOUNTED = 10**9
"""Lines of a file that is too long to be counted: any line may be named."""


class ReviewerPanel:
    """All reviewers of a plan, asked side by side."""

    def __init__(self, *, forge: Forge, access: ReviewerAccess) -> None:
        """Read the delivery from `forge`, and reach reviewers through `access`."""
        self._forge = forge
        self._access = access

    async def judge(self, case: Case) -> list[CheckResult]:
        """Return one result for each reviewer of the plan.

        Raises:
            ForgeError: git failed.
        """
        has_failed = any(check.is_failed for check in case.checks)
        asked = [s for s in case.plan.reviewers if s.after_failure or not has_failed]
        if not asked:
            return [_not_asked(spec) for spec in case.plan.reviewers]
        repository, base, head = case.job.repository, case.base_commit, case.merge_commit
        change = await self._forge.change(repository, job=case.job, base=base, head=head)
        diffs = await self._forge.diffs(repository, base, head)
        places = _places(change)
        bound = _bound(case)

        async def one(spec: ReviewerSpec) -> CheckResult:
            if spec not in asked:
                return _not_asked(spec)
            document = request_document(
                spec, job=case.job, base_commit=base, merge_commit=head, checks=case.checks,
                diffs=diffs,
            )  # fmt: skip
            lines = [item.text for item in case.job.checklist[: len(document["job"]["checklist"])]]
            for left in range(spec.retries, -1, -1):
                reply = await self._asked(spec, request_text(document), change)
                found = await asyncio.to_thread(_read, spec, reply, lines, places)
                if isinstance(found, Answer):
                    return _result(spec, reply, found, bound)
                if not left:
                    break
            return _open(spec, reply, f"No answer of {spec.name} counts: {found}.")

        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one(spec)) for spec in case.plan.reviewers]
        return [task.result() for task in tasks]

    async def _asked(self, spec: ReviewerSpec, request: str, change: Change) -> Reply:
        try:
            return await self._access.ask(spec, request=request, change=change)
        except Exception as exc:  # noqa: BLE001 - one reviewer must not end the others' work
            return Reply(problem=f"it could not be asked ({type(exc).__name__}: {exc})")


def _bound(case: Case) -> frozenset[str]:
    """Return the lines that a check can prove, be it one that was not run this time."""
    planned = [
        CheckResult(
            name=check.title, conclusion=Conclusion.SUCCESS, command=check.command,
            proves=check.proves,
        )
        for check in case.plan.checks
    ]  # fmt: skip
    return provable(case.job, [*case.checks, *planned], promised=PROMISED_FILES)


def _places(change: Change) -> Callable[[str], int | None]:
    """Return a function that counts the lines of a file: of the merge, or deleted by it."""
    deleted = {file.path for file in change.files if file.status is FileStatus.DELETED}

    def lines_of(path: str) -> int | None:
        tree = change.base if path in deleted else change.head
        if tree.kind(path) is None:
            return None
        content = tree.read(path)
        if content is None:
            return _UNCOUNTED if tree.size(path) else 1
        return max(1, content.count(b"\n") + (not content.endswith(b"\n")))

    return lines_of


def _not_asked(spec: ReviewerSpec) -> CheckResult:
    return CheckResult(
        name=spec.title, conclusion=Conclusion.SKIPPED, is_required=spec.required,
        output="Not asked: a required check failed.",
    )  # fmt: skip


def _read(
    spec: ReviewerSpec,
    reply: Reply,
    lines: Sequence[str],
    places: Callable[[str], int | None],
) -> Answer | str:
    """Return the answer, or why there is none that can be used."""
    if reply.problem:
        return reply.problem
    try:
        return parse_answer(reply.answer, rule=spec.title, checklist=lines, lines_of=places)
    except UnusableAnswerError as exc:
        return f"its answer {exc}"
    except Exception as exc:  # noqa: BLE001 - whatever an answer is, it must not end the review
        return f"it cannot be read ({type(exc).__name__})"


def _result(spec: ReviewerSpec, reply: Reply, answer: Answer, bound: frozenset[str]) -> CheckResult:
    opinions = tuple(_weighed(spec, opinion, bound) for opinion in answer.opinions)
    return CheckResult(
        name=spec.title,
        conclusion=_conclusion(spec, answer),
        output=_text(spec, replace(answer, opinions=opinions)),
        duration_seconds=reply.duration_seconds,
        is_required=spec.required,
        findings=answer.findings,
        opinions=opinions,
    )


def _open(spec: ReviewerSpec, reply: Reply, sentence: str) -> CheckResult:
    """Return the result of a reviewer that said nothing that can be used."""
    log = safe_text(reply.log[-_LOG_CHARACTERS:], multiline=True).strip()
    return CheckResult(
        name=spec.title,
        conclusion=Conclusion.ACTION_REQUIRED if spec.required else Conclusion.NEUTRAL,
        output=f"{safe_text(sentence)}\n{log}".strip(),
        duration_seconds=reply.duration_seconds,
        is_required=spec.required,
    )


def _conclusion(spec: ReviewerSpec, answer: Answer) -> Conclusion:
    if answer.decision is Decision.REJECT:
        return Conclusion.FAILURE
    if answer.decision is Decision.ACCEPT and not answer.contradiction:
        return Conclusion.SUCCESS
    return Conclusion.ACTION_REQUIRED if spec.required else Conclusion.NEUTRAL


def _weighed(spec: ReviewerSpec, opinion: Opinion, bound: frozenset[str]) -> Opinion:
    """Return the opinion with whether it ticks its line."""
    counts = (
        opinion.word is Word.MET
        and bool(opinion.evidence)
        and opinion.line not in bound
        and any(fits(opinion.line, pattern) for pattern in spec.may_prove)
    )
    return replace(opinion, counts=counts)


def _text(spec: ReviewerSpec, answer: Answer) -> str:
    """Return the answer as text: what is wrong comes last, where feedback takes it from."""
    head = {
        Decision.ACCEPT: "accepts", Decision.REJECT: "rejects", Decision.UNSURE: "is unsure",
    }[answer.decision]  # fmt: skip
    parts = [f"{spec.name} {answer.contradiction or head}."]
    if answer.summary:
        parts.append(answer.summary)
    for opinion in answer.opinions:
        word = opinion.word.value.replace("_", " ")
        line = f'- {word}: "{safe_text(opinion.line)}"'
        parts.append(f"{line} ({opinion.evidence})" if opinion.evidence else line)
    if answer.findings_left_out:
        parts.append(f"({answer.findings_left_out} more findings are left out)")
    parts += [finding_line(finding) for finding in reversed(answer.findings)]
    return "\n".join(parts)
