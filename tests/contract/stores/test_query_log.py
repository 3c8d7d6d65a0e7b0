"""Slow statements are written into the log, without the values in them."""

from __future__ import annotations

import logging

import pytest
import sqlalchemy as sa

from jules_job_manager.adapters.storage.sql import query_log
from jules_job_manager.adapters.storage.sql.engine import transaction
from jules_job_manager.adapters.storage.sql.query_log import log_slow_queries
from jules_job_manager.domain.job import Job
from jules_job_manager.errors import StoreError

pytestmark = pytest.mark.integration


@pytest.fixture
def ticks(monkeypatch):
    """Let each look at the clock find it one second later."""
    now = iter(range(10**6))
    monkeypatch.setattr(query_log.time, "perf_counter", lambda: float(next(now)))


async def test_a_slow_statement_is_told_with_marks_for_its_values(sql_store, caplog, ticks):
    """Its time and its words, and nothing of what people wrote."""
    log_slow_queries(sql_store.engine, seconds=1.0)
    await sql_store.jobs.save_jobs([Job(key="K", title="t", prompt="a secret plan")])
    assert "INSERT INTO jobs" in caplog.text
    assert "took 1000 ms" in caplog.text
    assert "secret plan" not in caplog.text


async def test_a_quick_one_is_told_at_debug_alone(sql_store, caplog, ticks):
    """What took less than the limit is no warning."""
    log_slow_queries(sql_store.engine, seconds=1.5)
    caplog.set_level(logging.INFO, logger=query_log.__name__)
    await sql_store.jobs.list_jobs()
    assert not [one for one in caplog.records if one.name == query_log.__name__]
    caplog.set_level(logging.DEBUG, logger=query_log.__name__)
    await sql_store.jobs.list_jobs()
    (told,) = [one for one in caplog.records if "FROM jobs" in one.getMessage()]
    assert told.levelno == logging.DEBUG


async def test_after_a_failure_times_are_right_again(sql_store, caplog, ticks):
    """A statement that failed leaves no start behind for the next one on its connection."""
    log_slow_queries(sql_store.engine, seconds=1.5)
    for _ in range(3):
        with pytest.raises(StoreError):
            async with transaction(sql_store.engine, writes=False) as connection:
                await connection.execute(sa.text("SELECT nothing FROM nowhere"))
    await sql_store.jobs.list_jobs()
    assert not [one for one in caplog.records if one.levelno >= logging.WARNING]
