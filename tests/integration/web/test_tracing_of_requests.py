"""Requests as spans, and the ids that make them findable in the log."""

from __future__ import annotations

import json
import logging

import pytest
from fastapi import FastAPI, Request
from httpx2 import ASGITransport, AsyncClient
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from jules_job_manager.adapters.logs import configure_logging, stop_logging
from jules_job_manager.adapters.metrics.prometheus import PrometheusMeter
from jules_job_manager.adapters.tracing import OpenTelemetryTracer
from jules_job_manager.web.metrics import RequestTimes
from jules_job_manager.web.tracing import RequestContext, telemetry_of

pytestmark = pytest.mark.integration
PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


class World:
    """An application with traces, metrics and a log."""

    def __init__(self) -> None:
        self.exporter = InMemorySpanExporter()
        provider = TracerProvider(shutdown_on_exit=False)
        provider.add_span_processor(SimpleSpanProcessor(self.exporter))
        self.tracer = OpenTelemetryTracer(provider, version="1")
        self.meter = PrometheusMeter(trace_id=self.tracer.trace_id)
        self.app = FastAPI(telemetry=telemetry_of(provider))
        self.app.add_middleware(RequestTimes, meter=self.meter)
        self.app.add_middleware(RequestContext, trace_id=self.tracer.trace_id)

        @self.app.get("/tasks/{task_id}")
        async def one(task_id: str, request: Request) -> dict[str, str]:
            with self.tracer.span("jules.get_task"):
                logging.getLogger("jules_job_manager.web").info("asked for a task")
            return {"id": task_id, "request": request.state.request_id}

        @self.app.get("/health/live")
        async def live() -> dict[str, str]:
            return {}

    def client(self) -> AsyncClient:
        return AsyncClient(transport=ASGITransport(app=self.app), base_url="http://test")


async def test_a_request_is_a_span_around_what_it_does():
    """It goes on the trace of whoever asked; its template is its name, and machinery is left out."""
    world = World()
    async with world.client() as client:
        await client.get("/health/live")
        await client.get("/tasks/7", headers={"traceparent": PARENT})
    inner, outer = world.exporter.get_finished_spans()
    assert ("jules.get_task", "GET /tasks/{task_id}") == (inner.name, outer.name)
    assert outer.context.span_id == inner.parent.span_id
    assert PARENT.split("-")[1] == f"{outer.context.trace_id:032x}"


async def test_ids_are_in_the_log_and_in_the_answer(tmp_path):
    """A person with an answer in hand finds its lines, and from there the trace."""
    world = World()
    handler = configure_logging(
        path=tmp_path / "log", level="info", form="json", retention_days=1, secrets=()
    )
    try:
        async with world.client() as client:
            answer = await client.get("/tasks/7", headers={"traceparent": PARENT})
        logging.getLogger("jules_job_manager.web").info("outside")
    finally:
        stop_logging(handler)
    inside, outside = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]
    given = answer.headers["x-request-id"]
    assert (given, given, PARENT.split("-")[1]) == (
        inside["request_id"], answer.json()["request"], inside["trace_id"],
    )  # fmt: skip
    assert not {"request_id", "trace_id"} & set(outside)


@pytest.mark.parametrize(
    ("given", "is_kept"),
    [("abcdef12-3456", True), ("short", False), ("a b c d e f g h", False), ("x" * 65, False),
     ("evil\x1b[31mwords", False)],
)  # fmt: skip
async def test_an_id_that_came_with_a_request(given, is_kept):
    """One that looks like an id is kept; anything else would be words of others in our log."""
    world = World()
    async with world.client() as client:
        answer = await client.get("/tasks/7", headers={"x-request-id": given})
    assert (answer.headers["x-request-id"] == given) is is_kept


async def test_a_slow_request_shows_its_trace_in_the_metrics():
    """From a bucket of the histogram to the one request that fell into it."""
    world = World()
    async with world.client() as client:
        await client.get("/tasks/7", headers={"traceparent": PARENT})
    body, _ = world.meter.exposition("application/openmetrics-text; version=1.0.0")
    assert f'# {{trace_id="{PARENT.split("-")[1]}"}}'.encode() in body


async def test_without_traces():
    """Nothing is recorded, and ids of requests are still given."""
    app = FastAPI(telemetry=telemetry_of(None))
    app.add_middleware(RequestContext)

    @app.get("/")
    async def root() -> dict[str, str]:
        return {}

    async with AsyncClient(transport=ASGITransport(app=app), base_url="http://test") as client:
        assert 32 == len((await client.get("/")).headers["x-request-id"])
