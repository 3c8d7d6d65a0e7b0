"""What the service says of itself in metrics: live clients, the bus, webhooks, limits, the audit log."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from jules_job_manager.web.access import rules_of
from jules_job_manager.web.app import create_app

pytestmark = pytest.mark.integration


async def test_the_meters_are_fed(client, service):
    """Each number is there once its part has been looked at; none stays empty for want of a wire."""
    await service.look_at_live()
    async with service.running():
        for _ in range(500):
            text = (await client.get("/metrics")).text
            if "jules_audit_chain_intact 1.0" in text:
                break
            await asyncio.sleep(0.01)
    await client.get("/api/v1/jobs/nothing")
    text = (await client.get("/metrics")).text
    for line in (
        "jules_audit_chain_intact 1.0",
        "jules_bus_connected 1.0",
        "jules_live_clients 0.0",
        "jules_webhook_pending 0.0",
        'jules_errors_total{error_type="JJM011"} 1.0',
        'route="/api/v1/jobs/{key}",status="4xx"',
    ):
        assert line in text, line


async def test_metrics_can_be_turned_off(service):
    """`metrics.enabled = false` leaves no route of them; health stays."""
    settings = service.app.settings
    service.app.settings = replace(settings, metrics=replace(settings.metrics, enabled=False))
    paths = {path for _, path in rules_of(create_app(service))}
    assert "/metrics" not in paths
    assert "/health" in paths


async def test_without_a_cache_there_is_no_check_of_it(service):
    """Nobody is told of what was never asked for."""
    checks = service.operations.health.report().checks
    assert "cache" not in checks
    assert "live" in checks
