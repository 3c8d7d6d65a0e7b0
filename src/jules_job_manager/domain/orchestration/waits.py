"""Whether what was sent has surely arrived or surely been lost."""

from __future__ import annotations

from datetime import datetime

from jules_job_manager.domain.job import Attempt
from jules_job_manager.domain.orchestration.policy import Policy
from jules_job_manager.domain.orchestration.snapshot import Snapshot


def waited(snapshot: Snapshot, attempt: Attempt, now: datetime, policy: Policy) -> bool:
    """Whether what was last sent for the attempt has surely arrived or surely been lost."""
    moments = (attempt.updated_at or attempt.created_at, snapshot.since)
    return all(moment is None or now - moment >= policy.settle_grace for moment in moments)
