"""Metrics over HTTP."""

from __future__ import annotations

import asyncio

import pytest
from fastapi import APIRouter, FastAPI
from httpx2 import ASGITransport, AsyncClient
from prometheus_client.parser import text_string_to_metric_families
from starlette.responses import StreamingResponse

from jules_job_manager.adapters.metrics.prometheus import PrometheusMeter
from jules_job_manager.errors import ConfigurationError
from jules_job_manager.web.metrics import (
    RequestTimes,
    metrics_app,
    metrics_endpoint,
    served_metrics,
)

pytestmark = pytest.mark.integration


@pytest.fixture
def meter():
    return PrometheusMeter()


async def _nothing() -> None:
    pass


@pytest.fixture
def app(meter):
    """Return an application with routes inside routers, as the real one has."""
    tasks = APIRouter(prefix="/tasks")

    @tasks.get("/{task_id}")
    async def one(task_id: str) -> dict[str, str]:
        if task_id == "broken":
            raise RuntimeError(task_id)
        return {"id": task_id}

    @tasks.get("/{task_id}/stream")
    async def stream(task_id: str) -> StreamingResponse:
        async def parts():
            yield task_id
            await asyncio.Event().wait()

        return StreamingResponse(parts())

    api = APIRouter(prefix="/api/v1")
    api.include_router(tasks)
    made = FastAPI()
    made.include_router(api)
    made.add_api_route("/metrics", metrics_endpoint(meter, _nothing), include_in_schema=False)
    made.add_middleware(RequestTimes, meter=meter)
    return made


@pytest.fixture
async def client(app):
    transport = ASGITransport(app=app, raise_app_exceptions=False)
    async with AsyncClient(transport=transport, base_url="http://test") as made:
        yield made


def _requests(meter) -> dict[tuple[str, str, str], float]:
    name = "jules_api_request_duration_seconds"
    return {
        (s.labels["method"], s.labels["route"], s.labels["status"]): s.value
        for family in meter.registry.collect()
        for s in family.samples
        if s.name == f"{name}_count"
    }


async def test_requests_are_counted_by_template(meter, client):
    """A thousand ids are one series, and paths that exist nowhere are one, too."""
    for number in range(5):
        await client.get(f"/api/v1/tasks/{number}")
        await client.get(f"/scan-{number}.php")
    await client.get("/api/v1/tasks/broken")
    await client.post("/api/v1/tasks/1")
    await client.request("BREW", "/api/v1/tasks/1")
    template = "/api/v1/tasks/{task_id}"
    assert {
        ("GET", template, "2xx"): 5, ("GET", template, "5xx"): 1, ("GET", "unmatched", "4xx"): 5,
        ("POST", template, "4xx"): 1, ("other", template, "4xx"): 1,
    } == _requests(meter)  # fmt: skip
    assert 0 == meter.registry.get_sample_value("jules_api_requests_in_flight")


async def test_a_request_that_is_given_up_is_counted(meter, app):
    """A client that goes away from a stream leaves nothing in flight."""
    scope = {
        "type": "http", "method": "GET", "path": "/api/v1/tasks/1/stream", "headers": [],
        "query_string": b"", "http_version": "1.1", "scheme": "http", "root_path": "",
        "server": ("test", 80), "client": ("test", 1),
    }  # fmt: skip
    begun = asyncio.Event()

    async def receive():
        await asyncio.Event().wait()

    async def send(message):
        if message.get("body"):
            begun.set()

    request = asyncio.ensure_future(app(scope, receive, send))
    await begun.wait()
    assert 1 == meter.registry.get_sample_value("jules_api_requests_in_flight")
    request.cancel()
    await asyncio.gather(request, return_exceptions=True)
    assert 0 == meter.registry.get_sample_value("jules_api_requests_in_flight")
    assert {("GET", "/api/v1/tasks/{task_id}/stream", "4xx"): 1} == _requests(meter)


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        ("*/*", "text/plain"),
        ("", "text/plain"),
        ("application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5",
         "application/openmetrics-text"),
        ("text/html", "text/plain"),
    ],
)  # fmt: skip
async def test_the_form_is_chosen_by_whoever_asks(client, accept, media_type):
    """Prometheus asks for OpenMetrics, a browser gets plain text."""
    answer = await client.get("/metrics", headers={"accept": accept})
    assert answer.headers["content-type"].startswith(media_type)
    assert "jules_merges_total" in answer.text


async def test_a_port_of_its_own(meter):
    """It answers metrics and nothing else, and ends with the block."""
    asked = []

    async def refresh() -> None:
        asked.append(1)

    app = metrics_app(meter, refresh)
    async with served_metrics(app, host="127.0.0.1", port=0) as ((host, port),):
        async with AsyncClient(base_url=f"http://{host}:{port}") as client:
            answer = await client.get("/metrics")
            assert {"jules_tasks_created"} <= {
                family.name for family in text_string_to_metric_families(answer.text)
            }
            assert 404 == (await client.get("/")).status_code
        with pytest.raises(ConfigurationError, match=f"port {port}"):
            async with served_metrics(app, host=host, port=port):
                pass
    assert [1] == asked
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection(host, port)
