"""What a person does to the queue, done by the service."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import cast

from jules_job_manager.client import models as m
from jules_job_manager.client.operations import Operations
from jules_job_manager.domain.clockwork import to_rfc3339
from jules_job_manager.domain.entity_tag import entity_tag
from jules_job_manager.domain.job import Attempt, Job
from jules_job_manager.domain.review import Review
from jules_job_manager.services.interventions import Interventions, checked_evidence
from jules_job_manager.services.queue_admin import Moved, QueueAdmin


def _tag(job: Job) -> str:
    return entity_tag(job.to_dict())


class RemoteQueueAdmin(QueueAdmin):
    """`QueueAdmin` by a service: what it says of each method holds here too."""

    def __init__(self, operations: Operations) -> None:
        """Ask by `operations`."""
        self._operations = operations

    async def hold(self, job: Job, reason: str | None = None) -> Job:
        """See `QueueAdmin.hold`."""
        body: m.ReasonIn = {} if reason is None else {"reason": reason}
        return Job.from_dict(
            await self._operations.hold_job(job.key, body=body, if_match=_tag(job))
        )

    async def release(self, job: Job) -> Job:
        """See `QueueAdmin.release`."""
        return Job.from_dict(await self._operations.release_job(job.key, if_match=_tag(job)))

    async def pin(self, job: Job, *, pinned: bool) -> Job:
        """See `QueueAdmin.pin`."""
        return await self._changed(job, {"pinned": pinned})

    async def move(self, job: Job, *, to: str, other: Job | None = None) -> Moved:
        """See `QueueAdmin.move`."""
        body = cast("m.MoveIn", {"to": to, "other": None if other is None else other.key})
        found = await self._operations.move_job(job.key, body=body, if_match=_tag(job))
        return Moved(keys=found["keys"])

    async def skip(self, job: Job) -> Job:
        """See `QueueAdmin.skip`."""
        return Job.from_dict(await self._operations.skip_job(job.key, if_match=_tag(job)))

    async def cancel(self, job: Job) -> tuple[Job, Sequence[Attempt]]:
        """See `QueueAdmin.cancel`; the tasks are left to the caller, as there."""
        body: m.CancelIn = {"task": "keep"}
        found = await self._operations.cancel_job(job.key, body=body, if_match=_tag(job))
        attempts = [Attempt.from_dict(attempt) for attempt in found["attempts"]]
        return Job.from_dict(found["job"]), attempts

    async def plan(
        self,
        job: Job,
        *,
        not_before: datetime | None = None,
        schedule: str | None = None,
        best_of: int | None = None,
        shares_files: bool | None = None,
    ) -> Job:
        """See `QueueAdmin.plan`."""
        wanted = {
            "not_before": None if not_before is None else to_rfc3339(not_before),
            "schedule": schedule,
            "best_of": best_of,
            "shares_files": shares_files,
        }
        given = {name: value for name, value in wanted.items() if value is not None}
        return await self._changed(job, cast("m.JobChangeIn", given))

    async def pause(self, reason: str | None = None) -> str:
        """See `QueueAdmin.pause`; the service does not say whom it names."""
        body: m.PauseIn = {} if reason is None else {"reason": reason}
        await self._operations.pause_queue(body=body)
        return reason or ""

    async def resume(self) -> bool:
        """See `QueueAdmin.resume`."""
        return (await self._operations.resume_queue())["was_paused"]

    async def _changed(self, job: Job, body: m.JobChangeIn) -> Job:
        return Job.from_dict(
            await self._operations.update_job(job.key, body=body, if_match=_tag(job))
        )


class RemoteInterventions(Interventions):
    """`Interventions` by a service: what it says of each method holds here too."""

    def __init__(self, operations: Operations) -> None:
        """Ask by `operations`."""
        self._operations = operations

    async def adopt(self, job: Job, task_id: str, *, account: str = "default") -> Job:
        """See `Interventions.adopt`; the service finds the account itself."""
        del account
        body: m.AdoptIn = {"task": task_id}
        return Job.from_dict(
            await self._operations.adopt_task(job.key, body=body, if_match=_tag(job))
        )

    async def retry(self, job: Job) -> Job:
        """See `Interventions.retry`."""
        return Job.from_dict(await self._operations.retry_job(job.key, if_match=_tag(job)))

    async def approve_merge(self, job: Job) -> Review:
        """See `Interventions.approve_merge`."""
        return Review.from_dict(await self._operations.approve_merge(job.key, if_match=_tag(job)))

    async def sign(self, job: Job, line: int, evidence: str) -> Job:
        """See `Interventions.sign`."""
        body: m.SignIn = {"line": line, "evidence": checked_evidence(job, line, evidence)}
        return Job.from_dict(
            await self._operations.sign_job(job.key, body=body, if_match=_tag(job))
        )
