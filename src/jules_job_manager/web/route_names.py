"""What the audit log calls the route that a request found, and what it is about."""

from __future__ import annotations

from starlette.requests import HTTPConnection

_AT = "/api/v1/"
_KINDS = {
    "tasks": "task", "jobs": "job", "webhooks": "webhook", "keys": "key", "people": "person",
    "backlogs": "backlog", "queue": "queue", "notifications": "notifications",
}  # fmt: skip
"""What a thing is called that has its routes under a word."""
_MOST_LETTERS = 500


def operation_of(connection: HTTPConnection) -> str:
    """Return `api.` and the route's operation id, or else its name; `api.unknown` when there is none."""
    route = connection.scope.get("route")
    name = getattr(route, "operation_id", None) or getattr(route, "name", None) or "unknown"
    return f"api.{name}"


def resource_of(connection: HTTPConnection) -> str:
    """Return what a request is about, as commands beside the store call it: `task:12`, or `queue`.

    It is as the request names it: nobody looked whether it is there. What has no name is the path.
    """
    path: str = connection.scope["path"]
    word = path.removeprefix(_AT).partition("/")[0]
    kind = _KINDS.get(word) if path.startswith(_AT) and "route" in connection.scope else None
    if kind is None:
        return path[:_MOST_LETTERS]
    for reference in connection.path_params.values():
        return f"{kind}:{reference}"[:_MOST_LETTERS]
    return word if path.endswith("/batch") else kind
