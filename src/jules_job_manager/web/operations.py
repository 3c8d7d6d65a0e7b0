"""Runs what looks after a program beside the program itself."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from jules_job_manager.bootstrap.operations import Operations
from jules_job_manager.settings.model import MetricsSettings
from jules_job_manager.web.metrics import metrics_app, served_metrics

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


def _told(running: asyncio.Future[None]) -> None:
    """Write down that it ended by itself: health then says that nobody looks any more."""
    if not running.cancelled() and (error := running.exception()) is not None:
        _LOG.error("metrics and health are no longer kept up", exc_info=error)
