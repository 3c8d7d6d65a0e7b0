"""The Tracer port on OpenTelemetry, sent over OTLP/HTTP.

Messages of errors are not recorded: they may quote what others wrote. Their codes are.
Source: opentelemetry-python.readthedocs.io (SDK trace, OTLP exporter), read 2026-11.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from jules_job_manager.adapters.api_address import checked_address
from jules_job_manager.errors import ConfigurationError, JulesManagerError, MissingExtraError

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider

_LOG = logging.getLogger(__name__)
EXPORT_SECONDS = 3
"""Longest wait for the collector; a program that ends waits as long for the last spans."""


class OpenTelemetryTracer:
    """The Tracer port on a provider."""

    def __init__(self, provider: TracerProvider, *, version: str) -> None:
        """Record into `provider`."""
        self.provider = provider
        """What FastAPI is given, so that its spans and ours are one trace."""
        self._tracer = provider.get_tracer("jules_job_manager", version)

    @contextmanager
    def span(self, name: str, **attributes: str) -> Iterator[None]:
        """Record a span."""
        from opentelemetry.trace import Status, StatusCode

        named = {key.replace("_", ".", 1): value for key, value in attributes.items()}
        with self._tracer.start_as_current_span(
            name, attributes=named, record_exception=False, set_status_on_exception=False
        ) as span:
            try:
                yield
            except Exception as exc:
                kind = exc.code if isinstance(exc, JulesManagerError) else type(exc).__name__
                span.set_attribute("error.type", kind)
                span.set_status(Status(StatusCode.ERROR, kind))
                raise

    def trace_id(self) -> str:
        """Return the id of the running trace."""
        from opentelemetry.trace import format_trace_id, get_current_span

        context = get_current_span().get_span_context()
        return format_trace_id(context.trace_id) if context.is_valid else ""

    def close(self) -> None:
        """Send what is left, and end."""
        self.provider.shutdown()


def open_tracing(
    *, endpoint: str, headers: Sequence[str], service_name: str, sample_ratio: float, version: str
) -> OpenTelemetryTracer:
    """Return a tracer that sends spans to a collector, from a thread of its own.

    Args:
        endpoint: Its whole address, ending in `/v1/traces`.
        headers: Sent along, each as NAME=VALUE.
        service_name: Name of this service.
        sample_ratio: Share of traces that are kept, 0 to 1; a trace that came with a request is
            kept when its sender keeps it.
        version: Of this program.

    Raises:
        MissingExtraError: the extra `otel` is not installed.
        ConfigurationError: a value cannot be used.
    """
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
        from opentelemetry.sdk.trace.sampling import ParentBasedTraceIdRatio
    except ImportError as exc:
        raise MissingExtraError("Tracing", "otel") from exc
    if not 0 <= sample_ratio <= 1:
        raise ConfigurationError(f"tracing.sample_ratio is {sample_ratio:g}, not between 0 and 1.")
    sent = _headers(headers)
    if sent:
        endpoint = checked_address(
            endpoint, setting="tracing.endpoint", what="a collector", secret="headers",  # noqa: S106 - a word
            hint="Write it as https://HOST:4318/v1/traces",
        )  # fmt: skip
    _pass_on_warnings()
    resource = Resource.create({"service.name": service_name, "service.version": version})
    provider = TracerProvider(
        resource=resource, sampler=ParentBasedTraceIdRatio(sample_ratio), shutdown_on_exit=False
    )
    exporter = OTLPSpanExporter(endpoint=endpoint, headers=sent, timeout=EXPORT_SECONDS)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    return OpenTelemetryTracer(provider, version=version)


def _headers(lines: Sequence[str]) -> dict[str, str]:
    found = {}
    for number, line in enumerate(lines, start=1):
        name, is_pair, value = line.partition("=")
        if not is_pair or not name.strip():  # it may hold a token: it is not repeated
            raise ConfigurationError(f"Entry {number} of tracing.headers is not NAME=VALUE.")
        found[name.strip()] = value.strip()
    return found


class _ToOurLog(logging.Handler):
    """Writes what OpenTelemetry complains of into our log, not on a person's terminal."""

    def emit(self, record: logging.LogRecord) -> None:
        """Pass one line on."""
        _LOG.warning("%s", record.getMessage(), extra={"action": "tracing"})


def _pass_on_warnings() -> None:
    logger = logging.getLogger("opentelemetry")
    if not any(isinstance(handler, _ToOurLog) for handler in logger.handlers):
        logger.addHandler(_ToOurLog(level=logging.WARNING))
        logger.propagate = False
