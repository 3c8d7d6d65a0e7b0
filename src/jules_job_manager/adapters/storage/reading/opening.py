"""Chooses how tasks are read for those who only show them."""

from __future__ import annotations

from jules_job_manager.adapters.storage.reading.any_store import StoreTaskReader
from jules_job_manager.ports.store import Store
from jules_job_manager.ports.task_reader import TaskReader


def task_reader_of(store: Store) -> TaskReader:
    """Return the fastest reader of a store's tasks; it opens nothing before it is asked."""
    from jules_job_manager.adapters.storage.sql.store import SqlStore

    plain = StoreTaskReader(store.tasks)
    if not isinstance(store, SqlStore):
        return plain
    if store.kind == "sqlite":
        from jules_job_manager.adapters.storage.reading.sqlite import SqliteTaskReader

        return SqliteTaskReader(store.location, plain)
    from jules_job_manager.adapters.storage.reading.postgresql import PostgresTaskReader

    return PostgresTaskReader(store.engine, plain)
