"""Deliveries may be checked together, and jobs have checks of their own."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema forward."""
    op.add_column(
        "review_runs", sa.Column("together", sa.Text(), nullable=False, server_default="[]")
    )
    op.add_column("jobs", sa.Column("checks", sa.Text(), nullable=False, server_default="[]"))


def downgrade() -> None:
    """Bring the schema back."""
    op.drop_column("jobs", "checks")
    op.drop_column("review_runs", "together")
