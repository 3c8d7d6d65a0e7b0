"""The one statement both databases have under different classes."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

INSERT_OPTION = "jjm_insert"
"""Execution option under which an engine carries its database's own INSERT."""


def upsert(connection: AsyncConnection, table: sa.Table) -> Any:
    """Return an INSERT that can say ON CONFLICT, for the connection's database."""
    assert connection.sync_connection is not None
    return connection.sync_connection.get_execution_options()[INSERT_OPTION](table)
