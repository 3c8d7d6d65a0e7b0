"""Runs what looks after a program beside the program itself, and shows what it knows."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import Depends, FastAPI, Request
from starlette.responses import PlainTextResponse

from jules_job_manager._version import __version__
from jules_job_manager.bootstrap.operations import Operations
from jules_job_manager.domain.access import Permission
from jules_job_manager.errors import AccessDeniedError, SignInRequiredError
from jules_job_manager.settings.model import MetricsSettings
from jules_job_manager.web.access import gate_of, needs, public
from jules_job_manager.web.health import health_router
from jules_job_manager.web.metrics import metrics_app, metrics_endpoint, served_metrics

_LOG = logging.getLogger(__name__)


@asynccontextmanager
async def operated(operations: Operations, settings: MetricsSettings) -> AsyncIterator[None]:
    """Follow the event log and look after the checks while the block runs.

    With `metrics.port` the metrics are also served there.

    Raises:
        ConfigurationError: that port cannot be listened on.
    """
    running = asyncio.ensure_future(operations.run())
    running.add_done_callback(_told)
    try:
        if not settings.port:
            yield
            return
        app = metrics_app(operations, operations.refresh)
        async with served_metrics(app, host=settings.host, port=settings.port):
            yield
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


def add_operations(app: FastAPI, operations: Operations) -> None:
    """Add the routes of health, which are for everybody, and that of metrics.

    Details of health are for those who may see them; others learn only how the whole is.
    """
    router = health_router(operations.health, version=__version__, may_see_details=_may_see_details)
    app.include_router(router, dependencies=[Depends(public)])
    app.add_api_route(
        "/metrics", metrics_endpoint(operations, operations.refresh), methods=["GET"],
        dependencies=[Depends(needs(Permission.METRICS_READ))], tags=["metrics"],
        operation_id="get_metrics", response_class=PlainTextResponse,
    )  # fmt: skip


async def _may_see_details(request: Request) -> bool:
    try:
        await gate_of(request).require(request, Permission.HEALTH_READ)
    except (SignInRequiredError, AccessDeniedError):
        return False
    return True


def _told(running: asyncio.Future[None]) -> None:
    """Write down that it ended by itself: health then says that nobody looks any more."""
    if not running.cancelled() and (error := running.exception()) is not None:
        _LOG.error("metrics and health are no longer kept up", exc_info=error)
