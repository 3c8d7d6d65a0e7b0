"""What lists of attempts and reviews are sorted and chosen by."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

MOMENT = sa.String(27).with_variant(sa.DateTime(timezone=True), "postgresql")
LONG_AGO = "1970-01-01T00:00:00.000000Z"
VERDICTS = ("accept", "reject", "escalate")
_INDEXES = {
    "ix_attempts_created": ("attempts", ["sort_at", "mark"]),
    "ix_reviews_at": ("reviews", ["sort_at", "job_key", "delivered_commit", "base_commit"]),
    "ix_reviews_verdict_at": (
        "reviews", ["verdict", "sort_at", "job_key", "delivered_commit", "base_commit"],
    ),
}  # fmt: skip


def upgrade() -> None:
    """Bring the schema forward."""
    for table in ("attempts", "reviews"):
        op.add_column(table, sa.Column("sort_at", MOMENT, nullable=False, server_default=LONG_AGO))
    op.add_column("reviews", sa.Column("verdict", sa.Text(), nullable=False, server_default=""))
    op.execute("UPDATE attempts SET sort_at = created_at WHERE created_at IS NOT NULL")
    op.execute("UPDATE reviews SET sort_at = at WHERE at IS NOT NULL")
    for verdict in VERDICTS:
        # Not by functions for JSON: PostgreSQL's refuse texts with NUL, which these may hold. A
        # quotation mark inside a JSON string has a backslash before it, so this is the member.
        update = sa.text("UPDATE reviews SET verdict = :verdict WHERE review LIKE :member")
        op.execute(update.bindparams(verdict=verdict, member=f'%"verdict":"{verdict}"%'))
    for name, (table, columns) in _INDEXES.items():
        op.create_index(name, table, columns)


def downgrade() -> None:
    """Take the schema back."""
    for name, (table, _) in _INDEXES.items():
        op.drop_index(name, table)
    op.drop_column("reviews", "verdict")
    for table in ("reviews", "attempts"):
        op.drop_column(table, "sort_at")
