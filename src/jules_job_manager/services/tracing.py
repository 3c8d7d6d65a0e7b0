"""Traces of what services do: of nothing, until somebody records them; and of calls of Jules."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

from jules_job_manager.ports.call_watcher import Call
from jules_job_manager.ports.tracer import Tracer


class Untraced:
    """The Tracer port that records nothing."""

    def span(self, name: str, **attributes: str) -> AbstractContextManager[None]:
        """Do nothing."""
        del name, attributes
        return nullcontext()

    def trace_id(self) -> str:
        """Return an empty text."""
        return ""


class CallTracer:
    """A CallWatcher that records a span for each call of Jules."""

    def __init__(self, tracer: Tracer) -> None:
        """Record with `tracer`."""
        self._tracer = tracer

    @contextmanager
    def watching(self, call: Call) -> Iterator[None]:
        """Record one call."""
        with self._tracer.span(f"jules.{call.operation}", jjm_account=call.account):
            yield
