"""Where things are kept: the store, Redis, and the cache in it."""

from __future__ import annotations

from dataclasses import dataclass

from jules_job_manager.settings.sections.field import setting


@dataclass(frozen=True, kw_only=True)
class StorageSettings:
    """Where tasks, jobs and events are kept."""

    backend: str = setting("sqlite", "Kind of store.", choices=("sqlite", "json", "postgresql"))
    data_path: str = setting("", "File of the store; empty: jjm.db or tasks.json at home.")
    database_url: str = setting(
        "", "Address of the PostgreSQL database.", env="DATABASE_URL", secret=True
    )
    fallback: str = setting(
        "error", "What to do when PostgreSQL is away: stop, or go on in a local store.",
        choices=("error", "local"),
    )  # fmt: skip
    slow_query_seconds: float = setting(
        0.5, "A statement that takes so long is written into the log as a warning; 0: none is.",
        minimum=0,
    )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class RedisSettings:
    """Redis or Valkey, for hints between processes and the cache. Needs the extra `redis`."""

    url: str = setting(
        "", "Address: redis://[user:password@]host:6379/0, rediss://… for TLS, unix:///path, or "
        "redis+sentinel://host:26379,host:26379/service/0; empty: do without.",
        env="REDIS_URL", secret=True,
    )  # fmt: skip
    timeout_seconds: float = setting(
        2.0, "Longest wait for a connection or an answer.", minimum=0.1
    )
    connections: int = setting(10, "Most connections of one process.", minimum=2)


@dataclass(frozen=True, kw_only=True)
class CacheSettings:
    """Keeping what was read from the store in Redis for a while."""

    backend: str = setting(
        "none", "Where to; none: the store is asked each time. Pays off for tasks that many look at.",
        choices=("none", "redis"),
    )  # fmt: skip
    task_seconds: float = setting(300.0, "How long a task is kept.", minimum=1)
    list_seconds: float = setting(60.0, "How long a list of tasks is kept.", minimum=1)
