"""Called by Alembic: runs the migrations on the connection it was handed."""

from alembic import context

from jules_job_manager.adapters.storage.sql.schema import metadata

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=metadata,
    render_as_batch=True,
)
context.run_migrations()
