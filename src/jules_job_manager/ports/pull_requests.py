"""Pull requests of deliveries, where a code host has them."""

from __future__ import annotations

from typing import Protocol

from jules_job_manager.domain.job import Job
from jules_job_manager.domain.pull_request import PullRequestFeedback
from jules_job_manager.domain.review import Delivery


class PullRequests(Protocol):
    """What a code host keeps about deliveries. A repository without pull requests has nothing.

    Every method may raise ForgeError; its message never holds credentials.
    """

    def covers(self, repository: str) -> bool:
        """Return whether deliveries to the repository are merged through pull requests.

        Then the commit that is merged is another than the one that was judged.
        """
        ...

    async def merged_as(self, job: Job, delivery: Delivery) -> str | None:
        """Return the commit by which the job's base branch took this very delivery, or None.

        It may be another than the one that was reviewed: code hosts squash and rebase.
        """
        ...

    async def feedback(self, job: Job, delivery: Delivery) -> PullRequestFeedback:
        """Return failed checks of the delivery's commit, and what people said."""
        ...

    async def report(self, job: Job, delivery: Delivery, markdown: str) -> None:
        """Show the text on the delivery's pull request, in the place of what was shown before."""
        ...
