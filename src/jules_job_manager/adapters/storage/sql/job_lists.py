"""The statements by which lists of jobs, attempts and reviews are read."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from jules_job_manager.adapters.storage.paging import EPOCH
from jules_job_manager.adapters.storage.sql import schema
from jules_job_manager.adapters.storage.sql.pages import Order, orders, page_select
from jules_job_manager.adapters.storage.sql.searching import holds
from jules_job_manager.domain.job import AttemptState
from jules_job_manager.domain.text import storable_text
from jules_job_manager.ports.job_store import AttemptQuery, BacklogQuery, JobQuery, ReviewQuery

LIVE = [state.value for state in AttemptState if state.is_live]
_jobs, _attempts, _reviews = schema.jobs.c, schema.attempts.c, schema.reviews.c


def _or_long_ago(column: sa.Column[Any]) -> sa.ColumnElement[Any]:
    return sa.func.coalesce(column, sa.literal(EPOCH, schema.MOMENT))


JOB_ORDERS = orders(
    place=(_jobs.backlog, _jobs.position, _jobs.key),
    key=(_jobs.key,),
    queued=(_or_long_ago(_jobs.queued_at), _jobs.key),
    finished=(_or_long_ago(_jobs.finished_at), _jobs.key),
)
ATTEMPT_ORDERS = orders(
    job=(_attempts.job_key, _attempts.number), created=(_attempts.sort_at, _attempts.mark)
)
REVIEW_ORDERS = orders(
    at=(_reviews.sort_at, _reviews.job_key, _reviews.delivered_commit, _reviews.base_commit)
)


def jobs_select(query: JobQuery) -> tuple[sa.Select[Any], Order]:
    """Return the statement for jobs, and their order.

    Raises:
        InvalidInputError: limit or cursor cannot be used.
    """
    wanted = _where(
        sa.select(schema.jobs),
        (_jobs.status, query.status),
        (_jobs.backlog, query.backlog),
        (_jobs.repository, query.repository),
        (_jobs.priority, query.priority),
    )
    if query.search:
        found = holds(query.search, plain=[_jobs.key], as_json=[_jobs.title, _jobs.prompt])
        wanted = wanted.where(found)
    order = JOB_ORDERS[query.sort]
    return page_select(wanted, order, after=query.after, limit=query.limit), order


def attempts_select(query: AttemptQuery) -> tuple[sa.Select[Any], Order]:
    """Return the statement for attempts, and their order.

    Raises:
        InvalidInputError: limit or cursor cannot be used.
    """
    wanted = _where(
        sa.select(schema.attempts),
        (_attempts.job_key, query.job_key),
        (_attempts.state, query.state),
        (_attempts.account, query.account),
    )
    if query.live_only:
        wanted = wanted.where(_attempts.state.in_(LIVE))
    if query.delivered_only:
        wanted = wanted.where(_attempts.delivered_commit != "")
    if query.search:
        plain = [_attempts.job_key, _attempts.mark, _attempts.task_id]
        wanted = wanted.where(holds(query.search, plain=plain, as_json=[]))
    wanted = _between(wanted, _attempts.sort_at, query.created_since, query.created_before)
    order = ATTEMPT_ORDERS[query.sort]
    return page_select(wanted, order, after=query.after, limit=query.limit), order


def reviews_select(query: ReviewQuery) -> tuple[sa.Select[Any], Order]:
    """Return the statement for reviews, and their order.

    Raises:
        InvalidInputError: limit or cursor cannot be used.
    """
    wanted = _where(
        sa.select(_reviews.review),
        (_reviews.job_key, query.job_key),
        (_reviews.delivered_commit, query.delivered_commit),
        (_reviews.verdict, query.verdict),
    )
    if query.search:
        found = holds(query.search, plain=[_reviews.job_key], as_json=[_reviews.review])
        wanted = wanted.where(found)
    wanted = _between(wanted, _reviews.sort_at, query.since, query.before)
    order = REVIEW_ORDERS[query.sort]
    return page_select(wanted, order, after=query.after, limit=query.limit), order


def reviews_of_select(deliveries: Collection[tuple[str, str]]) -> sa.Select[Any]:
    """Return the statement for all reviews of deliveries, each a job's key and a commit."""
    pairs = [(storable_text(key), storable_text(commit)) for key, commit in deliveries]
    delivery = sa.tuple_(_reviews.job_key, _reviews.delivered_commit)
    order = REVIEW_ORDERS["at"]
    return page_select(
        sa.select(_reviews.review).where(delivery.in_(pairs)), order, after=None, limit=None
    )


def backlogs_select(query: BacklogQuery) -> tuple[sa.Select[Any], Order]:
    """Return the statement for the names of backlogs with how many jobs each has, and their order.

    Raises:
        InvalidInputError: limit or cursor cannot be used.
    """
    counting = sa.select(_jobs.backlog, sa.func.count().label("jobs")).group_by(_jobs.backlog)
    if query.search:
        counting = counting.where(holds(query.search, plain=[_jobs.backlog], as_json=[]))
    counted = counting.subquery()
    known = orders(
        name=(counted.c.backlog,), jobs=(counted.c.jobs, counted.c.backlog)
    )  # fmt: skip
    order = known[query.sort]
    wanted = page_select(sa.select(counted), order, after=query.after, limit=query.limit)
    return wanted, order


def statuses_select(backlogs: Collection[str] | None) -> sa.Select[Any]:
    """Return the statement for how many jobs of these backlogs (None: all) have each status."""
    counting = (
        sa.select(_jobs.backlog, _jobs.status, sa.func.count())
        .group_by(_jobs.backlog, _jobs.status)
        .order_by(_jobs.status)
    )
    return counting if backlogs is None else counting.where(_jobs.backlog.in_(backlogs))


def _where(
    statement: sa.Select[Any], *conditions: tuple[sa.Column[Any], str | None]
) -> sa.Select[Any]:
    """Add that each column has its value; None is no condition."""
    for column, value in conditions:
        if value is not None:
            statement = statement.where(column == storable_text(value))
    return statement


def _between(
    statement: sa.Select[Any],
    column: sa.Column[Any],
    since: datetime | None,
    before: datetime | None,
) -> sa.Select[Any]:
    """Add that the column is not before `since`, and before `before`; None is no condition."""
    if since is not None:
        statement = statement.where(column >= since)
    return statement if before is None else statement.where(column < before)
