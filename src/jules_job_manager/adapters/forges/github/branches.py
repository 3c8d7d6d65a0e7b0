"""The branch that a pull request of a delivery comes from."""

from __future__ import annotations

import re

from jules_job_manager.domain.job import Job
from jules_job_manager.domain.review import Delivery


def branch_of(job: Job, delivery: Delivery) -> str:
    """Return the delivery's branch; for a bare patch the one that it is pushed to.

    The same patch of the same job gets the same branch, however often it is asked for.
    """
    if delivery.branch:
        return delivery.branch
    slug = re.sub(r"[^a-z0-9]+", "-", job.key.casefold()).strip("-")[:40].rstrip("-")
    return f"jjm/{slug or 'job'}-{delivery.commit[:12]}"
