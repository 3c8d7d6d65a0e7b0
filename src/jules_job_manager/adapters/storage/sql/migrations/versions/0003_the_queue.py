"""What the queue needs: order, schedules, lanes, the quota ledger, leases and review runs."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

MOMENT = sa.String(27).with_variant(sa.DateTime(timezone=True), "postgresql")
LIVE = sa.text("state IN ('intended', 'live')")


def upgrade() -> None:
    """Bring the schema forward."""
    for column in (
        sa.Column("queued_at", MOMENT, nullable=True),
        sa.Column("held", sa.Text(), nullable=False, server_default=""),
        sa.Column("skipped", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("pinned", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("placed_rank", sa.Integer(), nullable=True),
        sa.Column("place", sa.Double(), nullable=True),
        sa.Column("shares_files", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("not_before", MOMENT, nullable=True),
        sa.Column("schedule", sa.Text(), nullable=False, server_default=""),
        sa.Column("occurrence", sa.Integer(), nullable=False, server_default="1"),
        sa.Column("best_of", sa.Integer(), nullable=False, server_default="1"),
    ):
        op.add_column("jobs", column)
    for column in (
        sa.Column("account", sa.Text(), nullable=False, server_default="default"),
        sa.Column("lane", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("occurrence", sa.Integer(), nullable=False, server_default="1"),
        sa.Column("tries", sa.Integer(), nullable=False, server_default="1"),
        sa.Column("start_branch", sa.Text(), nullable=False, server_default=""),
        sa.Column("carries", sa.Text(), nullable=False, server_default=""),
        sa.Column("answers", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("nudges", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("nudged_at", MOMENT, nullable=True),
    ):
        op.add_column("attempts", column)
    op.execute("UPDATE attempts SET tries = number")
    op.drop_index("uq_attempts_one_live", table_name="attempts")
    op.create_index(
        "uq_attempts_one_live", "attempts", ["job_key", "lane"], unique=True,
        sqlite_where=LIVE, postgresql_where=LIVE,
    )  # fmt: skip
    _create_ledger()
    op.create_table(
        "leases",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("token", sa.Integer(), nullable=False),
        sa.Column("until", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_leases")),
    )
    _create_review_runs()


def _create_ledger() -> None:
    op.create_table(
        "quota_ledger",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("mark", sa.Text(), nullable=False),
        sa.Column("until", MOMENT, nullable=True),
        sa.CheckConstraint("kind IN ('start', 'refusal')", name=op.f("ck_quota_ledger_kind_known")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quota_ledger")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_quota_ledger_at", "quota_ledger", ["at"], unique=False)
    starts = sa.text("kind = 'start'")
    op.create_index(
        "uq_quota_ledger_start", "quota_ledger", ["mark"], unique=True,
        sqlite_where=starts, postgresql_where=starts,
    )  # fmt: skip


def _create_review_runs() -> None:
    op.create_table(
        "review_runs",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("job_key", sa.Text(), nullable=False),
        sa.Column("mark", sa.Text(), nullable=False),
        sa.Column("delivered_commit", sa.Text(), nullable=False),
        sa.Column("branch", sa.Text(), nullable=False),
        sa.Column("base_commit", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("due", MOMENT, nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "state IN ('queued', 'running', 'failed')", name=op.f("ck_review_runs_state_known")
        ),
        sa.ForeignKeyConstraint(
            ["job_key"], ["jobs.key"], name=op.f("fk_review_runs_job_key_jobs"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_review_runs")),
    )
    op.create_index("ix_review_runs_state_due", "review_runs", ["state", "due"], unique=False)


def _drop_tickets() -> None:
    """Remove what PgQueuer installed on first use; see adapters/dispatch/pgqueuer_names.py."""
    if op.get_bind().dialect.name != "postgresql":
        return
    for name in ("", "_log", "_statistics", "_schedules"):
        op.execute(f"DROP TABLE IF EXISTS jjm_pgqueuer{name}")
    op.execute("DROP FUNCTION IF EXISTS jjm_fn_pgqueuer_changed")
    op.execute("DROP TYPE IF EXISTS jjm_pgqueuer_status")


def downgrade() -> None:
    """Take the schema back."""
    _drop_tickets()
    op.drop_table("review_runs")
    op.drop_table("leases")
    op.drop_table("quota_ledger")
    # One attempt of each job may stay live where an older version looks at it.
    op.execute(
        "UPDATE attempts SET state = 'abandoned' WHERE lane > 0 AND state IN ('intended', 'live')"
    )
    op.execute("UPDATE attempts SET state = 'abandoned' WHERE state = 'replaced'")
    op.drop_index("uq_attempts_one_live", table_name="attempts")
    op.create_index(
        "uq_attempts_one_live", "attempts", ["job_key"], unique=True,
        sqlite_where=LIVE, postgresql_where=LIVE,
    )  # fmt: skip
    for name in (
        "nudged_at",
        "nudges",
        "answers",
        "carries",
        "start_branch",
        "tries",
        "occurrence",
        "lane",
        "account",
    ):
        op.drop_column("attempts", name)
    for name in ("best_of", "occurrence", "schedule", "not_before", "shares_files", "place",
                 "placed_rank", "pinned", "skipped", "held", "queued_at"):  # fmt: skip
        op.drop_column("jobs", name)
