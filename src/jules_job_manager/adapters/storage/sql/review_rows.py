"""Review runs in rows."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, replace
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from jules_job_manager.adapters.storage.sql import schema
from jules_job_manager.adapters.storage.sql.engine import (
    SKIP_LOCKED_OPTION,
    option,
    shared_now,
    transaction,
)
from jules_job_manager.adapters.storage.sql.event_rows import insert_events
from jules_job_manager.adapters.storage.sql.job_rows import upsert_review
from jules_job_manager.adapters.storage.sql.upsert import upsert
from jules_job_manager.domain.event import NewEvent
from jules_job_manager.domain.review import Review
from jules_job_manager.ports.clock import Clock
from jules_job_manager.ports.review_queue import Companion, ReviewRun

_COLUMNS = schema.review_runs.c

Announce = Callable[[AsyncConnection, str], Awaitable[None]]
"""Tells a dispatcher of a new run, inside the transaction that writes it."""


class SqlReviewQueue:
    """The ReviewQueue port on SQL."""

    def __init__(self, engine: AsyncEngine, clock: Clock) -> None:
        """Use an engine whose schema is up to date; `clock` counts where the database has none."""
        self._engine = engine
        self._clock = clock
        self.announce: Announce | None = None

    async def enqueue(self, run: ReviewRun) -> bool:
        """Add a run, due now; False when it is there already. Runs of the attempt on other commits go."""
        outdated = sa.delete(schema.review_runs).where(
            _COLUMNS.mark == run.mark, _COLUMNS.id != run.id
        )
        async with transaction(self._engine, writes=True) as connection:
            await connection.execute(outdated)
            statement = upsert(connection, schema.review_runs).on_conflict_do_nothing()
            run = replace(run, due=await shared_now(connection, self._clock))
            added = (await connection.execute(statement.values(_values(run)))).rowcount > 0
            if added and self.announce is not None:
                await self.announce(connection, run.id)
        return added

    async def claim(self, owner: str, *, seconds: float, run_id: str = "") -> ReviewRun | None:
        """Take the run that is due longest, or this one if it is due, also from a dead worker."""
        async with transaction(self._engine, writes=True) as connection:
            now = await shared_now(connection, self._clock)
            query = sa.select(schema.review_runs).where(
                _COLUMNS.state.in_(["queued", "running"]), _COLUMNS.due <= now
            )
            if run_id:
                query = query.where(_COLUMNS.id == run_id)
            query = query.order_by(_COLUMNS.due, _COLUMNS.id).limit(1)
            if option(connection, SKIP_LOCKED_OPTION):
                query = query.with_for_update(skip_locked=True)
            row = (await connection.execute(query)).mappings().one_or_none()
            if row is None:
                return None
            found = _run(row)
            # Taking over from a dead worker says nothing of the review; taking it from itself does.
            counts = found.state == "queued" or found.owner == owner
            taken = replace(
                found, state="running", owner=owner, tries=found.tries + counts,
                due=now + timedelta(seconds=seconds),
            )  # fmt: skip
            await connection.execute(_is(found).values(_values(taken)))
        return taken

    async def due_in(self, run_id: str) -> float | None:
        """Return in how many seconds a run may be claimed; None when it is gone or failed."""
        query = sa.select(_COLUMNS.due).where(_COLUMNS.id == run_id, _COLUMNS.state != "failed")
        async with transaction(self._engine, writes=False) as connection:
            due = (await connection.execute(query)).scalar_one_or_none()
            now = await shared_now(connection, self._clock)
        return None if due is None else max(0.0, (due - now).total_seconds())

    async def keep(self, run: ReviewRun, *, seconds: float) -> bool:
        """Say that the worker lives; False when the run is no longer its own."""
        async with transaction(self._engine, writes=True) as connection:
            due = await shared_now(connection, self._clock) + timedelta(seconds=seconds)
            return (await connection.execute(_own(run).values(due=due))).rowcount > 0

    async def finish(
        self, run: ReviewRun, reviews: Sequence[Review], events: Sequence[NewEvent] = ()
    ) -> bool:
        """Keep the reviews and remove the run; False, and nothing is kept, when it is not its own."""
        gone = sa.delete(schema.review_runs).where(*_is_own(run))
        async with transaction(self._engine, writes=True) as connection:
            if (await connection.execute(gone)).rowcount == 0:
                return False
            for review in reviews:
                await upsert_review(connection, review)
            await insert_events(connection, events)
        return True

    async def put_back(self, run: ReviewRun, *, seconds: float, error: str, failed: bool) -> bool:
        """Let it be begun again after `seconds`, or mark it failed; False when it is not its own."""
        state = "failed" if failed else "queued"
        tries = run.tries if error else run.tries - 1
        async with transaction(self._engine, writes=True) as connection:
            due = await shared_now(connection, self._clock) + timedelta(seconds=seconds)
            change = _own(run).values(state=state, owner="", due=due, error=error, tries=tries)
            return (await connection.execute(change)).rowcount > 0

    async def active(self) -> Sequence[ReviewRun]:
        """Return every run there is."""
        query = sa.select(schema.review_runs).order_by(_COLUMNS.due, _COLUMNS.id)
        async with transaction(self._engine, writes=False) as connection:
            rows = (await connection.execute(query)).mappings().all()
        return [_run(row) for row in rows]

    async def remove(self, marks: Sequence[str]) -> int:
        """Remove the runs of these attempts; return how many there were."""
        gone = sa.delete(schema.review_runs).where(_COLUMNS.mark.in_(list(marks)))
        async with transaction(self._engine, writes=True) as connection:
            return (await connection.execute(gone)).rowcount


def _values(run: ReviewRun) -> dict[str, Any]:
    return {
        "id": run.id, "job_key": run.job_key, "mark": run.mark,
        "delivered_commit": run.delivered_commit, "branch": run.branch,
        "base_commit": run.base_commit, "state": run.state, "owner": run.owner,
        "tries": run.tries, "due": run.due, "error": run.error,
        "together": json.dumps([asdict(companion) for companion in run.together]),
    }  # fmt: skip


def _run(row: sa.RowMapping) -> ReviewRun:
    members = {name: value for name, value in row.items() if name not in {"id", "together"}}
    together = tuple(Companion(**one) for one in json.loads(row["together"]))
    return ReviewRun(**members, together=together)


def _is(run: ReviewRun) -> sa.Update:
    return sa.update(schema.review_runs).where(_COLUMNS.id == run.id)


def _is_own(run: ReviewRun) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        _COLUMNS.id == run.id, _COLUMNS.state == "running", _COLUMNS.owner == run.owner,
        _COLUMNS.tries == run.tries,
    )  # fmt: skip


def _own(run: ReviewRun) -> sa.Update:
    return sa.update(schema.review_runs).where(*_is_own(run))
