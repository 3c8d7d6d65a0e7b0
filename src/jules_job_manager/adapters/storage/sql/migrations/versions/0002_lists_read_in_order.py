"""Indexes by which every list of tasks is read in order, and ids by code points in every locale."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_BEFORE = {
    "ix_tasks_newest": ["sort_at", "id"],
    "ix_tasks_backend_newest": ["backend", "archived", "sort_at", "id"],
    "ix_tasks_status_newest": ["status", "sort_at", "id"],
    "ix_tasks_repository_newest": ["repository", "sort_at", "id"],
}
_AFTER = {
    "ix_tasks_newest": ["sort_at", "id", "archived"],
    "ix_tasks_backend_newest": ["backend", "sort_at", "id", "archived"],
    "ix_tasks_status_newest": ["status", "sort_at", "id", "archived"],
    "ix_tasks_repository_newest": ["repository", "sort_at", "id", "archived"],
    "ix_tasks_backend_status_newest": ["backend", "status", "sort_at", "id", "archived"],
    "ix_tasks_backend_repository_newest": ["backend", "repository", "sort_at", "id", "archived"],
}


def upgrade() -> None:
    """Bring the schema forward."""
    _replace(_BEFORE, _AFTER)
    _order_ids(sa.Text(), sa.Text(collation="C"))


def downgrade() -> None:
    """Take the schema back."""
    _order_ids(sa.Text(collation="C"), sa.Text(collation="default"))
    _replace(_AFTER, _BEFORE)


def _replace(old: dict[str, list[str]], new: dict[str, list[str]]) -> None:
    for name in old:
        op.drop_index(name, "tasks")
    for name, columns in new.items():
        op.create_index(name, "tasks", columns)


def _order_ids(old: sa.Text, new: sa.Text) -> None:
    if op.get_bind().dialect.name == "postgresql":  # SQLite orders by code points
        op.alter_column("tasks", "id", existing_type=old, type_=new, existing_nullable=False)
