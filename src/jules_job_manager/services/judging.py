"""Who has a say about a merge after its rules and commands: scanners and reviewers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from jules_job_manager.domain.job import Job
from jules_job_manager.domain.review import CheckResult
from jules_job_manager.domain.review_plan import ReviewPlan
from jules_job_manager.ports.forge import MergeCandidate


@dataclass(frozen=True, kw_only=True)
class Case:
    """What is judged, and what is known so far."""

    job: Job
    base_commit: str
    merge_commit: str
    plan: ReviewPlan
    checks: tuple[CheckResult, ...]


class Judge(Protocol):
    """Adds results of its own. A failed check stays failed, whatever a judge says."""

    async def judge(self, case: Case) -> list[CheckResult]:
        """Return one result for each thing that it looked at, in the order of the plan.

        Raises:
            ForgeError: git failed.
        """
        ...


async def judged_by(
    judges: Sequence[Judge],
    job: Job,
    candidate: MergeCandidate,
    plan: ReviewPlan,
    checks: Sequence[CheckResult],
) -> list[CheckResult]:
    """Return what the judges add, each of them knowing what those before it found.

    What does not merge is judged by nobody.

    Raises:
        ForgeError: git failed.
    """
    added: list[CheckResult] = []
    if candidate.conflicts or not candidate.commit:
        return added
    for judge in judges:
        case = Case(
            job=job, base_commit=candidate.base_commit, merge_commit=candidate.commit, plan=plan,
            checks=(*checks, *added),
        )  # fmt: skip
        added += await judge.judge(case)
    return added
