"""Writes slow statements into the log."""

from __future__ import annotations

import logging
import time
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from jules_job_manager.domain.text import shorten

_LOG = logging.getLogger(__name__)
_BEGAN = "jjm_began"
MOST_LETTERS = 2000


def log_slow_queries(engine: AsyncEngine, *, seconds: float) -> None:
    """Warn in the log of each statement of this engine that takes `seconds` or longer.

    The statement stands there with marks in place of its values, which may be prompts or names; its
    time goes from sending it to its first answer. With the log at DEBUG every statement is written.
    """

    @sa.event.listens_for(engine.sync_engine, "before_cursor_execute")
    def begin(connection: sa.Connection, *_: Any) -> None:
        connection.info.setdefault(_BEGAN, []).append(time.perf_counter())

    @sa.event.listens_for(engine.sync_engine, "after_cursor_execute")
    def end(connection: sa.Connection, _cursor: Any, statement: str, *_: Any) -> None:
        taken = time.perf_counter() - connection.info[_BEGAN].pop()
        is_slow = taken >= seconds
        if not is_slow and not _LOG.isEnabledFor(logging.DEBUG):
            return
        _LOG.log(
            logging.WARNING if is_slow else logging.DEBUG,
            "%s took %.0f ms: %s",
            "a slow query" if is_slow else "a query", taken * 1000,
            shorten(" ".join(statement.split()), MOST_LETTERS),
            extra={"action": "query", "milliseconds": round(taken * 1000, 1)},
        )  # fmt: skip

    @sa.event.listens_for(engine.sync_engine, "handle_error")
    def failed(context: Any) -> None:
        if context.connection is not None and context.connection.info.get(_BEGAN):
            context.connection.info[_BEGAN].pop()
