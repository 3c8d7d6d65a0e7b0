"""Taking back what was merged for a job."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

from jules_job_manager.domain.event import EventType, NewEvent
from jules_job_manager.domain.job import Job, JobStatus
from jules_job_manager.domain.review import CheckResult, Delivery
from jules_job_manager.errors import InvalidInputError, OperationFailedError
from jules_job_manager.ports.clock import Clock
from jules_job_manager.ports.forge import Forge, Merged, MergeOutcome, NotYet, Refused
from jules_job_manager.ports.store import Store
from jules_job_manager.services.check_suite import Tell, tell_nobody
from jules_job_manager.services.review import Reviewer


@dataclass(frozen=True, kw_only=True, slots=True)
class Reverted:
    """What came of it."""

    job: Job
    """As it stands now."""
    commit: str = ""
    """The commit that takes the work back; empty when it conflicts."""
    conflicts: tuple[str, ...] = ()
    """Files that later work changed too."""
    checks: tuple[CheckResult, ...] = ()
    """The commands, run on what it makes of the base."""
    outcome: MergeOutcome | None = None
    """What the forge says of it; None: nothing was pushed."""
    built_on: tuple[str, ...] = ()
    """Jobs that are done and depend on it: they stay."""

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON values."""
        outcome = self.outcome
        return {
            "job": self.job.to_dict(),
            "commit": self.commit,
            "conflicts": list(self.conflicts),
            "checks": [check.to_dict() for check in self.checks],
            "built_on": list(self.built_on),
            "outcome": {None: "none", Merged: "merged", NotYet: "not_yet", Refused: "refused"}[
                None if outcome is None else type(outcome)
            ],
            "merged_as": outcome.commit if isinstance(outcome, Merged) else "",
            "note": outcome.note if isinstance(outcome, Merged) else "",
            "waits_for": outcome.reason if isinstance(outcome, NotYet) else "",
            "refused_by": [check.to_dict() for check in outcome.checks]
            if isinstance(outcome, Refused)
            else [],
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Read what `to_dict` wrote."""
        return cls(
            job=Job.from_dict(data["job"]), commit=data["commit"],
            conflicts=tuple(data["conflicts"]), built_on=tuple(data["built_on"]),
            checks=tuple(CheckResult.from_dict(check) for check in data["checks"]),
            outcome=_outcome(data),
        )  # fmt: skip


def _outcome(data: Mapping[str, Any]) -> MergeOutcome | None:
    if data["outcome"] == "merged":
        return Merged(commit=data["merged_as"], note=data["note"])
    if data["outcome"] == "not_yet":
        return NotYet(reason=data["waits_for"])
    if data["outcome"] == "refused":
        return Refused(checks=tuple(CheckResult.from_dict(check) for check in data["refused_by"]))
    return None


class Reverting:
    """Takes merges back."""

    def __init__(
        self, *, store: Store, forge: Forge, reviewer: Reviewer, clock: Clock, actor: str = "person"
    ) -> None:
        """Bind the parts; `reviewer` runs the checks, and events name `actor`."""
        self._actor = actor
        self._store = store
        self._forge = forge
        self._reviewer = reviewer
        self._clock = clock

    async def revert(
        self, job: Job, *, dry_run: bool = False, checks: bool = True, tell: Tell = tell_nobody
    ) -> Reverted:
        """Make a commit that takes the job's merge back, check it, and bring it into the base branch.

        The history stays; nothing is forced. Nothing is pushed in a dry run, when it conflicts with
        later work, or when a required command fails on it.

        Args:
            job: As stored.
            dry_run: Only find out whether it would work.
            checks: Whether the commands are run on the result.
            tell: Hears of each result.

        Raises:
            InvalidInputError: nothing of it was merged, or the base does not hold it (any more).
            ForgeError: git or the code host failed.
            OperationFailedError: the work was taken back, and the job changed meanwhile.
        """
        if job.status is not JobStatus.DONE or not job.merge_commit:
            raise InvalidInputError(f"Nothing was merged for {job.key} that could be taken back.")
        if not await self._reviewer.base_holds(job, job.merge_commit):
            raise InvalidInputError(
                f"{job.base_branch} of {job.repository} does not hold {job.merge_commit[:12]}."
            )
        built_on = tuple(
            other.key for other in await self._store.jobs.list_jobs()
            if job.key in other.depends_on and other.status is JobStatus.DONE
        )  # fmt: skip
        message = f"Revert {job.key}: {job.title}\n\nThis takes back {job.merge_commit}.\n"
        async with self._forge.reverted(
            job.repository, base_branch=job.base_branch, commit=job.merge_commit, message=message
        ) as candidate:
            if candidate.conflicts:
                return Reverted(job=job, conflicts=candidate.conflicts, built_on=built_on)
            if candidate.commit == candidate.base_commit:
                raise InvalidInputError(f"The work of {job.key} was taken back already.")
            ran = await self._reviewer.commands(job, candidate, tell) if checks else []
        found = Reverted(job=job, commit=candidate.commit, checks=tuple(ran), built_on=built_on)
        if dry_run or any(check.is_failed for check in ran):
            return found
        outcome = await self._forge.push_merge(
            job.repository, job=replace(job, title=f"Revert: {job.title}"),
            base_branch=job.base_branch, delivery=Delivery(commit=candidate.commit),
            candidate=candidate,
        )  # fmt: skip
        if isinstance(outcome, Merged):
            job = await self._taken_back(job, outcome.commit)
        return replace(found, job=job, outcome=outcome)

    async def _taken_back(self, job: Job, commit: str) -> Job:
        now = self._clock.now()
        lines = tuple(
            replace(item, checked=False, evidence="") if item.evidence else item
            for item in job.checklist
        )
        after = replace(
            job, status=JobStatus.CANCELLED, reason=f"taken back by {commit[:10]}",
            merge_commit="", checklist=lines, finished_at=now,
        )  # fmt: skip
        told = NewEvent(
            type=EventType.REVERTED, subject=f"job:{job.key}", at=now, actor=self._actor,
            data={"commit": commit, "merge": job.merge_commit},
        )  # fmt: skip
        changed = NewEvent(
            type=EventType.JOB_STATE_CHANGED, subject=f"job:{job.key}", at=now, actor=self._actor,
            data={"before": job.status.value, "after": after.status.value, "reason": after.reason,
                  "rule": "a person took it back"},
        )  # fmt: skip
        if not await self._store.jobs.swap_jobs({job.key: job}, [after], events=[told, changed]):
            raise OperationFailedError(
                f"The work of {job.key} was taken back as {commit[:12]}, but the job changed meanwhile.",
                hint=f"Look with: jjm queue show '{job.key}'",
            )
        return after
