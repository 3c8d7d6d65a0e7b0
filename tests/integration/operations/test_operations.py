"""Metrics and health of the whole application, on a real PostgreSQL that is stopped and started."""

from __future__ import annotations

import pytest
from tests.servers import private_postgresql
from tests.waiting import until

from jules_job_manager.bootstrap import open_app
from jules_job_manager.bootstrap.operations import operations_of
from jules_job_manager.domain.health import HealthStatus
from jules_job_manager.domain.task import NewTask
from jules_job_manager.errors import StoreError
from jules_job_manager.ports.lease_store import Lease
from jules_job_manager.settings.load import load_settings

pytestmark = [pytest.mark.integration, pytest.mark.slow]
HEALTHY, DEGRADED, UNHEALTHY = HealthStatus


def _settings(home, **more):
    return load_settings({"JJM_HOME": str(home), "JJM_BACKEND": "simulator", **more})


def _value(operations, name, **labels):
    return operations.meter.registry.get_sample_value(name, labels)


async def test_a_whole_application_on_a_file(tmp_path):
    """Every check is looked at, and a call of Jules is timed."""
    anew = {"JJM_METRICS__SNAPSHOT_SECONDS": "0", "JJM_METRICS__QUOTA_SECONDS": "0"}
    settings = _settings(tmp_path, **anew)
    async with open_app(settings) as app:
        operations = operations_of(app, settings)
        report = await operations.health.check_all()
        assert {"database", "disk", "worker", "clock", "jules"} == set(report.checks)
        assert HEALTHY is report.status, report
        await operations.refresh()
        assert 0 == _value(operations, "jules_health_check", check="jules")
        assert 0 == _value(operations, "jules_queue_leader")
        assert _value(operations, "jules_disk_free_bytes") > 0
        await app.tasks.create_task(NewTask(description="x"))
        await operations.refresh()
        assert 1 == _value(operations, "jules_tasks_created_total")
        assert 1 == _value(operations, "jules_active_tasks")
        assert 14 == _value(operations, "jules_quota_left", account="default")
        calls = "jules_backend_call_duration_seconds_count"
        how = {"account": "default", "outcome": "ok"}
        assert 1 == _value(operations, calls, operation="create_task", **how)
        lease = await app.store.leases.acquire("queue", "host:1:abc", seconds=60)
        assert isinstance(lease, Lease)
        report = await operations.health.check_all()
        assert "host:1:abc runs the queue." == report.checks["worker"].message
        assert 1 == _value(operations, "jules_queue_leader")


async def test_the_json_store(tmp_path):
    """It has neither a queue nor a schema; its tasks are still counted as events."""
    settings = _settings(tmp_path, JJM_STORAGE__BACKEND="json")
    async with open_app(settings) as app:
        operations = operations_of(app, settings)
        report = await operations.health.check_all()
        assert {"database", "disk", "jules"} == set(report.checks)
        await operations.refresh()
        assert operations.exposition("")[0]


async def test_a_database_that_goes_away_and_comes_back(tmp_path):
    """Health says so within a look, metrics are shown all the while, and all recovers by itself."""
    with private_postgresql() as server:
        if server is None:
            pytest.skip("no PostgreSQL: neither the wheel's nor Debian's binaries are here")
        settings = _settings(
            tmp_path, JJM_STORAGE__BACKEND="postgresql", DATABASE_URL=server.address,
            JJM_HEALTH__WORSEN_AFTER="1", JJM_HEALTH__RECOVER_AFTER="1",
        )  # fmt: skip
        async with open_app(settings) as app:
            operations = operations_of(app, settings)
            assert (await operations.health.check_all()).is_ready
            server.stop()
            report = await operations.health.check_all()
            assert not report.is_ready
            assert UNHEALTHY is report.status
            assert UNHEALTHY is report.checks["database"].status
            assert HEALTHY is report.checks["disk"].status
            await operations.refresh()
            assert 2 == _value(operations, "jules_health_check", check="database")
            with pytest.raises(StoreError):
                await operations.events.count()
            server.start()
            assert (await operations.health.check_all()).is_ready


async def test_a_database_that_holds_still(tmp_path):
    """Connected and silent: the check ends at its time limit, and others go on meanwhile."""
    with private_postgresql() as server:
        if server is None:
            pytest.skip("no PostgreSQL: neither the wheel's nor Debian's binaries are here")
        settings = _settings(
            tmp_path, JJM_STORAGE__BACKEND="postgresql", DATABASE_URL=server.address,
            JJM_HEALTH__WORSEN_AFTER="1", JJM_HEALTH__RECOVER_AFTER="1",
            JJM_HEALTH__LIMIT_SECONDS="0.5",
        )  # fmt: skip
        async with open_app(settings) as app:
            operations = operations_of(app, settings)
            await operations.health.check_all()
            with server.silent():
                report = await operations.health.check_all()
            assert UNHEALTHY is report.checks["database"].status
            assert "No answer within 0.5 s." == report.checks["database"].message

            async def is_ready() -> bool:
                return (await operations.health.check_all()).is_ready

            await until(is_ready)
