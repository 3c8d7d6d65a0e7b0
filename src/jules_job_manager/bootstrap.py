"""Builds the application from settings. The only module that knows every adapter."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from jules_job_manager.adapters.system_clock import SystemClock
from jules_job_manager.errors import ConfigurationError, UnsupportedOperationError
from jules_job_manager.settings.locate import default_data_path
from jules_job_manager.settings.model import Settings

if TYPE_CHECKING:
    from jules_job_manager.domain.orchestration import Policy
    from jules_job_manager.domain.task import JulesTask
    from jules_job_manager.ports.backend import Backend
    from jules_job_manager.ports.clock import Clock
    from jules_job_manager.ports.store import Store
    from jules_job_manager.services.queue_run import Progress, QueueRun
    from jules_job_manager.services.tasks import TaskService

HOW_TO_REACH_JULES = (
    "Set JULES_API_KEY to a key of the Jules REST API, or JJM_BACKEND=simulator "
    "to try things out on a pretend Jules."
)


class App:
    """The parts, made when first asked for and closed together."""

    def __init__(self, settings: Settings, store: Store, clock: Clock) -> None:
        """Hold an open store; the backend is opened on first use."""
        self.settings = settings
        self.store = store
        self.clock = clock
        self.log_warning = ""
        self._backend: Backend | None = None
        self._closers: list[Callable[[], object]] = []

    @property
    def store_warning(self) -> str:
        """What users must know about the store on every command; usually empty."""
        return str(getattr(self.store, "warning", "") or "")

    @property
    def backend(self) -> Backend:
        """The configured way to reach Jules.

        Raises:
            ConfigurationError: none is configured; the hint says how.
        """
        if self._backend is None:
            self._backend = build_backend(self.settings, self.clock, self._closers)
        return self._backend

    @property
    def tasks(self) -> TaskService:
        """Managing tasks."""
        from jules_job_manager.services.tasks import TaskService

        return TaskService(backend=self.backend, store=self.store, clock=self.clock)

    def use_remotes(self, remotes: dict[str, str]) -> None:
        """Replace `[remotes]`, before the backend is first used."""
        self.settings = replace(self.settings, remotes=remotes)

    async def tasks_stored(self, reference: str) -> JulesTask:
        """Return a stored task without any backend being configured.

        Raises:
            TaskNotFoundError: the store does not know it.
        """
        from jules_job_manager.services.stored_tasks import stored_task

        return await stored_task(self.store, reference)

    async def aclose(self) -> None:
        """Close the backend, then the store."""
        try:
            if self._backend is not None:
                await self._backend.aclose()
            for close in reversed(self._closers):
                close()
        finally:
            await self.store.aclose()


@asynccontextmanager
async def open_app(settings: Settings, clock: Clock | None = None) -> AsyncIterator[App]:
    """Open the store and yield the application.

    Raises:
        StoreError: the store cannot be opened.
        ConfigurationError: a setting is missing.
    """
    from jules_job_manager.adapters.storage.opening import open_store

    clock = clock or SystemClock()
    stop_log, log_warning = _start_log(settings)
    try:
        store = await open_store(
            kind=settings.storage.backend,
            data_path=data_path(settings),
            database_url=settings.storage.database_url,
            fallback=settings.storage.fallback,
            clock=clock,
        )
    except BaseException:
        stop_log()
        raise
    app = App(settings, store, clock)
    app.log_warning = log_warning
    try:
        yield app
    finally:
        await app.aclose()
        stop_log()


def _start_log(settings: Settings) -> tuple[Callable[[], None], str]:
    """Open the log file. A log that cannot be written stops nothing; it is told."""
    from jules_job_manager.adapters.logs import configure_logging, stop_logging
    from jules_job_manager.settings.load import setting_fields

    log = settings.log
    path = Path(log.path).expanduser() if log.path else settings.home / "logs" / "jules_manager.log"
    secrets = [
        str(getattr(getattr(settings, section), name))
        for section, name, field in setting_fields()
        if field.metadata["secret"]
    ]
    try:
        handler = configure_logging(
            path=path,
            level=log.level,
            form=log.format,
            retention_days=log.retention_days,
            secrets=secrets,
        )
    except OSError as exc:
        return lambda: None, f"The log {path} cannot be written: {exc.strerror}."
    return lambda: stop_logging(handler), ""


def data_path(settings: Settings) -> Path:
    """Return the file of the store (of the local fallback, for PostgreSQL)."""
    if settings.storage.data_path:
        return Path(settings.storage.data_path).expanduser()
    kind = "json" if settings.storage.backend == "json" else "sqlite"
    return Path(default_data_path({"JJM_HOME": str(settings.home)}, kind))


def backend_name(settings: Settings) -> str:
    """Return which backend is in force, or an empty text when none is configured."""
    if settings.jules.backend:
        return settings.jules.backend
    if settings.jules.api_key:
        return "rest"
    return "mcp" if settings.mcp_server.command or "mcp_server.path" in settings.sources else ""


def build_backend(settings: Settings, clock: Clock, closers: list[Callable[[], object]]) -> Backend:
    """Return the configured backend; what must be closed after it is added to `closers`.

    Raises:
        ConfigurationError: none is configured, or its settings are wrong.
    """
    name = backend_name(settings)
    if name == "rest":
        return _rest(settings, clock)
    if name == "mcp":
        return _mcp()
    if name == "simulator":
        return _simulator(settings, clock, closers)
    raise ConfigurationError("No way to reach Jules is configured.", hint=HOW_TO_REACH_JULES)


def _rest(settings: Settings, clock: Clock) -> Backend:
    from jules_job_manager.adapters.backends.rest.backend import open_rest_backend

    if not settings.jules.api_key:
        raise ConfigurationError(
            "The REST API needs a key.",
            hint="Make one at https://jules.google.com/settings#api and set JULES_API_KEY.",
        )
    return open_rest_backend(
        base_url=settings.jules.api_url,
        api_key=settings.jules.api_key,
        timeout_seconds=settings.jules.timeout_seconds,
        max_tries=settings.monitoring.max_retries,
        clock=clock,
    )


def _mcp() -> Backend:
    raise UnsupportedOperationError(
        "Reaching Jules over the Node MCP server is not in this version yet.",
        hint=HOW_TO_REACH_JULES,
    )


def _simulator(settings: Settings, clock: Clock, closers: list[Callable[[], object]]) -> Backend:
    import httpx2

    from jules_job_manager.adapters.backends.rest.backend import open_rest_backend
    from jules_job_manager.adapters.backends.simulator.engine import Simulator
    from jules_job_manager.adapters.backends.simulator.rest_face import create_app
    from jules_job_manager.adapters.backends.simulator.scenario import load_scenario

    chosen = settings.simulator
    scenario = Path(chosen.scenario).expanduser() if chosen.scenario else None
    simulator = Simulator.open(
        Path(chosen.state).expanduser() if chosen.state else settings.home / "simulator.db",
        scenario=load_scenario(scenario),
        seed=chosen.seed,
        speed=chosen.speed,
        repositories=settings.remotes,
        clock=clock,
    )
    closers.append(simulator.close)
    return open_rest_backend(
        base_url="http://127.0.0.1/v1alpha",
        api_key="simulator",
        timeout_seconds=settings.jules.timeout_seconds,
        max_tries=settings.monitoring.max_retries,
        clock=clock,
        name="simulator",
        transport=httpx2.ASGITransport(app=create_app(simulator)),
    )


def queue_policy(settings: Settings) -> Policy:
    """Return what the queue may decide without a person."""
    from jules_job_manager.domain.orchestration import Policy

    queue = settings.queue
    return Policy(
        concurrency=queue.concurrency,
        approve=queue.approve,
        approve_max_steps=queue.approve_max_steps,
        approve_refuse_words=queue.approve_refuse_words,
        answer=queue.answer,
        max_feedback_rounds=queue.max_feedback_rounds,
        max_attempts=queue.max_attempts,
    )


def queue_run(
    app: App, settings: Settings, remotes: dict[str, str], *, report: Callable[[Progress], None]
) -> QueueRun:
    """Return a run over the queue of `app`, merging in the repositories of `remotes`."""
    from jules_job_manager.adapters.checks.host import HostCheckRunner
    from jules_job_manager.adapters.documents.markdown import MarkdownBacklogDocuments
    from jules_job_manager.adapters.forges.local import LocalGitForge
    from jules_job_manager.services.backlogs import BacklogService
    from jules_job_manager.services.queue_run import QueueRun
    from jules_job_manager.services.review import CheckPlan, Reviewer

    backlogs = BacklogService(
        documents=MarkdownBacklogDocuments(), jobs=app.store.jobs, clock=app.clock
    )
    reviewer = Reviewer(
        forge=LocalGitForge(cache=settings.home / "repositories", remotes=remotes),
        runner=HostCheckRunner(environment={"PATH": os.environ.get("PATH", os.defpath)}),
        store=app.store,
        clock=app.clock,
        plan=CheckPlan(
            commands=settings.review.checks,
            timeout_seconds=settings.review.check_timeout_seconds,
            promised_files=settings.review.promised_files,
        ),
    )
    return QueueRun(
        store=app.store,
        backend=app.backend,
        tasks=app.tasks,
        reviewer=reviewer,
        clock=app.clock,
        policy=queue_policy(settings),
        interval_seconds=settings.queue.poll_interval_seconds,
        report=report,
        write_back=backlogs.write_back if settings.queue.write_back else None,
    )
