"""Jobs, attempts and reviews in rows."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Self

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from jules_job_manager.adapters.storage.paging import EPOCH
from jules_job_manager.adapters.storage.sql import schema
from jules_job_manager.adapters.storage.sql.engine import transaction
from jules_job_manager.adapters.storage.sql.event_rows import insert_events
from jules_job_manager.adapters.storage.sql.job_lists import (
    LIVE,
    attempts_select,
    backlogs_select,
    jobs_select,
    reviews_of_select,
    reviews_select,
    statuses_select,
)
from jules_job_manager.adapters.storage.sql.lease_rows import require_lease
from jules_job_manager.adapters.storage.sql.ledger_rows import insert_entries
from jules_job_manager.adapters.storage.sql.pages import Order, split
from jules_job_manager.adapters.storage.sql.upsert import upsert
from jules_job_manager.domain.clockwork import optional_to_rfc3339
from jules_job_manager.domain.event import NewEvent
from jules_job_manager.domain.job import Attempt, AttemptState, Job, JobStatus, Priority
from jules_job_manager.domain.review import Review
from jules_job_manager.domain.text import storable_text
from jules_job_manager.errors import StoreError
from jules_job_manager.ports.clock import Clock
from jules_job_manager.ports.job_store import (
    AttemptQuery,
    BacklogQuery,
    BacklogStanding,
    JobQuery,
    QueueStanding,
    ReviewQuery,
)
from jules_job_manager.ports.lease_store import Lease
from jules_job_manager.ports.page import Page
from jules_job_manager.ports.quota_ledger import LedgerEntry

_TIMES = ("started_at", "finished_at", "queued_at", "not_before")
_ATTEMPT_COLUMNS = [column for column in schema.attempts.c if column.name != "sort_at"]


class SqlJobStore:
    """The JobStore port on SQL."""

    def __init__(self, engine: AsyncEngine, clock: Clock, lease: Lease | None = None) -> None:
        """Use an engine whose schema is up to date; with a lease, write only while it holds."""
        self._engine = engine
        self._clock = clock
        self._lease = lease

    def fenced(self, lease: Lease) -> Self:
        """Return the same jobs, for the holder of a lease."""
        return type(self)(self._engine, self._clock, lease)

    @asynccontextmanager
    async def _writing(self) -> AsyncIterator[AsyncConnection]:
        async with transaction(self._engine, writes=True) as connection:
            if self._lease is not None:
                await require_lease(connection, self._lease, self._clock)
            yield connection

    async def save_jobs(self, jobs: Sequence[Job], events: Sequence[NewEvent] = ()) -> None:
        """Insert or replace jobs by key, whole."""
        async with self._writing() as connection:
            await _save_jobs(connection, jobs)
            await insert_events(connection, events)

    async def swap_jobs(
        self,
        expected: Mapping[str, Job | None],
        jobs: Sequence[Job],
        *,
        attempts: Sequence[Attempt] = (),
        removed: Sequence[str] = (),
        events: Sequence[NewEvent] = (),
        starts: Sequence[LedgerEntry] = (),
    ) -> bool:
        """Write all of it in one transaction, if every expected job still is as expected."""
        async with self._writing() as connection:
            if connection.dialect.name == "postgresql":
                # A row that is not there cannot be locked; SQLite has one writer at a time.
                await connection.execute(sa.text("LOCK TABLE jobs IN SHARE ROW EXCLUSIVE MODE"))
            if await _jobs_by_key(connection, list(expected)) != {
                key: job for key, job in expected.items() if job is not None
            }:
                return False
            for key in removed:
                await connection.execute(sa.delete(schema.jobs).where(schema.jobs.c.key == key))
            await _save_jobs(connection, jobs)
            for attempt in attempts:
                await _upsert(connection, schema.attempts, ["mark"], [_attempt_row(attempt)])
            await insert_entries(connection, starts)
            await insert_events(connection, events)
        return True

    async def get_job(self, key: str) -> Job | None:
        """Return the job, or None."""
        query = sa.select(schema.jobs).where(schema.jobs.c.key == key)
        async with transaction(self._engine, writes=False) as connection:
            row = (await connection.execute(query)).mappings().one_or_none()
        return None if row is None else _job(row)

    async def list_jobs(self, query: JobQuery | None = None) -> Sequence[Job]:
        """Return jobs in the order of the query."""
        return (await self.page_jobs(query or JobQuery())).items

    async def page_jobs(self, query: JobQuery) -> Page[Job]:
        """Return a page of jobs."""
        rows, following = await self._page(*jobs_select(query), query.limit)
        return Page(items=tuple(_job(row) for row in rows), next_cursor=following)

    async def _page(
        self, wanted: sa.Select[Any], order: Order, limit: int | None
    ) -> tuple[Sequence[sa.RowMapping], str | None]:
        async with transaction(self._engine, writes=False) as connection:
            rows = (await connection.execute(wanted)).mappings().all()
        return split(rows, order, limit)

    async def standing(self, chosen: Collection[JobStatus]) -> QueueStanding:
        """Return how all jobs stand, at one moment, and the keys of those with a `chosen` status."""
        columns = schema.jobs.c
        counting = sa.select(columns.status, sa.func.count()).group_by(columns.status)
        choosing = (
            sa.select(columns.key)
            .where(columns.status.in_(sorted(status.value for status in chosen)))
            .order_by(columns.backlog, columns.position, columns.key)
        )
        async with transaction(self._engine, writes=False) as connection:
            counts = (await connection.execute(counting)).all()
            keys = (await connection.execute(choosing)).scalars().all()
            startable = await _startable(connection)
        return QueueStanding(
            counts={JobStatus(status): count for status, count in counts},
            chosen=tuple(keys), startable=startable,
        )  # fmt: skip

    async def page_backlogs(self, query: BacklogQuery) -> Page[BacklogStanding]:
        """Return a page of the backlogs that have jobs."""
        wanted, order = backlogs_select(query)
        async with transaction(self._engine, writes=False) as connection:
            rows = (await connection.execute(wanted)).mappings().all()
            shown, following = split(rows, order, query.limit)
            names = None if query.limit is None else [row["backlog"] for row in shown]
            counts: dict[str, dict[JobStatus, int]] = {}
            for name, status, count in await connection.execute(statuses_select(names)):
                counts.setdefault(name, {})[JobStatus(status)] = count
        found = (
            BacklogStanding(
                name=row["backlog"], jobs=row["jobs"], counts=counts.get(row["backlog"], {})
            )
            for row in shown
        )
        return Page(items=tuple(found), next_cursor=following)

    async def delete_jobs(self, keys: Sequence[str], events: Sequence[NewEvent] = ()) -> int:
        """Remove jobs with their attempts and reviews; return how many there were."""
        statement = sa.delete(schema.jobs).where(schema.jobs.c.key == sa.bindparam("gone"))
        removed = 0
        async with self._writing() as connection:
            for key in keys:
                removed += (await connection.execute(statement, {"gone": key})).rowcount
            await insert_events(connection, events)
        return removed

    async def save_attempt(
        self, attempt: Attempt, *, job: Job | None = None, events: Sequence[NewEvent] = ()
    ) -> None:
        """Insert or replace an attempt by mark, and its job with it, in one transaction."""
        try:
            async with self._writing() as connection:
                if job is not None:
                    await _save_jobs(connection, [job])
                await _refuse_conflict(connection, attempt)
                await _upsert(connection, schema.attempts, ["mark"], [_attempt_row(attempt)])
                await insert_events(connection, events)
        except StoreError as exc:
            if isinstance(exc.__cause__, sa.exc.IntegrityError):
                raise StoreError(
                    f"Job {attempt.job_key} got another attempt at the same moment.",
                    context={"job": attempt.job_key, "mark": attempt.mark},
                ) from exc
            raise

    async def list_attempts(
        self, job_key: str | None = None, *, live_only: bool = False
    ) -> Sequence[Attempt]:
        """Return all attempts, or those of one job, by job and number."""
        query = AttemptQuery(job_key=job_key, live_only=live_only, limit=None)
        return (await self.page_attempts(query)).items

    async def page_attempts(self, query: AttemptQuery) -> Page[Attempt]:
        """Return a page of attempts."""
        rows, following = await self._page(*attempts_select(query), query.limit)
        return Page(items=tuple(_attempt(row) for row in rows), next_cursor=following)

    async def get_attempt(self, mark: str) -> Attempt | None:
        """Return the attempt, or None."""
        query = sa.select(schema.attempts).where(schema.attempts.c.mark == storable_text(mark))
        async with transaction(self._engine, writes=False) as connection:
            row = (await connection.execute(query)).mappings().one_or_none()
        return None if row is None else _attempt(row)

    async def save_review(self, review: Review, events: Sequence[NewEvent] = ()) -> None:
        """Keep a review; one of the same delivery on the same base is replaced."""
        async with self._writing() as connection:
            await upsert_review(connection, review)
            await insert_events(connection, events)

    async def list_reviews(self, job_key: str) -> Sequence[Review]:
        """Return the job's reviews, oldest first."""
        return (await self.page_reviews(ReviewQuery(job_key=job_key, limit=None))).items

    async def reviews_of(self, deliveries: Collection[tuple[str, str]]) -> Sequence[Review]:
        """Return all reviews of deliveries, oldest first."""
        if not deliveries:
            return []
        async with transaction(self._engine, writes=False) as connection:
            rows = (await connection.execute(reviews_of_select(deliveries))).scalars().all()
        return [Review.from_dict(row) for row in rows]

    async def page_reviews(self, query: ReviewQuery) -> Page[Review]:
        """Return a page of reviews."""
        rows, following = await self._page(*reviews_select(query), query.limit)
        found = tuple(Review.from_dict(row["review"]) for row in rows)
        return Page(items=found, next_cursor=following)


async def upsert_review(connection: AsyncConnection, review: Review) -> None:
    """Write a review inside a transaction that is already open."""
    row = {
        "job_key": review.job_key,
        "delivered_commit": review.delivered_commit,
        "base_commit": review.base_commit,
        "at": review.at,
        "review": {**review.to_dict(), "job_key": storable_text(review.job_key)},
        "sort_at": review.at or EPOCH,
        "verdict": review.verdict.value,
    }
    keys = ["job_key", "delivered_commit", "base_commit"]
    await _upsert(connection, schema.reviews, keys, [row])


async def _refuse_conflict(connection: AsyncConnection, attempt: Attempt) -> None:
    """Say what the constraints would refuse, in words; they still hold against a race."""
    columns = schema.attempts.c
    known = sa.select(sa.literal(1)).where(schema.jobs.c.key == attempt.job_key)
    others = sa.select(columns.number, columns.state, columns.lane).where(
        columns.job_key == attempt.job_key, columns.mark != attempt.mark
    )
    context = {"job": attempt.job_key, "mark": attempt.mark}
    if (await connection.execute(known)).scalar() is None:
        raise StoreError(f"There is no job {attempt.job_key!r} to attempt.", context=context)
    for number, state, lane in await connection.execute(others):
        if number == attempt.number:
            raise StoreError(
                f"Job {attempt.job_key} has an attempt {number} already.", context=context
            )
        if state in LIVE and attempt.state.is_live and lane == attempt.lane:
            raise StoreError(f"Job {attempt.job_key} already has a live attempt.", context=context)


async def _jobs_by_key(connection: AsyncConnection, keys: Sequence[str]) -> dict[str, Job]:
    found: dict[str, Job] = {}
    for start in range(0, len(keys), 500):
        wanted = schema.jobs.c.key.in_(keys[start : start + 500])
        rows = (await connection.execute(sa.select(schema.jobs).where(wanted))).mappings()
        found |= {row["key"]: _job(row) for row in rows}
    return found


async def _startable(connection: AsyncConnection) -> tuple[str, ...]:
    """Return keys as `domain.graph.ready_keys` does, of what it looks at alone."""
    columns = schema.jobs.c
    could = [JobStatus.READY.value, JobStatus.BLOCKED.value]
    wanted = (
        sa.select(columns.key, columns.priority, columns.depends_on)
        .where(columns.status.in_(could), sa.type_coerce(columns.prompt, sa.Text) != '""')
        .order_by(columns.backlog, columns.position, columns.key)
    )
    found = (await connection.execute(wanted)).all()
    done: frozenset[str] = frozenset()
    if any(needs for _, _, needs in found):
        ended = sa.or_(columns.status == JobStatus.DONE.value, columns.skipped)
        done = frozenset((await connection.execute(sa.select(columns.key).where(ended))).scalars())
    free = [(Priority(level).rank, key) for key, level, needs in found if done.issuperset(needs)]
    return tuple(key for _, key in sorted(free, key=lambda one: one[0]))


async def _save_jobs(connection: AsyncConnection, jobs: Sequence[Job]) -> None:
    rows = [_job_row(job) for job in {job.key: job for job in jobs}.values()]
    for start in range(0, len(rows), 500):
        await _upsert(connection, schema.jobs, ["key"], rows[start : start + 500])


async def _upsert(
    connection: AsyncConnection, table: sa.Table, keys: list[str], rows: list[dict[str, Any]]
) -> None:
    statement = upsert(connection, table)
    changed = {c.name: statement.excluded[c.name] for c in table.c if c.name not in keys}
    await connection.execute(
        statement.on_conflict_do_update(index_elements=keys, set_=changed), rows
    )


def _job_row(job: Job) -> dict[str, Any]:
    needed = [storable_text(key) for key in job.depends_on]
    return {
        **job.to_dict(), "depends_on": needed, **{name: getattr(job, name) for name in _TIMES},
    }  # fmt: skip


def _job(row: sa.RowMapping) -> Job:
    times = {name: optional_to_rfc3339(row[name]) for name in _TIMES}
    return Job.from_dict({**row, **times})


def _attempt_row(attempt: Attempt) -> dict[str, Any]:
    return {
        **attempt.to_dict(), "created_at": attempt.created_at, "updated_at": attempt.updated_at,
        "nudged_at": attempt.nudged_at, "sort_at": attempt.created_at or EPOCH,
    }  # fmt: skip


def _attempt(row: sa.RowMapping) -> Attempt:
    found = {column.name: row[column.name] for column in _ATTEMPT_COLUMNS}
    return Attempt(**{**found, "state": AttemptState(found["state"])})
