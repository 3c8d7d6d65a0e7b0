"""Schema migrations, run by Alembic inside the program."""
