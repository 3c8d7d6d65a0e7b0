"""The tables. Invariants are named constraints; migrations under `migrations/` lead to this.

Values that are shown as JSON are kept as the very JSON text that `to_dict` yields, so that the
read-only path without SQLAlchemy can hand them out unread.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from jules_job_manager.domain.clockwork import from_rfc3339, to_rfc3339


class Moment(sa.types.TypeDecorator[datetime]):
    """An instant: `timestamptz` on PostgreSQL, fixed-width UTC text (sortable) on SQLite."""

    impl = sa.String
    cache_ok = True

    def load_dialect_impl(self, dialect: sa.Dialect) -> sa.types.TypeEngine[Any]:
        """Choose the column type."""
        if dialect.name == "postgresql":
            return dialect.type_descriptor(sa.DateTime(timezone=True))
        return dialect.type_descriptor(sa.String(27))

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> Any:
        """Turn an aware time into what the column holds."""
        if value is None:
            return None
        return value if dialect.name == "postgresql" else to_rfc3339(value)

    def process_result_value(self, value: Any, dialect: sa.Dialect) -> datetime | None:
        """Turn what the column holds into an aware UTC time."""
        del dialect
        if value is None:
            return None
        return value.astimezone(UTC) if isinstance(value, datetime) else from_rfc3339(value)


class JsonText(sa.types.TypeDecorator[Any]):
    """A JSON value as text, the same on both databases."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: sa.Dialect) -> str | None:
        """Write compact JSON; characters outside ASCII are escaped, so no text is refused."""
        del dialect
        return None if value is None else json.dumps(value, separators=(",", ":"))

    def process_result_value(self, value: Any, dialect: sa.Dialect) -> Any:
        """Read it back."""
        del dialect
        return None if value is None else json.loads(value)


metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _of_task() -> sa.Column[str]:
    key = sa.ForeignKey("tasks.id", ondelete="CASCADE")
    return sa.Column("task_id", sa.Text, key, nullable=False)


tasks = sa.Table(
    "tasks",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("title", JsonText, nullable=False),
    sa.Column("description", JsonText, nullable=False),
    sa.Column("repository", sa.Text, nullable=False),
    sa.Column("branch", sa.Text, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("created_at", Moment),
    sa.Column("updated_at", Moment),
    sa.Column("url", sa.Text, nullable=False),
    sa.Column("plan", JsonText),
    sa.Column("outputs", JsonText, nullable=False),
    sa.Column("raw_state", sa.Text, nullable=False),
    sa.Column("working_branch", sa.Text, nullable=False),
    sa.Column("require_plan_approval", sa.Boolean),
    sa.Column("archived", sa.Boolean, nullable=False),
    sa.Column("backend", sa.Text, nullable=False),
    sa.Column("seen_at", Moment),
    sa.Column("metadata", JsonText, nullable=False),
    sa.Column("sort_at", Moment, nullable=False),
    sa.CheckConstraint("id <> ''", name="id_not_empty"),
    sa.Index("ix_tasks_newest", "sort_at", "id"),
    sa.Index("ix_tasks_backend_newest", "backend", "archived", "sort_at", "id"),
    sa.Index("ix_tasks_status_newest", "status", "sort_at", "id"),
    sa.Index("ix_tasks_repository_newest", "repository", "sort_at", "id"),
)

chat_messages = sa.Table(
    "chat_messages",
    metadata,
    _of_task(),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Column("message", JsonText, nullable=False),
    sa.PrimaryKeyConstraint("task_id", "position"),
)

source_files = sa.Table(
    "source_files",
    metadata,
    _of_task(),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Column("file", JsonText, nullable=False),
    sa.PrimaryKeyConstraint("task_id", "position"),
)

activities = sa.Table(
    "activities",
    metadata,
    _of_task(),
    sa.Column("id", sa.Text, nullable=False),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Column("activity", JsonText, nullable=False),
    sa.PrimaryKeyConstraint("task_id", "id"),
    sa.UniqueConstraint("task_id", "position"),
)

plans = sa.Table(
    "plans",
    metadata,
    _of_task(),
    sa.Column("fingerprint", sa.Text, nullable=False),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Column("plan", JsonText, nullable=False),
    sa.PrimaryKeyConstraint("task_id", "fingerprint"),
)

patches = sa.Table(
    "patches",
    metadata,
    _of_task(),
    sa.Column("sha256", sa.Text, nullable=False),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Column("change_set", JsonText, nullable=False),
    sa.PrimaryKeyConstraint("task_id", "sha256"),
)

task_events = sa.Table(
    "task_events",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("type", sa.Text, nullable=False),
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("at", Moment, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("data", JsonText, nullable=False),
    sa.Index("ix_task_events_subject_id", "subject", "id"),
    sqlite_autoincrement=True,
)

jobs = sa.Table(
    "jobs",
    metadata,
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("title", JsonText, nullable=False),
    sa.Column("prompt", JsonText, nullable=False),
    sa.Column("priority", sa.Text, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("reason", JsonText, nullable=False),
    sa.Column("depends_on", JsonText, nullable=False),
    sa.Column("branch", JsonText, nullable=False),
    sa.Column("files", JsonText, nullable=False),
    sa.Column("checklist", JsonText, nullable=False),
    sa.Column("estimate", JsonText, nullable=False),
    sa.Column("notes", JsonText, nullable=False),
    sa.Column("backlog", sa.Text, nullable=False),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Column("repository", sa.Text, nullable=False),
    sa.Column("base_branch", sa.Text, nullable=False),
    sa.Column("task_id", sa.Text, nullable=False),
    sa.Column("merge_commit", sa.Text, nullable=False),
    sa.Column("started_at", Moment),
    sa.Column("finished_at", Moment),
    sa.CheckConstraint("key <> ''", name="key_not_empty"),
    sa.Index("ix_jobs_order", "backlog", "position", "key"),
    sa.Index("ix_jobs_status_order", "status", "backlog", "position", "key"),
)

attempts = sa.Table(
    "attempts",
    metadata,
    sa.Column("mark", sa.Text, primary_key=True),
    sa.Column("job_key", sa.Text, sa.ForeignKey("jobs.key", ondelete="CASCADE"), nullable=False),
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("task_id", sa.Text, nullable=False),
    sa.Column("feedback_rounds", sa.Integer, nullable=False),
    sa.Column("delivered_commit", sa.Text, nullable=False),
    sa.Column("created_at", Moment),
    sa.Column("updated_at", Moment),
    sa.UniqueConstraint("job_key", "number"),
    sa.CheckConstraint("number >= 1", name="number_from_one"),
    sa.Index(
        "uq_attempts_one_live", "job_key", unique=True,
        sqlite_where=sa.text("state IN ('intended', 'live')"),
        postgresql_where=sa.text("state IN ('intended', 'live')"),
    ),
)  # fmt: skip

reviews = sa.Table(
    "reviews",
    metadata,
    sa.Column("job_key", sa.Text, sa.ForeignKey("jobs.key", ondelete="CASCADE"), nullable=False),
    sa.Column("delivered_commit", sa.Text, nullable=False),
    sa.Column("base_commit", sa.Text, nullable=False),
    sa.Column("at", Moment),
    sa.Column("review", JsonText, nullable=False),
    sa.PrimaryKeyConstraint("job_key", "delivered_commit", "base_commit"),
)

notes = sa.Table(
    "notes",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("value", sa.Text, nullable=False),
)
