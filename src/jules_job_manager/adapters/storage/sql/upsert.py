"""The one statement both databases have under different classes."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection


def upsert(connection: AsyncConnection, table: sa.Table) -> Any:
    """Return an INSERT that can say ON CONFLICT, for the connection's database."""
    maker: Any = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    return maker(table)
