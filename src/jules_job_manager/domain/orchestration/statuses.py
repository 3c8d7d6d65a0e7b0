"""Short ways to say where a job stands."""

from __future__ import annotations

from jules_job_manager.domain.job import Job, JobStatus
from jules_job_manager.domain.orchestration.actions import SetStatus


def status(job: Job, value: JobStatus, reason: str, rule: str) -> SetStatus:
    """Say that the job stands at `value`."""
    return SetStatus(job_key=job.key, status=value, reason=reason, rule=rule)


def running(job: Job, reason: str = "") -> SetStatus:
    """Say that Jules works on it."""
    return status(job, JobStatus.RUNNING, reason, "as Jules says")


def ask(job: Job, reason: str) -> SetStatus:
    """Ask a person."""
    return status(job, JobStatus.NEEDS_YOU, reason, "a person decides")
