"""The Meter port on prometheus-client, with a registry of its own.

Source: prometheus.github.io/client_python (exposition, exemplars, multiple registries), and
prometheus.io/docs/specs/om/open_metrics_spec (exemplars), read 2026-11.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import choose_encoder
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector

from jules_job_manager.domain.measures import METRICS, Kind, Metric

_CLASSES: dict[Kind, Callable[..., Any]] = {
    Kind.COUNTER: Counter,
    Kind.GAUGE: Gauge,
    Kind.HISTOGRAM: Histogram,
}


class PrometheusMeter:
    """The Meter port; every declared metric is there from the start."""

    def __init__(
        self, metrics: Sequence[Metric] = METRICS, *, trace_id: Callable[[], str] | None = None
    ) -> None:
        """Register the metrics, and those of the process (memory, processor time, open files).

        Args:
            metrics: What may be measured.
            trace_id: Returns the id of the trace that is running, or an empty text; it is shown
                beside the value (an exemplar) by servers that ask for OpenMetrics.
        """
        self.registry = CollectorRegistry()
        self._trace_id = trace_id
        self._declared = {metric.name: metric for metric in metrics}
        self._made = {metric.name: self._make(metric) for metric in metrics}
        self._children: dict[tuple[object, ...], Any] = {}
        self._put: dict[str, set[str]] = {}
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)

    def _make(self, metric: Metric) -> Any:
        buckets = {"buckets": metric.buckets} if metric.kind is Kind.HISTOGRAM else {}
        made = _CLASSES[metric.kind](
            metric.name, metric.about, metric.labels, registry=self.registry, **buckets
        )
        for word in metric.words:
            made.labels(word)
        if metric.kind is Kind.GAUGE and not metric.labels:
            made.set(math.nan)  # not known yet, which 0 would not say
        return made

    def add(self, name: str, value: float = 1.0, **labels: str) -> None:
        """Add to a counter, or one observation to a histogram."""
        made = self._child(name, labels, Kind.COUNTER, Kind.HISTOGRAM)
        exemplar = self._exemplar()
        if self._declared[name].kind is Kind.HISTOGRAM:
            made.observe(value, exemplar)
        else:
            made.inc(value, exemplar)

    def put(self, name: str, value: float, **labels: str) -> None:
        """Set a gauge."""
        self._child(name, labels, Kind.GAUGE).set(value)

    def put_all(self, name: str, label: str, values: Mapping[str, float]) -> None:
        """Set a gauge for each of `values`; those it has besides become 0."""
        before = self._put.setdefault(name, set())
        for word in before - set(values):
            self.put(name, 0.0, **{label: word})
        for word, value in values.items():
            self.put(name, value, **{label: word})
        before |= set(values)

    def exposition(self, accept: str) -> tuple[bytes, str]:
        """Return all values as text and its media type, chosen by an `Accept` header."""
        encode, media_type = choose_encoder(accept)
        return encode(self.registry), media_type

    def _child(self, name: str, labels: Mapping[str, str], *kinds: Kind) -> Any:
        """Return the series, remembered: they are as many as the library itself keeps."""
        key = (name, kinds, *labels.items())
        found = self._children.get(key)
        if found is None:
            found = self._children[key] = self._new_child(name, labels, *kinds)
        return found

    def _new_child(self, name: str, labels: Mapping[str, str], *kinds: Kind) -> Any:
        declared = self._declared.get(name)
        if declared is None or declared.kind not in kinds or set(labels) != set(declared.labels):
            words = ", ".join(sorted(labels)) or "no labels"
            raise ValueError(f"there is no {' or '.join(kinds)} {name} with {words}")
        made = self._made[name]
        return made.labels(**labels) if labels else made

    def _exemplar(self) -> dict[str, str] | None:
        trace_id = self._trace_id() if self._trace_id is not None else ""
        return {"trace_id": trace_id} if trace_id else None
