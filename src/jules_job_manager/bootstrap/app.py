"""The application: every part there is, made from the settings when first asked for."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from jules_job_manager.bootstrap.backends import Backends, backend_name
from jules_job_manager.domain.masking import KnownSecrets

if TYPE_CHECKING:
    from jules_job_manager.adapters.forges.github.api import GitHubApi
    from jules_job_manager.bootstrap.administration import Administration
    from jules_job_manager.domain.job import Job
    from jules_job_manager.domain.quota import AccountUse
    from jules_job_manager.domain.task import JulesTask
    from jules_job_manager.ports.backend import Backend
    from jules_job_manager.ports.call_watcher import CallWatcher
    from jules_job_manager.ports.clock import Clock
    from jules_job_manager.ports.event_bus import EventBus
    from jules_job_manager.ports.store import Store
    from jules_job_manager.ports.task_reader import TaskReader
    from jules_job_manager.ports.tracer import Tracer
    from jules_job_manager.services.accounts import Account, PlanChoice
    from jules_job_manager.services.backend_health import BackendHealth
    from jules_job_manager.services.backlog_sync import BacklogSync
    from jules_job_manager.services.backlogs import BacklogService
    from jules_job_manager.services.interventions import Interventions
    from jules_job_manager.services.observer import Observer
    from jules_job_manager.services.outlook import Outlook
    from jules_job_manager.services.plan_desk import PlanAnswer
    from jules_job_manager.services.queue_admin import QueueAdmin
    from jules_job_manager.services.queue_board import QueueBoard
    from jules_job_manager.services.tasks import TaskService
    from jules_job_manager.services.uploaded_backlogs import UploadedBacklogs
    from jules_job_manager.settings.model import Settings


class App:
    """The parts, made when first asked for and closed together."""

    def __init__(self, settings: Settings, store: Store, clock: Clock) -> None:
        """Hold an open store; the backend is opened on first use."""
        self.settings = settings
        self.store = store
        self.clock = clock
        self.log_warning = ""
        self.actor = ""
        """Who events name as the one who acts; empty: each service's own word."""
        self.secrets = KnownSecrets()
        """What is masked wherever texts are shown or written."""
        self.bus: EventBus | None = None
        """Where hints of what is written go; None: nowhere, as no Redis is configured."""
        self._github: list[GitHubApi] = []
        """None or one; a list, since those who act for somebody share it."""
        self._old_github: list[GitHubApi] = []
        """Of settings that no longer hold; whoever is using it may finish."""
        self.closers: list[Callable[[], object]] = []
        self._observers: dict[str, Observer] = {}
        """One for each account, so that whoever looks at it shares one budget."""
        self._readers: list[TaskReader] = []
        """None or one; a list, since those who act for somebody share it."""
        self.watchers: list[CallWatcher] = []
        """Watch every call of Jules, once set, before the backend is first used."""
        self._backend_health: list[BackendHealth] = []
        """None or one, likewise."""
        self._backends = Backends(clock, self.watchers, self.closers)
        self.tracer: Tracer | None = None
        """Records traces, when they are on."""

    @property
    def reader(self) -> TaskReader:
        """What reads tasks for those who only show them: through the cache, where there is one."""
        return self._readers[-1] if self._readers else self.exact_reader

    @property
    def exact_reader(self) -> TaskReader:
        """What reads tasks for those who go on to change them: never through the cache."""
        if not self._readers:
            from jules_job_manager.adapters.storage.reading.opening import task_reader_of

            self._readers.append(task_reader_of(self.store))
        return self._readers[0]

    def show_through(self, reader: TaskReader) -> None:
        """Let tasks that are only shown be read by `reader`."""
        self._readers[:] = [self.exact_reader, reader]

    def acting_as(self, actor: str) -> App:
        """Return the same application, whose services name `actor` in events.

        It shares the store and the backends with this one, which stays the one to be closed.
        """
        other = object.__new__(type(self))
        other.__dict__.update(self.__dict__)  # what copy.copy does, in a tenth of its time
        other.actor = actor
        return other

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
        return self._backends.of("default", self.settings)

    @property
    def backend_health(self) -> BackendHealth:
        """How the last call of each account went, of those opened after it is first asked for."""
        if not self._backend_health:
            from datetime import timedelta

            from jules_job_manager.services.backend_health import BackendHealth

            every = timedelta(seconds=self.settings.health.backend_every_seconds)
            self._backend_health.append(BackendHealth(clock=self.clock, every=every))
            self.watchers.append(self._backend_health[0])
        return self._backend_health[0]

    @property
    def github(self) -> GitHubApi:
        """The API of GitHub: one for all, since they share a rate limit.

        Raises:
            MissingExtraError: the extra `github` is not installed.
            ConfigurationError: something under [github] cannot be used.
        """
        if not self._github:
            from jules_job_manager.adapters.forges.github.opening import open_api
            from jules_job_manager.bootstrap.forge import github_options

            self._github.append(open_api(github_options(self.settings), self.clock))
        return self._github[0]

    @property
    def tasks(self) -> TaskService:
        """Managing tasks, whichever account they are in."""
        if not self.settings.accounts:
            return self._tasks_of(self.backend)
        from jules_job_manager.services.account_tasks import AccountTasks

        others = {
            account.backend.name: account.tasks
            for name, account in self.accounts().items()
            if name != "default"
        }
        return AccountTasks(
            backend=self.backend, store=self.store, clock=self.clock, others=others,
            actor=self.actor or "jjm",
        )  # fmt: skip

    def _tasks_of(self, backend: Backend) -> TaskService:
        from jules_job_manager.services.tasks import TaskService

        return TaskService(
            backend=backend, store=self.store, clock=self.clock, actor=self.actor or "jjm"
        )

    @property
    def backlogs(self) -> BacklogService:
        """Reading and writing backlog documents.

        Raises:
            UnsupportedOperationError: the store keeps no jobs.
        """
        return self._backlogs()

    def _backlogs(self) -> BacklogService:
        from jules_job_manager.adapters.documents.markdown import MarkdownBacklogDocuments
        from jules_job_manager.services.backlogs import BacklogService

        return BacklogService(
            documents=MarkdownBacklogDocuments(), jobs=self.store.jobs, clock=self.clock,
            actor=self.actor or "jjm",
        )  # fmt: skip

    @property
    def uploaded_backlogs(self) -> UploadedBacklogs:
        """Documents that were sent to the service.

        Raises:
            UnsupportedOperationError: the store keeps no jobs.
        """
        from jules_job_manager.services.uploaded_backlogs import UploadedBacklogs

        return UploadedBacklogs(backlogs=self.backlogs, store=self.store)

    def documents(self, *, writes: bool = True) -> BacklogSync:
        """Return what keeps documents and the queue together; `writes` false: only reads them.

        Raises:
            UnsupportedOperationError: the store keeps no jobs.
        """
        import socket

        from jules_job_manager.services.backlog_sync import BacklogSync

        return BacklogSync(
            backlogs=self._backlogs(), store=self.store, clock=self.clock,
            machine=socket.gethostname(), writes=writes,
        )  # fmt: skip

    @property
    def interventions(self) -> Interventions:
        """What a person does to jobs of the queue."""
        from jules_job_manager.services.interventions import Interventions

        return Interventions(store=self.store, clock=self.clock, actor=self.actor or "person")

    @property
    def queue_admin(self) -> QueueAdmin:
        """What a person does to the order and the pace of the queue."""
        from datetime import timedelta

        from jules_job_manager.bootstrap.access import local_caller
        from jules_job_manager.services.queue_admin import QueueAdmin

        ageing = timedelta(hours=self.settings.queue.ageing_hours)
        return QueueAdmin(
            store=self.store, clock=self.clock, ageing=ageing, cancel_reviews=self._cancel_reviews,
            actor=self.actor or "person", by=self.actor or local_caller().principal.name,
        )  # fmt: skip

    @property
    def administration(self) -> Administration:
        """Keys, the audit log, webhooks, and what is done to repositories."""
        from jules_job_manager.bootstrap.administration import Administration

        return Administration(self)

    async def _cancel_reviews(self, marks: Sequence[str]) -> int:
        from jules_job_manager.bootstrap.dispatch import dispatcher_of

        return await dispatcher_of(self.store, self.settings).cancel(marks)

    def account_choices(self) -> dict[str, tuple[str, PlanChoice]]:
        """Return the name of each account's backend and its limits, without opening a backend."""
        from jules_job_manager.services.accounts import PlanChoice

        jules = self.settings.jules
        choice = PlanChoice(
            plan=jules.plan, per_day=jules.tasks_per_day, at_once=jules.tasks_at_once
        )
        found = {"default": (backend_name(self.settings), choice)}
        for name, given in self.settings.accounts.items():
            choice = PlanChoice(
                plan=given.plan, per_day=given.tasks_per_day, at_once=given.tasks_at_once
            )
            found[name] = (f"rest:{name}", choice)
        return found

    def accounts(self) -> dict[str, Account]:
        """Return the accounts of Jules by name: the default one, and those of `[accounts]`.

        Raises:
            ConfigurationError: none is configured.
        """
        choices = self.account_choices()
        return {
            name: self._account(name, self._backends.of(name, self.settings), choice)
            for name, (_, choice) in choices.items()
        }

    async def quota(self, *, asks: bool) -> Mapping[str, AccountUse]:
        """Return what each account has used, by name; with `asks` Jules is asked, else the store.

        Raises:
            ConfigurationError: Jules is to be asked and none is configured.
            UnsupportedOperationError: the store keeps no queue.
        """
        from jules_job_manager.services.queue_view import fresh_uses, stored_uses

        if not asks:
            return await stored_uses(self.store, self.account_choices(), self.clock)
        return await fresh_uses(self.store, self.accounts().values(), self.clock)

    async def why(self, key: str) -> tuple[Job, dict[str, Any]]:
        """Return a job and what it waits for; see `services.why`.

        Raises:
            JobNotFoundError: there is no such job.
        """
        from jules_job_manager.bootstrap.queue import queue_policy
        from jules_job_manager.services.why import why_waits

        policy = queue_policy(self.settings)
        return await why_waits(self.store, self.account_choices(), self.clock, policy, key)

    async def queue_pace(self) -> dict[str, Any]:
        """Return the pause of the queue, and who runs it; see `services.queue_summary`."""
        from jules_job_manager.services.queue_summary import queue_pace

        return await queue_pace(self.store, self.clock.now())

    async def outlook(self) -> Outlook:
        """Return what the queue would do next, as far as the store knows.

        Raises:
            UnsupportedOperationError: the store keeps no queue.
        """
        from jules_job_manager.bootstrap.queue import queue_policy
        from jules_job_manager.services.outlook import outlook_of
        from jules_job_manager.services.queue_view import stored_snapshot

        known = await stored_snapshot(self.store, self.account_choices(), self.clock)
        return await outlook_of(
            self.store, known, self.clock.now(), queue_policy(self.settings),
            interval_seconds=self.settings.queue.poll_interval_seconds,
        )  # fmt: skip

    async def board(self) -> QueueBoard:
        """Return what the live board shows of the queue, as far as the store knows.

        Raises:
            UnsupportedOperationError: the store keeps no queue.
        """
        from jules_job_manager.bootstrap.queue import queue_policy
        from jules_job_manager.services.queue_board import queue_board

        queue = self.settings.queue
        return await queue_board(
            self.store, self.account_choices(), self.clock, queue_policy(self.settings),
            interval_seconds=queue.poll_interval_seconds, slots=queue.concurrency,
        )  # fmt: skip

    async def observer_of(self, reference: str) -> Observer:
        """Return the observer of the account a task is in: the default one for unknown tasks.

        Raises:
            ConfigurationError: no way to reach Jules is configured.
            InvalidInputError: `reference` fits no task, or more than one.
        """
        from jules_job_manager.services.stored_tasks import resolve_task

        known = await self.store.tasks.get_task(await resolve_task(self.store, reference))
        accounts = list(self.accounts().values())
        mine = [a for a in accounts if known is not None and a.backend.name == known.backend]
        return (mine or accounts)[0].observer

    async def note_answer(self, answer: PlanAnswer, error: str) -> None:
        """Hear what a person decided on a plan at the board; nothing is written down here."""

    def news_of(
        self, reference: str
    ) -> AbstractAsyncContextManager[Callable[[float], Awaitable[None]]]:
        """Yield what waits for so many seconds, or for news of a task where they can be heard."""
        del reference
        return nullcontext(self.clock.sleep)

    def _account(self, name: str, backend: Backend, choice: PlanChoice) -> Account:
        from jules_job_manager.services.accounts import Account
        from jules_job_manager.services.observer import Observer

        tasks = self._tasks_of(backend)
        if name not in self._observers:
            self._observers[name] = Observer(
                backend=backend, tasks=tasks, store=self.store, clock=self.clock,
                per_minute=self.settings.jules.activity_lists_per_minute,
            )  # fmt: skip
        return Account(
            name=name, backend=backend, tasks=tasks, observer=self._observers[name], choice=choice
        )

    async def use_settings(self, settings: Settings) -> None:
        """Go on with other settings. The store stays as it is.

        Backends are opened anew when theirs changed, and so is the API of GitHub; those of the time
        before last are closed.
        """
        before, self.settings = self.settings, settings
        if before.storage.database_url != settings.storage.database_url:
            self._use_password(settings.storage.database_url)
        if before.github != settings.github:
            for api in self._old_github:
                await api.aclose()
            self._old_github[:] = self._github
            self._github.clear()
        names = ("jules", "mcp_server", "simulator", "accounts", "monitoring")
        if all(getattr(before, name) == getattr(settings, name) for name in names):
            return
        await self._backends.retire()
        self._observers.clear()

    def _use_password(self, database_url: str) -> None:
        from jules_job_manager.adapters.storage.sql.store import SqlStore

        if isinstance(self.store, SqlStore):
            self.store.use_password_of(database_url)

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
            await self._backends.aclose()
            for api in (*self._github, *self._old_github):
                await api.aclose()
            for close in reversed(self.closers):
                close()
            for reader in self._readers:
                await reader.aclose()
        finally:
            await self.store.aclose()
