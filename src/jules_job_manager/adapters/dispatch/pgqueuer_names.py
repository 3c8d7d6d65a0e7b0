"""What PgQueuer's objects are called in the store's database, whatever the environment says.

Its own settings also come from variables with names as plain as TRIGGER or CHANNEL, so they are
not read. The migrations drop what is named here.
"""

from __future__ import annotations

from typing import Any

from pgqueuer import Queries
from pgqueuer.adapters.drivers.asyncpg import AsyncpgDriver
from pgqueuer.adapters.persistence.qb import (
    QueryBuilderEnvironment,
    QueryQueueBuilder,
    QuerySchedulerBuilder,
)
from pgqueuer.domain.settings import DBSettings, Durability
from pgqueuer.domain.types import Channel

QUEUE_TABLE = "jjm_pgqueuer"
CHANNEL = Channel("jjm_ch_pgqueuer")
_SETTINGS = DBSettings.model_construct(
    prefix="jjm_",
    db_schema=None,
    channel=CHANNEL,
    function="jjm_fn_pgqueuer_changed",
    statistics_table="jjm_pgqueuer_statistics",
    queue_status_type="jjm_pgqueuer_status",
    queue_table=QUEUE_TABLE,
    queue_table_log="jjm_pgqueuer_log",
    trigger="jjm_tg_pgqueuer_changed",
    schedules_table="jjm_pgqueuer_schedules",
    durability=Durability.durable,
    widen_id=False,
)


def queries_on(raw: Any) -> Queries:
    """Return PgQueuer's statements on a connection of asyncpg."""
    return Queries(
        AsyncpgDriver(raw),
        qbe=QueryBuilderEnvironment(_SETTINGS),
        qbq=QueryQueueBuilder(_SETTINGS),
        qbs=QuerySchedulerBuilder(_SETTINGS),
    )
