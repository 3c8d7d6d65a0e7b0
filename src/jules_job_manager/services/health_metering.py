"""Puts what the health checks found into the metrics."""

from __future__ import annotations

from jules_job_manager.domain.health import HealthReport
from jules_job_manager.ports.meter import Meter


def put_health(report: HealthReport, meter: Meter) -> None:
    """Set the status of each check, and how long its last look took."""
    states = {name: float(check.status.rank) for name, check in report.checks.items()}
    meter.put_all("jules_health_check", "check", states)
    times = {name: check.latency.total_seconds() for name, check in report.checks.items()}
    meter.put_all("jules_health_check_duration_seconds", "check", times)
