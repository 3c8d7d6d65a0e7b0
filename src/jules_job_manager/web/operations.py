"""Runs what looks after a program beside the program itself, and shows what it knows."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import Depends, FastAPI, Request
from starlette.responses import PlainTextResponse

from jules_job_manager._version import __version__
from jules_job_manager.bootstrap.operations import Operations
from jules_job_manager.domain.access import Permission
from jules_job_manager.errors import AccessDeniedError, SignInRequiredError, StoreUnavailableError
from jules_job_manager.settings.model import MetricsSettings
from jules_job_manager.web.access import gate_of, needs, public_by_name, public_uncounted
from jules_job_manager.web.health import health_router, probe_router
from jules_job_manager.web.metrics import (
    metrics_app,
    metrics_endpoint,
    require_safe_metrics,
    served_metrics,
)

_LOG = logging.getLogger(__name__)
PATIENCE_SECONDS = 2.0
"""Health must not hang with the database that knows who asks: longest wait for it."""
MOST_REMEMBERED = 1000
"""Keys and sessions remembered to have seen the details of health."""


@asynccontextmanager
async def operated(operations: Operations, settings: MetricsSettings) -> AsyncIterator[None]:
    """Follow the event log and look after the checks while the block runs.

    With `metrics.port` the metrics are also served there.

    Raises:
        ConfigurationError: that port cannot be listened on, or is open to others.
    """
    require_safe_metrics(settings)
    running = asyncio.ensure_future(operations.run())
    running.add_done_callback(_told)
    try:
        if not (settings.enabled and settings.port):
            yield
            return
        app = metrics_app(operations, operations.refresh)
        async with served_metrics(app, host=settings.host, port=settings.port):
            yield
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


def add_operations(app: FastAPI, operations: Operations, *, with_metrics: bool = True) -> None:
    """Add the routes of health, which are for everybody, and that of metrics.

    Details of health are for those who may see them; others learn only how the whole is. Probes are
    not counted: an orchestrator must never read "too many requests" as "broken". Without
    `with_metrics` (the setting `metrics.enabled`) there is no route of metrics.
    """
    health = operations.health
    app.include_router(probe_router(health), dependencies=[Depends(public_uncounted)])
    app.include_router(
        health_router(health, version=__version__, may_see_details=_MaySee()),
        dependencies=[Depends(public_by_name)],
    )
    if not with_metrics:
        return
    app.add_api_route(
        "/metrics", metrics_endpoint(operations, operations.refresh), methods=["GET"],
        dependencies=[Depends(needs(Permission.METRICS_READ))], tags=["metrics"],
        operation_id="get_metrics", response_class=PlainTextResponse,
    )  # fmt: skip


class _MaySee:
    """Says who may see the details of health.

    While the database that knows them is away, those who lately could see them still can: that is
    when they are needed. Nobody's rights can be taken away meanwhile, since that needs the database.
    Each request is counted once: as that of who asks, or else as that of its address.
    """

    def __init__(self) -> None:
        self._lately: OrderedDict[bytes, None] = OrderedDict()

    async def __call__(self, request: Request) -> bool:
        proof = _proof_of(request)
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                await gate_of(request).require(request, Permission.HEALTH_READ)
        except (SignInRequiredError, AccessDeniedError):
            self._lately.pop(proof, None)
            return False
        except (StoreUnavailableError, TimeoutError):
            await gate_of(request).count_anonymous(request)
            return proof in self._lately
        self._lately[proof] = None
        self._lately.move_to_end(proof)
        if len(self._lately) > MOST_REMEMBERED:
            self._lately.popitem(last=False)
        return True


def _proof_of(request: Request) -> bytes:
    """Return what stands for the key or session that came with a request."""
    sent = [request.headers.get(name, "") for name in ("authorization", "x-api-key", "cookie")]
    return hashlib.sha256("\n".join(sent).encode("utf-8", "surrogateescape")).digest()


def _told(running: asyncio.Future[None]) -> None:
    """Write down that it ended by itself: health then says that nobody looks any more."""
    if not running.cancelled() and (error := running.exception()) is not None:
        _LOG.error("metrics and health are no longer kept up", exc_info=error)
