"""Traces of requests, by FastAPI's own hooks, and ids that make a request findable in the log."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, MutableMapping
from typing import TYPE_CHECKING, Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.contextvars import bound_contextvars

if TYPE_CHECKING:
    from fastapi.telemetry import TelemetryConfig
    from opentelemetry.trace import TracerProvider

REQUEST_ID = "x-request-id"
_NAME = REQUEST_ID.encode("ascii")
_USABLE = re.compile(rb"[A-Za-z0-9._-]{8,64}")
"""An id that a client gave and that may be kept: it stands in logs and answers."""


def telemetry_of(provider: TracerProvider | None) -> TelemetryConfig:
    """Return what `FastAPI(telemetry=…)` is given.

    Requests become spans, without what their handlers did inside (ours tell that), and without the
    routes that machines ask all the time. Metrics and logs are ours. None: nothing is recorded.
    Source: fastapi 0.165, `fastapi/telemetry/_api.py`.
    """
    config: TelemetryConfig = {
        "tracing": provider is not None, "metrics": False, "logs": False,
        "operation_spans": False, "auto_configure": False, "exclude": _is_machinery,
    }  # fmt: skip
    if provider is not None:
        config["tracer_provider"] = provider
    return config


def _is_machinery(scope: MutableMapping[str, Any]) -> bool:
    return str(scope.get("path", "")).startswith(("/health", "/metrics"))


class RequestContext:
    """ASGI middleware: gives each request an id, and puts it and the trace's into every log line.

    The id is that of the header X-Request-ID, when it looks like one, and goes back with the answer;
    handlers find it as `request.state.request_id`.
    """

    def __init__(self, app: ASGIApp, *, trace_id: Callable[[], str] | None = None) -> None:
        """Bind the application, and what returns the id of the running trace."""
        self._app = app
        self._trace_id = trace_id

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        request_id = _request_id(scope)
        scope.setdefault("state", {})["request_id"] = request_id

        async def named(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], (_NAME, request_id.encode("ascii"))]
            await send(message)

        words = {"request_id": request_id}
        if trace_id := self._trace_id() if self._trace_id is not None else "":
            words["trace_id"] = trace_id
        with bound_contextvars(**words):
            await self._app(scope, receive, named)


def _request_id(scope: Scope) -> str:
    given = next((value for name, value in scope["headers"] if name == _NAME), b"")
    if _USABLE.fullmatch(given):
        return str(given, "ascii")
    return secrets.token_hex(16)
