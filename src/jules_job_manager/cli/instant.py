"""The short way to the store, for commands that must be instant."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    from jules_job_manager.adapters.storage.instant import InstantStore
    from jules_job_manager.cli.context import Context

    T = TypeVar("T")

FRESH_SECONDS = 60.0
"""A running worker's look at Jules is as good as one's own for so long."""
LAST_LOOK_NOTE = "observer.last_look"
"""Written by the worker: RFC 3339 time, space, name of the backend; empty once it has ended."""


def instantly(context: Context, work: Callable[[InstantStore], T | None]) -> T | None:
    """Return what `work` reads from a SQLite store, or None when the long way must be taken.

    That is so when settings point elsewhere or cannot be told cheaply, when the store is missing,
    older, busy or damaged, and when `work` returns None. The long way reports what is wrong.
    """
    import sqlite3

    from jules_job_manager.adapters.storage.instant import open_instant
    from jules_job_manager.settings.instant import instant_settings

    settings = None if context.preset else instant_settings(context.environ, context.config)
    store = None if settings is None else open_instant(settings.data_path)
    if store is None:
        return None
    try:
        return work(store)
    except (sqlite3.Error, ValueError):
        return None
    finally:
        store.close()


def watched_backend(context: Context, store: InstantStore) -> str | None:
    """Return the configured backend if a running worker has just looked at it, else None."""
    from jules_job_manager.settings.instant import instant_settings

    settings = instant_settings(context.environ, context.config)
    moment, _, backend = (store.note(LAST_LOOK_NOTE) or "").partition(" ")
    if settings is None or not backend or backend != settings.backend:
        return None
    return backend if is_fresh(moment) else None


def is_fresh(moment: str | None) -> bool:
    """Return whether a time, as the store keeps it, is less than a minute ago."""
    from datetime import UTC, datetime

    if not moment:
        return False
    seconds = (datetime.now(UTC) - datetime.fromisoformat(moment)).total_seconds()
    return 0 <= seconds <= FRESH_SECONDS
