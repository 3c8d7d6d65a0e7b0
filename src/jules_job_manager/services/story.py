"""Gathers all that is known of a job."""

from __future__ import annotations

from jules_job_manager.domain.event import Event
from jules_job_manager.domain.job import Job
from jules_job_manager.domain.plan import Plan
from jules_job_manager.domain.report.story import AttemptStory, Story
from jules_job_manager.domain.task import JulesTask
from jules_job_manager.ports.store import Store

_PAGE = 1000


async def story_of(store: Store, job: Job) -> Story:
    """Return the story, from the store alone.

    Raises:
        StoreError: the store failed.
    """
    reviews = await store.jobs.list_reviews(job.key)
    attempts = []
    for attempt in await store.jobs.list_attempts(job.key):
        task: JulesTask | None = None
        plans: tuple[Plan, ...] = ()
        if attempt.task_id:
            task = await store.tasks.get_task(attempt.task_id)
            plans = tuple(await store.tasks.list_plans(attempt.task_id))
        mine = tuple(review for review in reviews if review.mark == attempt.mark)
        attempts.append(AttemptStory(attempt=attempt, task=task, plans=plans, reviews=mine))
    attempts.sort(key=lambda story: story.attempt.number)
    return Story(job=job, attempts=attempts, events=await _events(store, job.key))


async def _events(store: Store, key: str) -> list[Event]:
    found: list[Event] = []
    while True:
        page = await store.events.read(
            subject=f"job:{key}", after_id=found[-1].id if found else 0, limit=_PAGE
        )
        found += page
        if len(page) < _PAGE:
            return found
