"""Chooses how reviews reach the workers that run them."""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING

from jules_job_manager.adapters.dispatch.local import LocalDispatcher
from jules_job_manager.errors import ConfigurationError, MissingExtraError

if TYPE_CHECKING:
    from jules_job_manager.ports.dispatcher import Dispatcher
    from jules_job_manager.ports.store import Store
    from jules_job_manager.settings.model import Settings


def dispatcher_of(store: Store, settings: Settings) -> Dispatcher:
    """Return the configured dispatcher; runs added to `store` are passed on by it from now on.

    Raises:
        ConfigurationError: PgQueuer is asked for, and the store is not PostgreSQL.
        MissingExtraError: PgQueuer is asked for, and it is not installed.
    """
    wanted = settings.queue.dispatcher
    if wanted == "pgqueuer" and settings.storage.backend != "postgresql":
        raise ConfigurationError(
            "The dispatcher pgqueuer needs the PostgreSQL store.",
            hint="Set storage.backend to postgresql and DATABASE_URL, or queue.dispatcher to auto.",
        )
    is_installed = importlib.util.find_spec("pgqueuer") is not None
    if wanted == "pgqueuer" and not is_installed:
        raise MissingExtraError("The dispatcher pgqueuer", "scale")
    # A store that stands in while the database is away is a file.
    if wanted == "local" or store.kind != "postgresql" or not is_installed:
        return LocalDispatcher(store.review_queue)
    return _pgqueuer(store)


def _pgqueuer(store: Store) -> Dispatcher:
    from jules_job_manager.adapters.dispatch.pgqueuer import PgQueuerDispatcher
    from jules_job_manager.adapters.storage.sql.store import SqlStore

    assert isinstance(store, SqlStore)
    dispatcher = PgQueuerDispatcher(store.engine, store.review_queue)
    store.review_queue.announce = dispatcher.announce
    return dispatcher
