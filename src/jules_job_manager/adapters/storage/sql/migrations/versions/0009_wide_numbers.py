"""Numbers of events, entries and deliveries that do not end at 2^31."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

SEQUENCES = ("task_events", "quota_ledger", "webhook_deliveries")
COLUMNS = (
    *((table, "id", False) for table in SEQUENCES),
    ("audit_log", "number", False),
    ("audit_log", "removed_through", True),
)
"""Each with its table, and whether it may be NULL."""


def upgrade() -> None:
    """Bring the schema forward."""
    _change(sa.Integer(), sa.BigInteger(), "bigint")


def downgrade() -> None:
    """Take the schema back."""
    _change(sa.BigInteger(), sa.Integer(), "integer")


def _change(old: sa.types.TypeEngine[int], new: sa.types.TypeEngine[int], name: str) -> None:
    if op.get_bind().dialect.name == "sqlite":
        return  # its INTEGER has 64 bits
    for table, column, is_nullable in COLUMNS:
        op.alter_column(table, column, existing_type=old, type_=new, existing_nullable=is_nullable)
    for table in SEQUENCES:
        op.execute(f"ALTER SEQUENCE {table}_id_seq AS {name}")
