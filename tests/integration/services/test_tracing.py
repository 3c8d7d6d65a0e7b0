"""Traces of a queue at work, kept in memory."""

from __future__ import annotations

import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode
from tests.environment import bare_environment
from tests.queue_world import QueueWorld

from jules_job_manager.adapters.tracing import OpenTelemetryTracer, open_tracing
from jules_job_manager.bootstrap import open_app
from jules_job_manager.domain.job import Job
from jules_job_manager.domain.orchestration import Policy
from jules_job_manager.errors import ConfigurationError, MissingExtraError, TaskNotFoundError
from jules_job_manager.settings.load import load_settings

pytestmark = pytest.mark.integration


@pytest.fixture
def exporter():
    return InMemorySpanExporter()


@pytest.fixture
def tracer(exporter):
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    return OpenTelemetryTracer(provider, version="1")


async def test_a_queue_at_work(store, tracer, exporter):
    """The dispatch holds the call that creates the task; the review is told with its job."""
    world = QueueWorld(store, {}, policy=Policy(approve="always"), tracer=tracer)
    await world.open()
    await world.add(Job(key="Task 1", title="t", prompt="p"))
    await world.run_for(1800)
    world.close()
    spans = {span.name: span for span in exporter.get_finished_spans()}
    dispatch, create = spans["queue.dispatch"], spans["jules.create_task"]
    assert {"jjm.job": "Task 1", "jjm.account": "default"} == dict(dispatch.attributes)
    assert dispatch.context.span_id == create.parent.span_id
    assert "Task 1" == spans["review"].attributes["jjm.job"]
    assert spans["review"].end_time >= spans["review"].start_time


def test_an_error_is_told_by_its_code(tracer, exporter):
    """Its message may quote what others wrote, or a secret."""
    with pytest.raises(TaskNotFoundError), tracer.span("outer", jjm_account="a"):
        raise TaskNotFoundError("secret words")
    with pytest.raises(RuntimeError), tracer.span("other"):
        raise RuntimeError("secret words")
    spans = exporter.get_finished_spans()
    assert ["JJM050", "RuntimeError"] == [span.attributes["error.type"] for span in spans]
    assert all(span.status.status_code is StatusCode.ERROR for span in spans)
    assert "secret words" not in "".join(span.to_json() for span in spans)


def test_the_id_of_the_running_trace(tracer):
    """For the log and for exemplars; none outside."""
    assert "" == tracer.trace_id()
    with tracer.span("a"):
        outer = tracer.trace_id()
        with tracer.span("b"):
            assert outer == tracer.trace_id()
    assert 32 == len(outer)
    assert "" == tracer.trace_id()


@pytest.fixture
def collector():
    """A server that keeps the spans it is sent."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self.server.got.append(
                (
                    {k.lower(): v for k, v in self.headers.items()},
                    ExportTraceServiceRequest.FromString(body),
                )
            )
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.got = []
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


async def test_the_whole_application_sends_spans(collector, tmp_path):
    """Over OTLP, with the header; what is left is sent when it ends."""
    address = f"http://127.0.0.1:{collector.server_address[1]}/v1/traces"
    settings = load_settings({
        "JJM_HOME": str(tmp_path), "JJM_BACKEND": "simulator", "JJM_TRACING__ENABLED": "true",
        "JJM_TRACING__ENDPOINT": address, "JJM_TRACING__HEADERS": "X-Token=k3y",
    })  # fmt: skip
    async with open_app(settings) as app:
        await app.tasks.list_tasks()
    ((headers, request),) = collector.got
    assert "k3y" == headers["x-token"]
    (sent,) = request.resource_spans
    resource = {a.key: a.value.string_value for a in sent.resource.attributes}
    assert "jjm" == resource["service.name"]
    assert "jules.list_tasks" in {s.name for scope in sent.scope_spans for s in scope.spans}


def _open(**changed):
    given = {
        "endpoint": "http://127.0.0.1:1/v1/traces", "headers": (), "service_name": "s",
        "sample_ratio": 1.0, "version": "1",
    }  # fmt: skip
    return open_tracing(**{**given, **changed})


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"sample_ratio": 1.5}, "tracing.sample_ratio"),
        ({"headers": ("secret-token",)}, "Entry 1 of tracing.headers"),
        ({"headers": ("A=b",), "endpoint": "http://example.org/v1/traces"}, "unencrypted"),
    ],
)
def test_settings_that_cannot_be_used(changed, why):
    """Told before anything is sent, and without the token."""
    with pytest.raises(ConfigurationError, match=why) as caught:
        _open(**changed)
    assert "secret-token" not in repr(caught.value)


def test_a_collector_that_is_away_harms_nothing(caplog, capfd):
    """Neither the work, nor a person's terminal."""
    tracer = _open()
    with tracer.span("a"):
        pass
    tracer.close()
    assert ("", "") == capfd.readouterr()


def test_the_extra_is_missing(monkeypatch):
    """Says what to install."""
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)
    with pytest.raises(MissingExtraError, match="Tracing needs"):
        _open()


def test_off_loads_nothing(tmp_path):
    """The SDK costs time and memory that only those pay who want traces."""
    code = (
        "import asyncio, sys\n"
        "from jules_job_manager.bootstrap import open_app\n"
        "from jules_job_manager.settings.load import load_settings\n"
        "async def go():\n"
        "    async with open_app(load_settings({'JJM_HOME': sys.argv[1], 'JJM_BACKEND': 'simulator'})) as app:\n"
        "        await app.tasks.list_tasks()\n"
        "asyncio.run(go())\n"
        "assert not {'opentelemetry.sdk.trace', 'opentelemetry.exporter'} & set(sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, tmp_path], env=bare_environment(), capture_output=True,
        text=True, check=False,
    )  # fmt: skip
    assert (0, "") == (done.returncode, done.stderr)
