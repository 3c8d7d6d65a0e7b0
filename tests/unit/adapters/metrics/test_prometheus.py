"""Metrics as Prometheus reads them."""

from __future__ import annotations

import math

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as open_metrics
from prometheus_client.parser import text_string_to_metric_families as plain

from jules_job_manager.adapters.metrics.prometheus import PrometheusMeter
from jules_job_manager.domain.measures import METRICS, Kind

OPEN = "application/openmetrics-text; version=1.0.0"


def _value(meter, name, **labels):
    return meter.registry.get_sample_value(name, labels)


def test_every_metric_is_declared_from_the_start():
    """In both forms; those without labels have a value at once."""
    meter = PrometheusMeter()
    body, media_type = meter.exposition("text/plain")
    assert media_type.startswith("text/plain")
    found = {family.name for family in plain(body.decode())}
    wanted = {m.name.removesuffix("_total") for m in METRICS}
    assert wanted <= found
    assert "process_resident_memory_bytes" in found
    body, media_type = meter.exposition(OPEN)
    assert media_type.startswith("application/openmetrics-text")
    assert wanted <= {family.name for family in open_metrics(body.decode())}


def test_counters_gauges_and_times():
    """Each does what its kind says."""
    meter = PrometheusMeter()
    meter.add("jules_dispatches_total", account="work")
    meter.add("jules_dispatches_total", 2, account="work")
    assert 3 == _value(meter, "jules_dispatches_total", account="work")
    meter.put("jules_active_tasks", 7)
    assert 7 == _value(meter, "jules_active_tasks")
    meter.add("jules_task_duration_seconds", 90, status="failed")
    assert 1 == _value(meter, "jules_task_duration_seconds_count", status="failed")
    assert 0 == _value(meter, "jules_task_duration_seconds_bucket", status="failed", le="60.0")
    assert 1 == _value(meter, "jules_task_duration_seconds_bucket", status="failed", le="300.0")


def test_what_is_gone_becomes_0():
    """A status without jobs must not stay at its last count."""
    meter = PrometheusMeter()
    meter.put_all("jules_jobs", "status", {"ready": 3, "done": 1})
    meter.put_all("jules_jobs", "status", {"done": 4})
    assert (0, 4) == tuple(_value(meter, "jules_jobs", status=s) for s in ("ready", "done"))


@pytest.mark.parametrize(
    "use",
    [
        lambda meter: meter.add("jules_no_such_total"),
        lambda meter: meter.add("jules_dispatches_total"),
        lambda meter: meter.add("jules_merges_total", repository="octo/demo"),
        lambda meter: meter.put("jules_merges_total", 1),
        lambda meter: meter.add("jules_active_tasks"),
        lambda meter: meter.add("jules_merges_total", -1),
    ],
)
def test_a_mistake_in_the_program_is_not_measured(use):
    """No series that nobody declared."""
    with pytest.raises(ValueError, match=r"there is no|must be non-negative|Counters can only"):
        use(PrometheusMeter())


def test_a_value_shows_the_trace_it_came_from():
    """Only in OpenMetrics, which has a place for it."""
    meter = PrometheusMeter(trace_id=lambda: "0af7651916cd43dd8448eb211c80319c")
    meter.add("jules_api_request_duration_seconds", 0.03, method="GET", route="/x", status="2xx")
    body, _ = meter.exposition(OPEN)
    found = [
        (sample.exemplar.labels, sample.exemplar.value)
        for family in open_metrics(body.decode())
        for sample in family.samples
        if sample.exemplar
    ]
    assert [({"trace_id": "0af7651916cd43dd8448eb211c80319c"}, 0.03)] == found
    body, _ = meter.exposition("text/plain")
    assert b"trace_id" not in body


def test_two_meters_know_nothing_of_each_other():
    """No registry of the whole process: a test or a second application starts from nothing."""
    first, second = PrometheusMeter(), PrometheusMeter()
    first.add("jules_merges_total")
    assert (1, 0) == (_value(first, "jules_merges_total"), _value(second, "jules_merges_total"))


def test_buckets_rise():
    """And end before infinity, which the library adds."""
    for metric in METRICS:
        assert list(metric.buckets) == sorted(set(metric.buckets))
        assert math.inf not in metric.buckets
        assert metric.kind in Kind
