"""Puts the report of a review where people look at the delivery."""

from __future__ import annotations

from jules_job_manager.domain.evidence import PROMISED_FILES
from jules_job_manager.domain.job import Job
from jules_job_manager.domain.report import ReportInput, to_markdown
from jules_job_manager.domain.review import Delivery, Review
from jules_job_manager.ports.pull_requests import PullRequests


async def show_report(requests: PullRequests, job: Job, delivery: Delivery, review: Review) -> None:
    """Show the review on the delivery's pull request, if there is one.

    Raises:
        ForgeError: the code host did not take it.
    """
    report = ReportInput(
        review=review, repository=job.repository, branch=delivery.branch, job=job,
        promised_check=PROMISED_FILES,
    )  # fmt: skip
    await requests.report(job, delivery, to_markdown(report))
