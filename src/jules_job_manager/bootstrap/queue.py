"""Builds what runs the queue: `jjm queue run` and `jjm worker` are made of the same parts."""

from __future__ import annotations

import os
import secrets
import socket
from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING

from jules_job_manager.adapters.checks.sandboxed import SandboxCheckRunner
from jules_job_manager.adapters.checks.test_reports import FileReportReader
from jules_job_manager.adapters.notifiers.apprise import AppriseNotifier
from jules_job_manager.adapters.programs.answer_command import AnswerProgram
from jules_job_manager.bootstrap.dispatch import dispatcher_of
from jules_job_manager.bootstrap.forge import forge_of
from jules_job_manager.bootstrap.judges import judges_of
from jules_job_manager.bootstrap.sandbox import sandbox_of, sandbox_options
from jules_job_manager.domain.alerts import AlertPolicy
from jules_job_manager.domain.evidence import PROMISED_FILES
from jules_job_manager.domain.news import DigestPolicy, NewsKind
from jules_job_manager.domain.orchestration import Policy
from jules_job_manager.domain.references import repository_from
from jules_job_manager.domain.review_plan import CommandCheck, ReviewPlan, rule_choices
from jules_job_manager.domain.scans import rule_ids
from jules_job_manager.errors import ConfigurationError
from jules_job_manager.services.alerting import Alerts
from jules_job_manager.services.backend_health import BackendHealth
from jules_job_manager.services.check_suite import CheckSuite
from jules_job_manager.services.notifying import Notifications
from jules_job_manager.services.queue_run import QueueRun, RunOptions
from jules_job_manager.services.reverting import Reverting
from jules_job_manager.services.review import Reviewer
from jules_job_manager.services.review_worker import ReviewWorker
from jules_job_manager.services.worker import Worker

if TYPE_CHECKING:
    from filelock import FileLock

    from jules_job_manager.bootstrap import App
    from jules_job_manager.domain.orchestration import Snapshot
    from jules_job_manager.services.queue_run import PlanDesk, Progress
    from jules_job_manager.settings.model import Settings


def queue_policy(settings: Settings) -> Policy:
    """Return what the queue may decide without a person."""
    queue = settings.queue
    return Policy(
        concurrency=queue.concurrency,
        reserve=queue.reserve,
        approve=queue.approve,
        approve_max_steps=queue.approve_max_steps,
        approve_refuse_words=queue.approve_refuse_words,
        plan_rules=settings.plan_rules,
        merge=queue.merge,
        merge_batch=queue.merge_batch,
        merge_rules=settings.merge_rules,
        answer=queue.answer,
        answer_rules=settings.answer_rules,
        max_answers=queue.max_answers,
        max_feedback_rounds=queue.max_feedback_rounds,
        max_attempts=queue.max_attempts,
        merge_patience=timedelta(minutes=settings.github.checks_patience_minutes),
        stall_after=timedelta(minutes=queue.stall_after_minutes),
        max_nudges=queue.max_nudges,
        nudge_text=queue.nudge_text,
        ageing=timedelta(hours=queue.ageing_hours),
        overlap=queue.overlap,
        dependents=queue.dependents,
        unproven=settings.review.unproven,
        zone=datetime.now(UTC).astimezone().tzinfo or UTC,
    )


def owner_name() -> str:
    """Return a name for this run of the program: machine, process, and something unique."""
    return f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(3)}"


def has_ended(owner: str) -> bool:
    """Return whether an `owner_name` surely is that of a process of this machine that has ended."""
    host, _, rest = owner.rpartition(":")[0].rpartition(":")
    if os.name != "posix" or host != socket.gethostname() or not rest.isdecimal():
        return False
    try:
        os.kill(int(rest), 0)
    except ProcessLookupError:
        return True
    except (PermissionError, OverflowError):
        return False
    return False


def reviewer_of(app: App, settings: Settings, remotes: dict[str, str]) -> Reviewer:
    """Return what finds, checks and merges deliveries in the repositories of `remotes`."""
    forge, pull_requests = forge_of(app, settings, remotes)
    suite = CheckSuite(
        forge=forge,
        runner=SandboxCheckRunner(sandbox_of(settings), sandbox_options(settings)),
        reports=FileReportReader(),
        at_once=settings.review.checks_at_once,
    )
    return Reviewer(
        forge=forge,
        suite=suite,
        pull_requests=pull_requests,
        store=app.store,
        clock=app.clock,
        plan=review_plan(settings),
        judges=judges_of(forge, settings),
    )


def reverting_of(app: App, settings: Settings, remotes: dict[str, str]) -> Reverting:
    """Return what takes back merges in the repositories of `remotes`."""
    forge, _ = forge_of(app, settings, remotes)
    return Reverting(
        store=app.store, forge=forge, reviewer=reviewer_of(app, settings, remotes), clock=app.clock,
        actor=app.actor or "person",
    )  # fmt: skip


def review_plan(settings: Settings) -> ReviewPlan:
    """Return what deliveries are checked by, before their base branch adds to it.

    Raises:
        ConfigurationError: `review.rules` cannot be used.
    """
    review = settings.review
    rules = {} if review.promised_files else {PROMISED_FILES: "off"}
    return ReviewPlan(
        setup=review.setup,
        setup_network=review.setup_network,
        checks=tuple(
            CommandCheck(command=command, timeout_seconds=review.check_timeout_seconds)
            for command in review.checks
        ),
        reviewers=settings.reviewers,
        rules=rules | rule_choices(review.rules, known_rules=rule_ids()),
        timeout_seconds=review.check_timeout_seconds,
    )


def queue_worker(
    app: App,
    settings: Settings,
    remotes: dict[str, str],
    *,
    report: Callable[[Progress], None],
    show: Callable[[Snapshot], None] | None = None,
    desk: PlanDesk | None = None,
    watch: bool = False,
) -> Worker:
    """Return a worker on the queue of `app`, merging in the repositories of `remotes`."""
    owner = owner_name()
    backends = app.backend_health  # before a backend is first used
    accounts = app.accounts()
    dispatcher = dispatcher_of(app.store, settings)
    if settings.notify.urls:
        notifications_of(app, settings)  # what is wrong with them is told at once
    forge_of(app, settings, remotes)  # likewise
    repository = settings.queue.repository
    options = RunOptions(
        interval_seconds=settings.queue.poll_interval_seconds, watch=watch,
        repository=repository_from(repository) if repository else "",
        base_branch=settings.queue.base_branch,
    )  # fmt: skip

    def make_run() -> QueueRun:
        return QueueRun(
            store=app.store,
            accounts=accounts,
            reviewer=reviewer_of(app, settings, remotes),
            clock=app.clock,
            policy=queue_policy(settings),
            options=options,
            report=report,
            answer_command=AnswerProgram(environment=os.environ),
            documents=app.documents(writes=settings.queue.write_back),
            show=show,
            desk=desk,
            answered=app.note_answer,
            dispatcher=dispatcher,
            # Each run begins where the last message ended, whoever sent it.
            notifications=notifications_of(app, settings) if settings.notify.urls else None,
            alerts=alerts_of(app, settings, backends) if settings.notify.urls else None,
            tracer=app.tracer,
        )

    def make_reviewer(wake: Callable[[], None]) -> ReviewWorker:
        return ReviewWorker(
            store=app.store, reviewer=reviewer_of(app, settings, remotes), clock=app.clock,
            owner=owner, report=report, wake=wake, tracer=app.tracer,
        )  # fmt: skip

    return Worker(
        store=app.store, clock=app.clock, owner=owner, make_run=make_run,
        make_reviewer=make_reviewer, dispatcher=dispatcher,
        reviews_at_once=settings.review.at_once, report=report,
        guard=LocalGuard(settings) if app.store.kind == "sqlite" else None, is_dead=has_ended,
    )  # fmt: skip


def notifications_of(app: App, settings: Settings) -> Notifications:
    """Return what tells people, as configured.

    Raises:
        MissingExtraError: the extra `notify` is not installed.
        ConfigurationError: an address, a kind or an hour cannot be used.
    """
    notifier = AppriseNotifier(settings.notify.urls)
    policy = digest_policy(settings)
    return Notifications(store=app.store, notifier=notifier, clock=app.clock, policy=policy)


def alerts_of(app: App, settings: Settings, backends: BackendHealth) -> Alerts:
    """Return what notices that something is wrong for long; `backends` watches calls of Jules."""
    chosen = settings.alerts
    policy = AlertPolicy(
        failures_in_a_row=chosen.failures_in_a_row,
        backend_away=timedelta(minutes=chosen.backend_away_minutes),
        again=timedelta(hours=chosen.again_hours),
    )
    return Alerts(store=app.store, clock=app.clock, policy=policy, away_since=backends.away_since)


def digest_policy(settings: Settings) -> DigestPolicy:
    """Return when people are told.

    Raises:
        ConfigurationError: a kind or an hour cannot be used.
    """
    notify = settings.notify
    if bool(notify.quiet_from) != bool(notify.quiet_to):
        raise ConfigurationError(
            "Quiet hours need both an end and a beginning.",
            hint="Set notify.quiet_from and notify.quiet_to, or neither.",
        )
    return DigestPolicy(
        kinds=frozenset(_kind(word) for word in notify.events),
        wait=timedelta(minutes=notify.digest_minutes),
        per_hour=notify.per_hour,
        quiet_from=_hour("notify.quiet_from", notify.quiet_from),
        quiet_to=_hour("notify.quiet_to", notify.quiet_to),
    )


def _kind(word: str) -> NewsKind:
    try:
        return NewsKind(word)
    except ValueError:
        raise ConfigurationError(
            f"notify.events has {word!r}, which is no kind of news.",
            hint=f"There are: {', '.join(NewsKind)}.",
        ) from None


def _hour(name: str, text: str) -> time | None:
    if not text:
        return None
    try:
        hour = time.fromisoformat(text)
    except ValueError:
        hour = None
    if hour is None or hour.tzinfo is not None:
        raise ConfigurationError(
            f"{name} is {text!r}, which is no time of the day.",
            hint="Write it in local time, as 22:00.",
        )
    return hour


class LocalGuard:
    """Held by the one program that runs the queue of a local store; the system frees it when it ends."""

    def __init__(self, settings: Settings) -> None:
        """Guard the queue of this home folder."""
        self._path = settings.home / "queue-run.lock"
        self._lock: FileLock | None = None

    def take(self) -> bool:
        """Take it; False when another program has it."""
        from filelock import FileLock, Timeout

        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = FileLock(self._path, mode=0o600, blocking=False)
        try:
            lock.acquire()
        except Timeout:
            return False
        self._lock = lock
        return True

    def free(self) -> None:
        """Give it back."""
        if self._lock is not None:
            self._lock.release()
            self._lock = None
