"""The first schema."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

MOMENT = sa.String(27).with_variant(sa.DateTime(timezone=True), "postgresql")


def upgrade() -> None:
    """Bring the schema forward."""
    op.create_table(
        "jobs",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("prompt", sa.Text(), nullable=False),
        sa.Column("priority", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("depends_on", sa.Text(), nullable=False),
        sa.Column("branch", sa.Text(), nullable=False),
        sa.Column("files", sa.Text(), nullable=False),
        sa.Column("checklist", sa.Text(), nullable=False),
        sa.Column("estimate", sa.Text(), nullable=False),
        sa.Column("notes", sa.Text(), nullable=False),
        sa.Column("backlog", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("repository", sa.Text(), nullable=False),
        sa.Column("base_branch", sa.Text(), nullable=False),
        sa.Column("task_id", sa.Text(), nullable=False),
        sa.Column("merge_commit", sa.Text(), nullable=False),
        sa.Column("started_at", MOMENT, nullable=True),
        sa.Column("finished_at", MOMENT, nullable=True),
        sa.CheckConstraint("key <> ''", name=op.f("ck_jobs_key_not_empty")),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_jobs")),
    )
    with op.batch_alter_table("jobs", schema=None) as batch_op:
        batch_op.create_index("ix_jobs_order", ["backlog", "position", "key"], unique=False)
        batch_op.create_index(
            "ix_jobs_status_order", ["status", "backlog", "position", "key"], unique=False
        )

    op.create_table(
        "notes",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_notes")),
    )
    op.create_table(
        "task_events",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_task_events")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("task_events", schema=None) as batch_op:
        batch_op.create_index("ix_task_events_subject_id", ["subject", "id"], unique=False)

    op.create_table(
        "tasks",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("repository", sa.Text(), nullable=False),
        sa.Column("branch", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=True),
        sa.Column("updated_at", MOMENT, nullable=True),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("plan", sa.Text(), nullable=True),
        sa.Column("outputs", sa.Text(), nullable=False),
        sa.Column("raw_state", sa.Text(), nullable=False),
        sa.Column("working_branch", sa.Text(), nullable=False),
        sa.Column("require_plan_approval", sa.Boolean(), nullable=True),
        sa.Column("archived", sa.Boolean(), nullable=False),
        sa.Column("backend", sa.Text(), nullable=False),
        sa.Column("seen_at", MOMENT, nullable=True),
        sa.Column("metadata", sa.Text(), nullable=False),
        sa.Column("sort_at", MOMENT, nullable=False),
        sa.CheckConstraint("id <> ''", name=op.f("ck_tasks_id_not_empty")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tasks")),
    )
    with op.batch_alter_table("tasks", schema=None) as batch_op:
        batch_op.create_index(
            "ix_tasks_backend_newest", ["backend", "archived", "sort_at", "id"], unique=False
        )
        batch_op.create_index("ix_tasks_newest", ["sort_at", "id"], unique=False)
        batch_op.create_index(
            "ix_tasks_repository_newest", ["repository", "sort_at", "id"], unique=False
        )
        batch_op.create_index("ix_tasks_status_newest", ["status", "sort_at", "id"], unique=False)

    op.create_table(
        "activities",
        sa.Column("task_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("activity", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["task_id"], ["tasks.id"], name=op.f("fk_activities_task_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("task_id", "id", name=op.f("pk_activities")),
        sa.UniqueConstraint("task_id", "position", name=op.f("uq_activities_task_id_position")),
    )
    op.create_table(
        "attempts",
        sa.Column("mark", sa.Text(), nullable=False),
        sa.Column("job_key", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("task_id", sa.Text(), nullable=False),
        sa.Column("feedback_rounds", sa.Integer(), nullable=False),
        sa.Column("delivered_commit", sa.Text(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=True),
        sa.Column("updated_at", MOMENT, nullable=True),
        sa.CheckConstraint("number >= 1", name=op.f("ck_attempts_number_from_one")),
        sa.ForeignKeyConstraint(
            ["job_key"], ["jobs.key"], name=op.f("fk_attempts_job_key"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("mark", name=op.f("pk_attempts")),
        sa.UniqueConstraint("job_key", "number", name=op.f("uq_attempts_job_key_number")),
    )
    with op.batch_alter_table("attempts", schema=None) as batch_op:
        batch_op.create_index(
            "uq_attempts_one_live",
            ["job_key"],
            unique=True,
            sqlite_where=sa.text("state IN ('intended', 'live')"),
            postgresql_where=sa.text("state IN ('intended', 'live')"),
        )

    op.create_table(
        "chat_messages",
        sa.Column("task_id", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["task_id"], ["tasks.id"], name=op.f("fk_chat_messages_task_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("task_id", "position", name=op.f("pk_chat_messages")),
    )
    op.create_table(
        "patches",
        sa.Column("task_id", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("change_set", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["task_id"], ["tasks.id"], name=op.f("fk_patches_task_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("task_id", "sha256", name=op.f("pk_patches")),
    )
    op.create_table(
        "plans",
        sa.Column("task_id", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("plan", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["task_id"], ["tasks.id"], name=op.f("fk_plans_task_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("task_id", "fingerprint", name=op.f("pk_plans")),
    )
    op.create_table(
        "reviews",
        sa.Column("job_key", sa.Text(), nullable=False),
        sa.Column("delivered_commit", sa.Text(), nullable=False),
        sa.Column("base_commit", sa.Text(), nullable=False),
        sa.Column("at", MOMENT, nullable=True),
        sa.Column("review", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["job_key"], ["jobs.key"], name=op.f("fk_reviews_job_key"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint(
            "job_key", "delivered_commit", "base_commit", name=op.f("pk_reviews")
        ),
    )
    op.create_table(
        "source_files",
        sa.Column("task_id", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("file", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["task_id"], ["tasks.id"], name=op.f("fk_source_files_task_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("task_id", "position", name=op.f("pk_source_files")),
    )


def downgrade() -> None:
    """Take the schema back."""
    op.drop_table("source_files")
    op.drop_table("reviews")
    op.drop_table("plans")
    op.drop_table("patches")
    op.drop_table("chat_messages")
    with op.batch_alter_table("attempts", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_attempts_one_live",
            sqlite_where=sa.text("state IN ('intended', 'live')"),
            postgresql_where=sa.text("state IN ('intended', 'live')"),
        )

    op.drop_table("attempts")
    op.drop_table("activities")
    with op.batch_alter_table("tasks", schema=None) as batch_op:
        batch_op.drop_index("ix_tasks_status_newest")
        batch_op.drop_index("ix_tasks_repository_newest")
        batch_op.drop_index("ix_tasks_newest")
        batch_op.drop_index("ix_tasks_backend_newest")

    op.drop_table("tasks")
    with op.batch_alter_table("task_events", schema=None) as batch_op:
        batch_op.drop_index("ix_task_events_subject_id")

    op.drop_table("task_events")
    op.drop_table("notes")
    with op.batch_alter_table("jobs", schema=None) as batch_op:
        batch_op.drop_index("ix_jobs_status_order")
        batch_op.drop_index("ix_jobs_order")

    op.drop_table("jobs")
