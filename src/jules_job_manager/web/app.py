"""The whole interface: routes, errors, limits and its description."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TYPE_CHECKING

from fastapi import Depends, FastAPI
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import HTTPConnection
from starlette.responses import JSONResponse

from jules_job_manager._version import __version__
from jules_job_manager.domain.access import Permission
from jules_job_manager.domain.health import Found
from jules_job_manager.services.health import HealthCheck
from jules_job_manager.web import problems
from jules_job_manager.web.access import gate_of, needs, public
from jules_job_manager.web.cross_origin import ALLOWED, EXPOSED
from jules_job_manager.web.describing import describe
from jules_job_manager.web.doors import install, reopen, require_known_endpoints
from jules_job_manager.web.live import live_router, stream_policy
from jules_job_manager.web.metrics import RequestTimes
from jules_job_manager.web.operations import add_operations
from jules_job_manager.web.parameters import KnownParameters
from jules_job_manager.web.requests import Requests
from jules_job_manager.web.routes import (
    attempts,
    audit,
    backlogs,
    events,
    jobs,
    keys,
    queue,
    tasks,
    upkeep,
    webhooks,
)
from jules_job_manager.web.tracing import RequestContext, telemetry_of

if TYPE_CHECKING:
    from jules_job_manager.bootstrap.service import Service
    from jules_job_manager.settings.model import Settings

PREFIX = "/api/v1"
_ABOUT = """See and steer the work that Jules does: tasks, the queue, reviews, quota and events.

Send a key as `Authorization: Bearer KEY` or `X-API-Key: KEY`. Every error is
`application/problem+json` with a stable `code`. Lists are read page by page with `next_cursor`.
A POST with an `Idempotency-Key` is done once, however often it is sent. Changes may carry
`If-Match` with the `ETag` of what was read.
"""


def create_app(
    service: Service,
    *,
    lifespan: Callable[[FastAPI], AbstractAsyncContextManager[None]] | None = None,
) -> FastAPI:
    """Return the application on the parts of `service`.

    Args:
        service: What the routes use.
        lifespan: What runs beside it; None: nothing.

    Raises:
        ConfigurationError, MissingExtraError: a setting cannot be used.
    """
    tracer = service.tracer
    app = FastAPI(
        title="Jules Job Manager", version=__version__, summary="The control plane for Jules.",
        description=_ABOUT, openapi_url=None, docs_url=None, redoc_url=None,
        lifespan=lifespan or _nothing, responses=problems.ALWAYS,
        separate_input_output_schemas=False, redirect_slashes=False,
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
        telemetry=telemetry_of(None if tracer is None else tracer.provider),
    )  # fmt: skip
    app.state.service = service
    parts = service.app
    known = [Depends(KnownParameters())]
    for often in (tasks, queue, events):
        app.include_router(often.reads, prefix=PREFIX, dependencies=known)
    install(app, store=parts.store, settings=parts.settings, clock=parts.clock)

    async def use(settings: Settings) -> None:
        await reopen(app, store=parts.store, settings=settings, clock=parts.clock)

    async def look_at_limits() -> Found:
        limits = app.state.gate.limits
        return Found(message="Requests are not limited.") if limits is None else await limits.look()

    service.watch.subscribe(use)
    counting = HealthCheck(name="rate_limits", probe=look_at_limits, is_critical=False)
    service.operations.health.add(counting)

    async def may_follow(connection: HTTPConnection) -> None:
        await gate_of(connection).recheck(connection, Permission.EVENTS_READ)

    for part in (tasks, jobs, attempts, queue, backlogs, keys, audit, upkeep, webhooks):
        # each router within one costs every request
        app.include_router(part.router, prefix=PREFIX, dependencies=known)
    for issuing in (keys.issuing, webhooks.issuing):
        app.include_router(issuing, prefix=PREFIX, dependencies=known)
    follow = live_router(
        service.events.live, stream_policy(parts.settings.live),
        dependencies=[Depends(needs(Permission.EVENTS_READ))], recheck=may_follow,
    )  # fmt: skip
    app.include_router(follow, prefix=PREFIX, dependencies=known)
    # `stream` is no id: after it
    app.include_router(events.router, prefix=PREFIX, dependencies=known)
    add_operations(app, service.operations, with_metrics=parts.settings.metrics.enabled)
    _offer_description(app)
    require_known_endpoints(app, parts.settings)
    problems.add_handlers(app, service.operations.meter, parts.secrets)
    settings = service.app.settings.server
    if settings.cors_origins:
        app.add_middleware(
            CORSMiddleware, allow_origins=list(settings.cors_origins),
            allow_methods=["GET", "POST", "PUT", "PATCH", "DELETE"],
            allow_headers=ALLOWED, expose_headers=EXPOSED,
        )  # fmt: skip
    app.add_middleware(RequestTimes, meter=service.operations.meter)
    app.add_middleware(Requests, most_bytes=settings.max_body_bytes)
    app.add_middleware(RequestContext, trace_id=None if tracer is None else tracer.trace_id)
    describe(app)
    return app


@asynccontextmanager
async def _nothing(app: FastAPI) -> AsyncIterator[None]:
    del app
    yield


def _offer_description(app: FastAPI) -> None:
    """Answer with the description of the interface, which is the same for everybody."""

    @app.get(f"{PREFIX}/openapi.json", dependencies=[Depends(public)], include_in_schema=False)
    async def openapi() -> JSONResponse:
        return JSONResponse(app.openapi())
