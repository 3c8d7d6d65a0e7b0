"""Metrics over HTTP: the time of each request, and the page that Prometheus reads."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Protocol

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from jules_job_manager.domain.measures import OTHER
from jules_job_manager.errors import ConfigurationError
from jules_job_manager.ports.meter import Meter
from jules_job_manager.settings.model import MetricsSettings
from jules_job_manager.web.addresses import is_loopback

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
UNMATCHED = "unmatched"
"""The route of requests that fit none: a scan of paths must not make series without end."""


class Exposition(Protocol):
    """Writes all metrics down."""

    def exposition(self, accept: str) -> tuple[bytes, str]:
        """Return the text and its media type, chosen by an `Accept` header."""
        ...


Refresh = Callable[[], Awaitable[None]]
"""Brings what is shown up to date; never raises, and takes a few seconds at most."""


class RequestTimes:
    """ASGI middleware: times every request, by template of its route, never by its path."""

    def __init__(self, app: ASGIApp, *, meter: Meter) -> None:
        """Measure the requests to `app`."""
        self._app = app
        self._meter = meter
        self._in_flight = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and time it until its answer is complete."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status = 500  # what the server answers when the application raises
        began = time.perf_counter()

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        self._count(1)
        try:
            await self._app(scope, receive, watched)
        except asyncio.CancelledError:
            status = 499  # the client went away. Source: nginx's word for it.
            raise
        finally:
            self._count(-1)
            method = scope["method"] if scope["method"] in METHODS else OTHER
            self._meter.add(
                "jules_api_request_duration_seconds", time.perf_counter() - began,
                method=method, route=route_of(scope), status=f"{status // 100}xx",
            )  # fmt: skip

    def _count(self, change: int) -> None:
        self._in_flight += change
        self._meter.put("jules_api_requests_in_flight", self._in_flight)


def route_of(scope: Scope) -> str:
    """Return the template of the route that a request went to, such as `/api/v1/tasks/{task_id}`.

    FastAPI keeps the route with the prefixes of all routers around it beside the plain one, which
    lacks them. Source: fastapi 0.165, `routing.py`.
    """
    context = (scope.get("fastapi") or {}).get("effective_route_context")
    known = getattr(context, "path_format", None) or getattr(scope.get("route"), "path", None)
    return str(known) if known else UNMATCHED


def metrics_endpoint(
    exposition: Exposition, refresh: Refresh
) -> Callable[[Request], Awaitable[Response]]:
    """Return the function that answers `/metrics`, as text or, where asked for, as OpenMetrics."""

    async def metrics(request: Request) -> Response:
        """Return every metric."""
        await refresh()
        body, media_type = exposition.exposition(request.headers.get("accept", ""))
        headers = {"Content-Type": media_type, "Cache-Control": "no-store", "Vary": "Accept"}
        return Response(body, headers=headers)

    return metrics


def metrics_app(exposition: Exposition, refresh: Refresh) -> Starlette:
    """Return an application that answers `/metrics` and nothing else, for a port of its own."""
    return Starlette(routes=[Route("/metrics", metrics_endpoint(exposition, refresh))])


def require_safe_metrics(settings: MetricsSettings) -> None:
    """Check that nobody on a network gets metrics without a key, unless that is wanted.

    Raises:
        ConfigurationError: the port of their own would listen on more than this machine.
    """
    if not (settings.enabled and settings.port) or settings.allow_public:
        return
    if not is_loopback(settings.host):
        raise ConfigurationError(
            f"On {settings.host} port {settings.port} others would get the metrics without a key.",
            hint="Let Prometheus read /metrics of the service with a key; or set metrics.host to 127.0.0.1; or "
            "set metrics.allow_public when a firewall or a private network keeps strangers out.",
        )


@asynccontextmanager
async def served_metrics(app: ASGIApp, *, host: str, port: int) -> AsyncIterator[Sequence[Any]]:
    """Serve `app` beside what else runs on this loop; yield the addresses it listens on.

    Args:
        app: That of `metrics_app`.
        host: Address to listen on.
        port: 0: any that is free.

    Raises:
        ConfigurationError: the address cannot be listened on.
    """
    config = uvicorn.Config(
        app, host=host, port=port, log_config=None, access_log=False, lifespan="off", ws="none",
        timeout_graceful_shutdown=2, server_header=False,
    )  # fmt: skip
    try:
        listener = await asyncio.to_thread(_listener, host, port)
    except OSError as exc:
        raise ConfigurationError(
            f"Metrics cannot be served on {host} port {port}: {exc.strerror}.",
            hint="Set metrics.host and metrics.port to an address that is free.",
        ) from exc
    server = _Beside(config)
    serving = asyncio.ensure_future(server.serve([listener]))
    try:
        yield [listener.getsockname()]
    finally:
        server.should_exit = True
        await asyncio.gather(serving, return_exceptions=True)
        listener.close()


class _Beside(uvicorn.Server):
    """A server that leaves signals to the program around it."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Take none."""
        yield


def _listener(host: str, port: int) -> Any:
    import socket

    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family)
