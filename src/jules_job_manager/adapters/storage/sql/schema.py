"""The tables. Invariants are named constraints; migrations under `migrations/` lead to this.

Values that are shown as JSON are kept as the very JSON text that `to_dict` yields, so that the
read-only path without SQLAlchemy can hand them out unread.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from jules_job_manager.adapters.storage.paging import EPOCH
from jules_job_manager.domain.clockwork import from_rfc3339, to_rfc3339
from jules_job_manager.domain.text import storable_text


class SortableTime(sa.types.TypeDecorator[datetime]):
    """An instant as fixed-width UTC text, whose order is the order of time."""

    impl = sa.String(27)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> str | None:
        """Turn an aware time into text."""
        del dialect
        return None if value is None else to_rfc3339(value)

    def process_result_value(self, value: Any, dialect: sa.Dialect) -> datetime | None:
        """Turn the text into an aware UTC time."""
        del dialect
        return None if value is None else from_rfc3339(value)


MOMENT = SortableTime().with_variant(sa.DateTime(timezone=True), "postgresql")
"""An instant: text on SQLite, which has no such type, and `timestamptz` on PostgreSQL."""

COUNTED = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
"""A number that is counted up, 64 bits: SQLite itself counts only what is called INTEGER."""


def _sort_at() -> sa.Column[datetime]:
    return sa.Column("sort_at", MOMENT, nullable=False, server_default=to_rfc3339(EPOCH))


class PlainText(sa.types.TypeDecorator[str]):
    """A text that is searched for. What no database takes as text is replaced when written."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: sa.Dialect) -> str | None:
        """Replace NUL and halves of surrogate pairs."""
        del dialect
        return None if value is None else storable_text(value)


class CodePointText(PlainText):
    """A plain text that is ordered by code points on every database, whatever its locale."""

    cache_ok = True

    def load_dialect_impl(self, dialect: sa.Dialect) -> sa.types.TypeEngine[Any]:
        """Name the collation where the database has others."""
        if dialect.name == "postgresql":
            return sa.Text(collation="C")
        return super().load_dialect_impl(dialect)


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
    return sa.Column("task_id", PlainText, key, nullable=False)


_NEWEST = ("sort_at", "id", "archived")

tasks = sa.Table(
    "tasks",
    metadata,
    sa.Column("id", CodePointText, primary_key=True),
    sa.Column("title", JsonText, nullable=False),
    sa.Column("description", JsonText, nullable=False),
    sa.Column("repository", PlainText, nullable=False),
    sa.Column("branch", PlainText, nullable=False),
    sa.Column("status", PlainText, nullable=False),
    sa.Column("created_at", MOMENT),
    sa.Column("updated_at", MOMENT),
    sa.Column("url", PlainText, nullable=False),
    sa.Column("plan", JsonText),
    sa.Column("outputs", JsonText, nullable=False),
    sa.Column("raw_state", PlainText, nullable=False),
    sa.Column("working_branch", PlainText, nullable=False),
    sa.Column("require_plan_approval", sa.Boolean),
    sa.Column("archived", sa.Boolean, nullable=False),
    sa.Column("backend", PlainText, nullable=False),
    sa.Column("seen_at", MOMENT),
    sa.Column("metadata", JsonText, nullable=False),
    sa.Column("sort_at", MOMENT, nullable=False),
    sa.CheckConstraint("id <> ''", name="id_not_empty"),
    # One for each set of filters, so that a page is read in order and no list is sorted. `archived`
    # stands last: lists with the archived are in the same order, and others skip within the index.
    sa.Index("ix_tasks_newest", *_NEWEST),
    sa.Index("ix_tasks_backend_newest", "backend", *_NEWEST),
    sa.Index("ix_tasks_status_newest", "status", *_NEWEST),
    sa.Index("ix_tasks_repository_newest", "repository", *_NEWEST),
    sa.Index("ix_tasks_backend_status_newest", "backend", "status", *_NEWEST),
    sa.Index("ix_tasks_backend_repository_newest", "backend", "repository", *_NEWEST),
    sa.Index("ix_tasks_repository_status_newest", "repository", "status", *_NEWEST),
    sa.Index(
        "ix_tasks_backend_repository_status_newest", "backend", "repository", "status", *_NEWEST
    ),
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
    sa.Column("id", PlainText, nullable=False),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Column("activity", JsonText, nullable=False),
    sa.PrimaryKeyConstraint("task_id", "id"),
    sa.UniqueConstraint("task_id", "position"),
)

plans = sa.Table(
    "plans",
    metadata,
    _of_task(),
    sa.Column("fingerprint", PlainText, nullable=False),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Column("plan", JsonText, nullable=False),
    sa.PrimaryKeyConstraint("task_id", "fingerprint"),
)

patches = sa.Table(
    "patches",
    metadata,
    _of_task(),
    sa.Column("sha256", PlainText, nullable=False),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Column("change_set", JsonText, nullable=False),
    sa.PrimaryKeyConstraint("task_id", "sha256"),
)

task_events = sa.Table(
    "task_events",
    metadata,
    sa.Column("id", COUNTED, primary_key=True, autoincrement=True),
    sa.Column("type", PlainText, nullable=False),
    sa.Column("subject", PlainText, nullable=False),
    sa.Column("at", MOMENT, nullable=False),
    sa.Column("actor", PlainText, nullable=False),
    sa.Column("data", JsonText, nullable=False),
    sa.Index("ix_task_events_subject_id", "subject", "id"),
    sa.Index("ix_task_events_type_id", "type", "id"),
    sqlite_autoincrement=True,
)

jobs = sa.Table(
    "jobs",
    metadata,
    sa.Column("key", PlainText, primary_key=True),
    sa.Column("title", JsonText, nullable=False),
    sa.Column("prompt", JsonText, nullable=False),
    sa.Column("priority", PlainText, nullable=False),
    sa.Column("status", PlainText, nullable=False),
    sa.Column("reason", JsonText, nullable=False),
    sa.Column("depends_on", JsonText, nullable=False),
    sa.Column("branch", JsonText, nullable=False),
    sa.Column("files", JsonText, nullable=False),
    sa.Column("checklist", JsonText, nullable=False),
    sa.Column("checks", JsonText, nullable=False, server_default="[]"),
    sa.Column("estimate", JsonText, nullable=False),
    sa.Column("notes", JsonText, nullable=False),
    sa.Column("backlog", PlainText, nullable=False),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Column("repository", PlainText, nullable=False),
    sa.Column("base_branch", PlainText, nullable=False),
    sa.Column("task_id", PlainText, nullable=False),
    sa.Column("merge_commit", PlainText, nullable=False),
    sa.Column("started_at", MOMENT),
    sa.Column("finished_at", MOMENT),
    sa.Column("queued_at", MOMENT),
    sa.Column("held", PlainText, nullable=False, server_default=""),
    sa.Column("skipped", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("pinned", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("placed_rank", sa.Integer),
    sa.Column("place", sa.Double),
    sa.Column("shares_files", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("not_before", MOMENT),
    sa.Column("schedule", PlainText, nullable=False, server_default=""),
    sa.Column("occurrence", sa.Integer, nullable=False, server_default="1"),
    sa.Column("best_of", sa.Integer, nullable=False, server_default="1"),
    sa.CheckConstraint("key <> ''", name="key_not_empty"),
    sa.Index("ix_jobs_order", "backlog", "position", "key"),
    sa.Index("ix_jobs_status_order", "status", "backlog", "position", "key"),
)

attempts = sa.Table(
    "attempts",
    metadata,
    sa.Column("mark", PlainText, primary_key=True),
    sa.Column("job_key", PlainText, sa.ForeignKey("jobs.key", ondelete="CASCADE"), nullable=False),
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("state", PlainText, nullable=False),
    sa.Column("task_id", PlainText, nullable=False),
    sa.Column("feedback_rounds", sa.Integer, nullable=False),
    sa.Column("delivered_commit", PlainText, nullable=False),
    sa.Column("created_at", MOMENT),
    sa.Column("updated_at", MOMENT),
    sa.Column("account", PlainText, nullable=False, server_default="default"),
    sa.Column("lane", sa.Integer, nullable=False, server_default="0"),
    sa.Column("occurrence", sa.Integer, nullable=False, server_default="1"),
    sa.Column("tries", sa.Integer, nullable=False, server_default="1"),
    sa.Column("start_branch", PlainText, nullable=False, server_default=""),
    sa.Column("carries", PlainText, nullable=False, server_default=""),
    sa.Column("answers", sa.Integer, nullable=False, server_default="0"),
    sa.Column("nudges", sa.Integer, nullable=False, server_default="0"),
    sa.Column("nudged_at", MOMENT),
    _sort_at(),
    sa.UniqueConstraint("job_key", "number"),
    sa.CheckConstraint("number >= 1", name="number_from_one"),
    sa.Index(
        "uq_attempts_one_live", "job_key", "lane", unique=True,
        sqlite_where=sa.text("state IN ('intended', 'live')"),
        postgresql_where=sa.text("state IN ('intended', 'live')"),
    ),
    sa.Index("ix_attempts_created", "sort_at", "mark"),
)  # fmt: skip

_REVIEWED = ("sort_at", "job_key", "delivered_commit", "base_commit")

reviews = sa.Table(
    "reviews",
    metadata,
    sa.Column("job_key", PlainText, sa.ForeignKey("jobs.key", ondelete="CASCADE"), nullable=False),
    sa.Column("delivered_commit", PlainText, nullable=False),
    sa.Column("base_commit", PlainText, nullable=False),
    sa.Column("at", MOMENT),
    sa.Column("review", JsonText, nullable=False),
    _sort_at(),
    sa.Column("verdict", PlainText, nullable=False, server_default=""),
    sa.PrimaryKeyConstraint("job_key", "delivered_commit", "base_commit"),
    sa.Index("ix_reviews_at", *_REVIEWED),
    sa.Index("ix_reviews_verdict_at", "verdict", *_REVIEWED),
)

notes = sa.Table(
    "notes",
    metadata,
    sa.Column("name", PlainText, primary_key=True),
    sa.Column("value", PlainText, nullable=False),
)

quota_ledger = sa.Table(
    "quota_ledger",
    metadata,
    sa.Column("id", COUNTED, primary_key=True, autoincrement=True),
    sa.Column("account", PlainText, nullable=False),
    sa.Column("kind", PlainText, nullable=False),
    sa.Column("at", MOMENT, nullable=False),
    sa.Column("mark", PlainText, nullable=False),
    sa.Column("until", MOMENT),
    sa.CheckConstraint("kind IN ('start', 'refusal')", name="kind_known"),
    sa.Index("ix_quota_ledger_at", "at"),
    sa.Index(
        "uq_quota_ledger_start", "mark", unique=True,
        sqlite_where=sa.text("kind = 'start'"), postgresql_where=sa.text("kind = 'start'"),
    ),
    sqlite_autoincrement=True,
)  # fmt: skip

leases = sa.Table(
    "leases",
    metadata,
    sa.Column("name", PlainText, primary_key=True),
    sa.Column("owner", PlainText, nullable=False),
    sa.Column("token", sa.Integer, nullable=False),
    sa.Column("until", MOMENT, nullable=False),
)

review_runs = sa.Table(
    "review_runs",
    metadata,
    sa.Column("id", PlainText, primary_key=True),
    sa.Column("job_key", PlainText, sa.ForeignKey("jobs.key", ondelete="CASCADE"), nullable=False),
    sa.Column("mark", PlainText, nullable=False),
    sa.Column("delivered_commit", PlainText, nullable=False),
    sa.Column("branch", PlainText, nullable=False),
    sa.Column("base_commit", PlainText, nullable=False),
    sa.Column("state", PlainText, nullable=False),
    sa.Column("owner", PlainText, nullable=False),
    sa.Column("tries", sa.Integer, nullable=False),
    sa.Column("due", MOMENT, nullable=False),
    sa.Column("error", JsonText, nullable=False),
    sa.Column("together", sa.Text, nullable=False, server_default="[]"),
    sa.CheckConstraint("state IN ('queued', 'running', 'failed')", name="state_known"),
    sa.Index("ix_review_runs_state_due", "state", "due"),
)

access_keys = sa.Table(
    "access_keys",
    metadata,
    sa.Column("id", PlainText, primary_key=True),
    sa.Column("name", PlainText, nullable=False),
    sa.Column("role", PlainText, nullable=False),
    sa.Column("digest", PlainText, nullable=False),
    sa.Column("scopes", JsonText, nullable=False),
    sa.Column("created_at", MOMENT, nullable=False),
    sa.Column("created_by", PlainText, nullable=False),
    sa.Column("expires_at", MOMENT),
    sa.Column("revoked_at", MOMENT),
    sa.Column("last_used_at", MOMENT),
    sa.CheckConstraint("role IN ('viewer', 'operator', 'admin')", name="role_known"),
)

sign_in_tokens = sa.Table(
    "sign_in_tokens",
    metadata,
    sa.Column("digest", PlainText, primary_key=True),
    sa.Column("kind", PlainText, nullable=False),
    sa.Column("expires_at", MOMENT, nullable=False),
    sa.Column("data", JsonText, nullable=False),
    sa.CheckConstraint("kind IN ('link', 'oidc')", name="kind_known"),
    sa.Index("ix_sign_in_tokens_expires_at", "expires_at"),
)

web_sessions = sa.Table(
    "web_sessions",
    metadata,
    sa.Column("digest", PlainText, primary_key=True),
    sa.Column("name", PlainText, nullable=False),
    sa.Column("role", PlainText, nullable=False),
    sa.Column("origin", PlainText, nullable=False),
    sa.Column("created_at", MOMENT, nullable=False),
    sa.Column("seen_at", MOMENT, nullable=False),
    sa.Column("expires_at", MOMENT, nullable=False),
    sa.CheckConstraint("role IN ('viewer', 'operator', 'admin')", name="role_known"),
    sa.Index("ix_web_sessions_name", "name"),
    sa.Index("ix_web_sessions_expires_at", "expires_at"),
)

audit_log = sa.Table(
    "audit_log",
    metadata,
    sa.Column("number", COUNTED, primary_key=True, autoincrement=False),
    sa.Column("at", MOMENT, nullable=False),
    sa.Column("actor", PlainText, nullable=False),
    sa.Column("kind", PlainText, nullable=False),
    sa.Column("operation", PlainText, nullable=False),
    sa.Column("resource", PlainText, nullable=False),
    sa.Column("result", PlainText, nullable=False),
    sa.Column("request_id", PlainText, nullable=False),
    sa.Column("address", PlainText, nullable=False),
    sa.Column("before", JsonText),
    sa.Column("after", JsonText),
    sa.Column("previous_hash", PlainText, nullable=False),
    sa.Column("hash", PlainText, nullable=False),
    sa.Column("removed_through", COUNTED),
    sa.CheckConstraint("number >= 1", name="number_from_one"),
    sa.CheckConstraint("removed_through < number", name="removes_what_is_older"),
    sa.Index("ix_audit_log_at", "at"),
    sa.Index("ix_audit_log_actor_number", "actor", "number"),
    sa.Index("ix_audit_log_resource_number", "resource", "number"),
    sa.Index("ix_audit_log_removed_through", "removed_through"),
)
"""Append-only: triggers of migration 0005 refuse every change, and every removal of an entry that no
anchor entry covers (`removed_through`)."""

idempotent_requests = sa.Table(
    "idempotent_requests",
    metadata,
    sa.Column("owner", PlainText, nullable=False),
    sa.Column("key", PlainText, nullable=False),
    sa.Column("fingerprint", PlainText, nullable=False),
    sa.Column("token", PlainText, nullable=False),
    sa.Column("leased_until", MOMENT, nullable=False),
    sa.Column("kept_until", MOMENT, nullable=False),
    sa.Column("status", sa.Integer),
    sa.Column("headers", JsonText),
    sa.Column("body", sa.LargeBinary),
    sa.PrimaryKeyConstraint("owner", "key"),
    sa.Index("ix_idempotent_requests_kept_until", "kept_until"),
)
"""Requests that may be repeated; `status` is there once the answer is."""

webhook_endpoints = sa.Table(
    "webhook_endpoints",
    metadata,
    sa.Column("id", PlainText, primary_key=True),
    sa.Column("url", PlainText, nullable=False),
    sa.Column("description", PlainText, nullable=False),
    sa.Column("types", JsonText, nullable=False),
    sa.Column("subjects", JsonText, nullable=False),
    sa.Column("secret", PlainText, nullable=False),
    sa.Column("old_secret", PlainText, nullable=False),
    sa.Column("old_secret_until", MOMENT),
    sa.Column("enabled", sa.Boolean, nullable=False),
    sa.Column("disabled_reason", PlainText, nullable=False),
    sa.Column("failing_since", MOMENT),
    sa.Column("cursor", sa.BigInteger, nullable=False),
    sa.Column("created_at", MOMENT, nullable=False),
    sa.CheckConstraint("url <> ''", name="webhook_url_not_empty"),
)

webhook_deliveries = sa.Table(
    "webhook_deliveries",
    metadata,
    sa.Column("id", COUNTED, primary_key=True, autoincrement=True),
    sa.Column(
        "endpoint_id", PlainText, sa.ForeignKey("webhook_endpoints.id", ondelete="CASCADE"),
        nullable=False,
    ),
    sa.Column("event_id", sa.BigInteger, nullable=False),
    sa.Column("event_type", PlainText, nullable=False),
    sa.Column("state", PlainText, nullable=False),
    sa.Column("tries", sa.Integer, nullable=False),
    sa.Column("due", MOMENT, nullable=False),
    sa.Column("status", sa.Integer),
    sa.Column("latency_ms", sa.Integer),
    sa.Column("answer", JsonText, nullable=False),
    sa.Column("error", JsonText, nullable=False),
    sa.Column("created_at", MOMENT, nullable=False),
    sa.Column("finished_at", MOMENT),
    sa.UniqueConstraint("endpoint_id", "event_id", name="uq_webhook_deliveries_event"),
    sa.CheckConstraint(
        "state IN ('pending', 'delivered', 'failed')", name="webhook_delivery_state_known"
    ),
    sa.Index("ix_webhook_deliveries_state_due", "state", "due"),
    sa.Index("ix_webhook_deliveries_endpoint_id", "endpoint_id", "id"),
    sqlite_autoincrement=True,
)  # fmt: skip
