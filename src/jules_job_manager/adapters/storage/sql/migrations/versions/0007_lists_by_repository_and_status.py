"""Indexes by which tasks of one repository and one status are read in order."""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_NEW = {
    "ix_tasks_repository_status_newest": ["repository", "status", "sort_at", "id", "archived"],
    "ix_tasks_backend_repository_status_newest": [
        "backend", "repository", "status", "sort_at", "id", "archived",
    ],
}  # fmt: skip


def upgrade() -> None:
    """Bring the schema forward."""
    for name, columns in _NEW.items():
        op.create_index(name, "tasks", columns)


def downgrade() -> None:
    """Take the schema back."""
    for name in _NEW:
        op.drop_index(name, "tasks")
