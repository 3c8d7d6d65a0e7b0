"""What is measured: every metric with its labels, and what each event adds to them.

Labels take few values: words of ours, names of configured accounts, templates of routes. Never a
repository, a job, a task, a path or a text that somebody else wrote.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from jules_job_manager.domain.event import Event, EventType
from jules_job_manager.domain.job import JobStatus
from jules_job_manager.domain.orchestration.waiting import WaitKind
from jules_job_manager.domain.review import Conclusion, Verdict
from jules_job_manager.domain.task import TaskStatus
from jules_job_manager.errors import JulesManagerError

OTHER = "other"
"""The label of whatever is none of the words that are known."""


class Kind(StrEnum):
    """Kinds of metrics, as Prometheus has them."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


@dataclass(frozen=True, kw_only=True, slots=True)
class Metric:
    """One metric. Times are in seconds and sizes in bytes, as its name says."""

    name: str
    kind: Kind
    about: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()
    """Upper bounds of a histogram, ascending; the last one is always infinity."""
    words: tuple[str, ...] = ()
    """Every value that its one label has, where that is known: each is there from the start, so that
    the first time something happens is seen as an increase."""
    origin: str = "this process"
    """Where its values come from: `event log`, `store`, `this process`, `health`."""


REQUEST_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
CALL_BUCKETS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 180.0)
CHECK_BUCKETS = (1.0, 5.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0)
TASK_BUCKETS = (60.0, 300.0, 600.0, 1200.0, 1800.0, 3600.0, 7200.0, 14400.0, 43200.0)


def _counter(
    name: str, about: str, *labels: str, words: Iterable[str] = (), origin: str = "event log"
) -> Metric:
    return Metric(
        name=name, kind=Kind.COUNTER, about=about, labels=labels, words=tuple(words), origin=origin
    )


def _gauge(name: str, about: str, *labels: str, origin: str = "store") -> Metric:
    return Metric(name=name, kind=Kind.GAUGE, about=about, labels=labels, origin=origin)


def _times(
    name: str,
    about: str,
    buckets: tuple[float, ...],
    *labels: str,
    words: Iterable[str] = (),
    origin: str = "event log",
) -> Metric:
    return Metric(
        name=name, kind=Kind.HISTOGRAM, about=about, labels=labels, buckets=buckets,
        words=tuple(words), origin=origin,
    )  # fmt: skip


def _codes(cls: type[JulesManagerError]) -> set[str]:
    return {cls.code}.union(*(_codes(child) for child in cls.__subclasses__()))


_HERE = "this process"
_ENDED = tuple(status.value for status in TaskStatus if status.is_finished)
_JOB_ENDED = tuple(status.value for status in JobStatus if status.is_final)
_WAITS = tuple(kind.value for kind in WaitKind)
_WAITING = {JobStatus.BLOCKED.value, JobStatus.READY.value}
_CONCLUSIONS = tuple(conclusion.value for conclusion in Conclusion)
_VERDICTS = tuple(verdict.value for verdict in Verdict)
ERROR_CODES = tuple(sorted(_codes(JulesManagerError)))

METRICS: tuple[Metric, ...] = (
    # Tasks.
    _counter("jules_tasks_created_total", "Tasks created at Jules through jjm."),
    _counter("jules_tasks_completed_total", "Tasks that Jules completed; again after feedback."),
    _counter("jules_tasks_ended_total", "Tasks that came to an end, by how.", "status", words=_ENDED),
    _times("jules_task_duration_seconds", "From a task's creation until it ended.", TASK_BUCKETS,
           "status", words=_ENDED),
    _gauge("jules_active_tasks", "Tasks that are not at an end and not archived."),
    _gauge("jules_tasks", "Tasks that are not archived, by status.", "status"),
    # The queue.
    _gauge("jules_jobs", "Jobs of the queue, by status.", "status"),
    _gauge("jules_oldest_ready_job_age_seconds",
           "Time since the oldest ready job was queued; 0 when none is ready."),
    _counter("jules_dispatches_total", "Attempts begun, by account.", "account"),
    _counter("jules_waits_total", "Times a job began to wait, by what for.", "kind", words=_WAITS),
    _counter("jules_jobs_ended_total", "Jobs that came to an end, by how.", "status",
             words=_JOB_ENDED),
    _counter("jules_jobs_need_you_total", "Times a job began to wait for a person."),
    _counter("jules_merges_total", "Deliveries merged."),
    _counter("jules_reverts_total", "Merges taken back."),
    _gauge("jules_queue_leader", "1 while somebody holds the lease of the queue, else 0.",
           origin="health"),
    # Quota.
    _gauge("jules_quota_left", "Tasks of the window of 24 hours that are left.", "account"),
    _gauge("jules_quota_limit", "Tasks that an account may create in 24 hours.", "account"),
    _gauge("jules_quota_refusals", "Creates that Jules refused in the last 24 hours.", "account"),
    # Reviews.
    _counter("jules_reviews_total", "Reviews finished, by verdict.", "verdict", words=_VERDICTS),
    _counter("jules_checks_total", "Checks of reviews, by conclusion.", "conclusion",
             words=_CONCLUSIONS),
    _times("jules_review_duration_seconds",
           "Time that all checks of a review took, added up.", CHECK_BUCKETS, "verdict",
           words=_VERDICTS),
    _times("jules_check_duration_seconds", "Time that one check took.", CHECK_BUCKETS,
           "conclusion", words=_CONCLUSIONS),
    _gauge("jules_review_runs", "Reviews in line, by state.", "state"),
    # Calls of Jules.
    _times("jules_backend_call_duration_seconds", "Calls of Jules, repetitions included.",
           CALL_BUCKETS, "account", "operation", "outcome", origin=_HERE),
    _gauge("jules_backend_circuit_open",
           "1 while calls of the account fail at once, because many failed.", "account",
           origin=_HERE),
    _counter("jules_errors_total", "Errors, by the code of docs/reference/errors.md.",
             "error_type", words=ERROR_CODES, origin=_HERE),
    # Requests.
    _times("jules_api_request_duration_seconds",
           "Requests answered, by template of the route.", REQUEST_BUCKETS,
           "method", "route", "status", origin=_HERE),
    _gauge("jules_api_requests_in_flight", "Requests that are being answered.", origin=_HERE),
    # What the server stands on.
    _gauge("jules_database_connections",
           "Connections to the database, by state (`in_use`, `idle`) and pool: `store`, and on "
           "PostgreSQL `reads`, for tasks that are only shown.", "pool", "state", origin=_HERE),
    _gauge("jules_events_behind", "Events written that these metrics have not counted yet."),
    _counter("jules_cache_requests_total", "Reads through the cache, by outcome.", "outcome",
             words=("hit", "miss", "error"), origin=_HERE),
    _gauge("jules_bus_connected", "1 while the event bus between processes is there, else 0.",
           origin=_HERE),
    _gauge("jules_live_clients", "Clients that are being told live.", origin=_HERE),
    _counter("jules_webhook_deliveries_total", "Webhook requests sent, by outcome.", "outcome",
             words=("delivered", "failed", "given_up"), origin=_HERE),
    _gauge("jules_webhook_pending", "Webhook deliveries that wait to be sent."),
    _counter("jules_rate_limited_total", "Requests refused because of a rate limit.",
             origin=_HERE),
    # Health.
    _gauge("jules_health_check", "0 healthy, 1 degraded, 2 unhealthy.", "check", origin="health"),
    _gauge("jules_health_check_duration_seconds", "Time that the last look took.", "check",
           origin="health"),
    _gauge("jules_disk_free_bytes", "Room on the disk of the home folder.", origin="health"),
    _gauge("jules_clock_skew_seconds", "Our clock less that of the database.", origin="health"),
    _gauge("jules_audit_chain_intact", "0 when the chain of the audit log is broken, else 1.",
           origin="health"),
    _gauge("jules_build_info", "1, with the version as a label.", "version", origin=_HERE),
    _gauge("jules_start_time_seconds", "When this process began, in Unix time.", origin=_HERE),
)  # fmt: skip


@dataclass(frozen=True, kw_only=True, slots=True)
class Sample:
    """Something to be added to a counter or a histogram."""

    name: str
    value: float = 1.0
    labels: Mapping[str, str] = field(default_factory=dict)


def samples_of(event: Event, accounts: Sequence[str]) -> list[Sample]:
    """Return what an event adds. An event of another kind, or a damaged one, adds nothing.

    Args:
        event: One of the log.
        accounts: The configured names; another one is counted as `other`.
    """
    try:
        if name := _COUNTED.get(event.type):
            return [Sample(name=name)]
        reader = _READERS.get(event.type)
        return [] if reader is None else reader(event.data, accounts)
    except (TypeError, ValueError, AttributeError, KeyError):
        return []  # written by another version


def ended_status(event: Event) -> str:
    """Return how a task ended by this event, or an empty text when it did not."""
    after = str(event.data.get("after", ""))
    is_end = event.type == EventType.TASK_STATE_CHANGED and after in _ENDED
    return after if is_end else ""


def known(word: object, words: Sequence[str]) -> str:
    """Return the word when it is one of these, else `other`: so that labels stay few."""
    return str(word) if str(word) in words else OTHER


def _task_state(data: Mapping[str, Any], accounts: Sequence[str]) -> list[Sample]:
    del accounts
    after = str(data.get("after", ""))
    if after not in _ENDED:
        return []
    found = [Sample(name="jules_tasks_ended_total", labels={"status": after})]
    if after == TaskStatus.COMPLETED.value:
        found.append(Sample(name="jules_tasks_completed_total"))
    return found


def _job_state(data: Mapping[str, Any], accounts: Sequence[str]) -> list[Sample]:
    del accounts
    after = str(data.get("after", ""))
    if after in _JOB_ENDED:
        return [Sample(name="jules_jobs_ended_total", labels={"status": after})]
    if after == JobStatus.NEEDS_YOU.value:
        return [Sample(name="jules_jobs_need_you_total")]
    if after in _WAITING and data.get("rule") in _WAITS:
        return [Sample(name="jules_waits_total", labels={"kind": str(data["rule"])})]
    return []


def _dispatch(data: Mapping[str, Any], accounts: Sequence[str]) -> list[Sample]:
    account = known(data.get("account"), accounts)
    return [Sample(name="jules_dispatches_total", labels={"account": account})]


def _review(data: Mapping[str, Any], accounts: Sequence[str]) -> list[Sample]:
    del accounts
    verdict = {"verdict": known(data.get("verdict"), _VERDICTS)}
    found = [Sample(name="jules_reviews_total", labels=verdict)]
    whole = 0.0
    for check in data.get("checks") or ():
        seconds = max(0.0, float(check.get("duration_seconds") or 0.0))
        whole += seconds
        how = {"conclusion": known(check.get("conclusion"), _CONCLUSIONS)}
        found.append(Sample(name="jules_checks_total", labels=how))
        found.append(Sample(name="jules_check_duration_seconds", value=seconds, labels=how))
    return [*found, Sample(name="jules_review_duration_seconds", value=whole, labels=verdict)]


_COUNTED: dict[str, str] = {
    EventType.TASK_CREATED: "jules_tasks_created_total",
    EventType.MERGED: "jules_merges_total",
    EventType.REVERTED: "jules_reverts_total",
}
"""Events that add one to a metric, whatever their data are."""
_READERS: dict[str, Callable[[Mapping[str, Any], Sequence[str]], list[Sample]]] = {
    EventType.TASK_STATE_CHANGED: _task_state,
    EventType.JOB_STATE_CHANGED: _job_state,
    EventType.ATTEMPT_STARTED: _dispatch,
    EventType.REVIEW_FINISHED: _review,
}
