"""What the audit log calls the route that a request found."""

from __future__ import annotations

from starlette.requests import HTTPConnection


def operation_of(connection: HTTPConnection) -> str:
    """Return `api.` and the route's operation id, or else its name; `api.unknown` when there is none."""
    route = connection.scope.get("route")
    name = getattr(route, "operation_id", None) or getattr(route, "name", None) or "unknown"
    return f"api.{name}"
