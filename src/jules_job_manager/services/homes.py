"""Where jobs that do not say it are worked on: the configured repository and base branch."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from jules_job_manager.domain.job import Job, JobStatus
from jules_job_manager.services.queue_state import QueueState

NO_HOME = "no repository is known for it: set queue.repository, or run with --repo"


async def give_homes(
    state: QueueState, jobs: Iterable[Job], *, repository: str, base_branch: str
) -> bool:
    """Fill in the repository and base of jobs that name none; return whether any job was changed.

    A job may be imported at any time, also by somebody else. One for which no repository is known
    is left to a person.

    Args:
        state: Writes them.
        jobs: As they are stored.
        repository: `owner/name`; empty: none is known.
        base_branch: A branch.
    """
    changed = False
    for job in jobs:
        if job.status.is_final or (job.repository and job.base_branch):
            continue
        home = replace(
            job, repository=job.repository or repository, base_branch=job.base_branch or base_branch
        )
        if not home.repository and job.status in {JobStatus.READY, JobStatus.BLOCKED}:
            home = replace(home, status=JobStatus.NEEDS_YOU, reason=NO_HOME)
        elif home.repository and job.reason == NO_HOME:
            home = replace(home, status=JobStatus.READY, reason="")
        if home != job:
            changed = await state.swap(job, home, "where it is worked on") or changed
    return changed
