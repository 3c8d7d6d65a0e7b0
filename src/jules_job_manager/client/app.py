"""The application of the command line, when a service does the work."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TYPE_CHECKING, Any, NoReturn, cast

from jules_job_manager.adapters.system_clock import SystemClock
from jules_job_manager.bootstrap import App
from jules_job_manager.client.administration import RemoteAdministration
from jules_job_manager.client.backlogs import RemoteBacklogs, RemoteDocuments
from jules_job_manager.client.connection import Connection, checked_address
from jules_job_manager.client.hints import Hints, hearing
from jules_job_manager.client.observer import RemoteObserver
from jules_job_manager.client.operations import Operations
from jules_job_manager.client.queue import RemoteInterventions, RemoteQueueAdmin
from jules_job_manager.client.store import RemoteStore, here_only
from jules_job_manager.client.tasks import RemoteTasks
from jules_job_manager.domain.job import Job
from jules_job_manager.domain.quota import AccountUse
from jules_job_manager.errors import ConfigurationError
from jules_job_manager.services.accounts import Account, PlanChoice
from jules_job_manager.services.outlook import Outlook
from jules_job_manager.services.queue_board import QueueBoard
from jules_job_manager.services.queue_summary import NO_PACE

if TYPE_CHECKING:
    import httpx2

    from jules_job_manager.domain.task import JulesTask
    from jules_job_manager.ports.backend import Backend
    from jules_job_manager.ports.clock import Clock
    from jules_job_manager.ports.store import Store
    from jules_job_manager.services.observer import Observer
    from jules_job_manager.services.uploaded_backlogs import UploadedBacklogs
    from jules_job_manager.settings.model import Settings


class RemoteApp(App):
    """An `App` whose every part is at the service.

    What a service does not do for a command raises UnsupportedOperationError, in plain words.
    """

    def __init__(self, settings: Settings, connection: Connection, clock: Clock) -> None:
        """Use an open connection."""
        self.operations = Operations(connection)
        store = RemoteStore(self.operations, connection.address)
        super().__init__(settings, cast("Store", store), clock)
        self._connection = connection

    @property
    def backend(self) -> Backend:
        """Refuse it: the service speaks with Jules."""
        here_only()

    @property
    def tasks(self) -> RemoteTasks:
        """Managing tasks."""
        return RemoteTasks(self.operations)

    @property
    def backlogs(self) -> RemoteBacklogs:
        """Sending documents."""
        return RemoteBacklogs(self.operations)

    @property
    def uploaded_backlogs(self) -> UploadedBacklogs:
        """Refuse it: that is the service's own side."""
        here_only()

    def documents(self, *, writes: bool = True) -> RemoteDocuments:
        """Return what keeps documents and the queue together: here, nothing."""
        del writes
        return RemoteDocuments()

    @property
    def interventions(self) -> RemoteInterventions:
        """What a person does to jobs of the queue."""
        return RemoteInterventions(self.operations)

    @property
    def queue_admin(self) -> RemoteQueueAdmin:
        """What a person does to the order and the pace of the queue."""
        return RemoteQueueAdmin(self.operations)

    @property
    def administration(self) -> RemoteAdministration:
        """Keys, the audit log, webhooks, and what is done to repositories."""
        return RemoteAdministration(self.operations, self.hearing)

    def account_choices(self) -> dict[str, tuple[str, PlanChoice]]:
        """Return nothing: the accounts are the service's."""
        return {}

    def accounts(self) -> dict[str, Account]:
        """Return the service's tasks under whatever account is asked for."""
        return _AnyAccount(self)

    async def quota(self, *, asks: bool) -> Mapping[str, AccountUse]:
        """Return what each account has used, by name."""
        found = [AccountUse.from_dict(use) for use in await self.operations.get_quota(fresh=asks)]
        return {use.name: use for use in found}

    async def why(self, key: str) -> tuple[Job, dict[str, Any]]:
        """Return a job and what it waits for."""
        told: dict[str, Any] = dict(await self.operations.why_job(key))
        return Job.from_dict(told.pop("job")), told

    async def health(self) -> dict[str, Any]:
        """Return what the service says of itself."""
        found: dict[str, Any] = await self._connection.health()
        return found

    async def queue_pace(self) -> dict[str, Any]:
        """Return the pause of the queue, and who runs it."""
        found: dict[str, Any] = dict(await self.operations.get_queue())
        return {name: found.get(name) or empty for name, empty in NO_PACE.items()}

    async def outlook(self) -> Outlook:
        """Return what the queue would do next."""
        return Outlook.from_dict(await self.operations.get_outlook())

    async def board(self) -> QueueBoard:
        """Return what the live board shows of the queue."""
        return QueueBoard.from_dict(await self.operations.get_board())

    async def observer_of(self, reference: str) -> Observer:
        """Return what watches a task."""
        del reference
        return RemoteObserver(self.operations, self.tasks)

    @asynccontextmanager
    async def news_of(self, reference: str) -> AsyncIterator[Callable[[float], Awaitable[None]]]:
        """Yield what waits for news of a task, at most so many seconds."""
        task_id = await self.tasks.resolve(reference)
        async with hearing(self._connection, self.clock, task=task_id) as hints:
            yield hints.wait

    def hearing(self, **filters: str | Sequence[str]) -> AbstractAsyncContextManager[Hints]:
        """Listen to events while the block runs; see `Hints`."""
        return hearing(self._connection, self.clock, **filters)

    async def tasks_stored(self, reference: str) -> JulesTask:
        """Return a stored task."""
        return await self.tasks.get_stored(reference)

    def use_remotes(self, remotes: dict[str, str]) -> NoReturn:
        """Refuse it: what works on repositories is the service."""
        del remotes
        here_only()

    async def aclose(self) -> None:
        """Let go of the connection."""
        await self._connection.aclose()


class _AnyAccount(dict[str, Account]):
    """Every account: the service knows which one a task is in."""

    def __init__(self, app: RemoteApp) -> None:
        super().__init__()
        self._app = app

    def get(self, name: str, default: Any = None) -> Any:
        """Return an account of this name, whose tasks are those of the service."""
        del default
        return _RemoteAccount(name, self._app.tasks)

    def values(self) -> Any:
        """Refuse it: nobody works through accounts from afar."""
        here_only()

    items = values


class _RemoteAccount:
    def __init__(self, name: str, tasks: RemoteTasks) -> None:
        self.name = name
        self.tasks = tasks


@asynccontextmanager
async def open_remote(
    settings: Settings,
    *,
    clock: Clock | None = None,
    transport: Callable[[], httpx2.AsyncBaseTransport] | None = None,
) -> AsyncIterator[RemoteApp]:
    """Yield the application of the service that `client.server` names.

    Args:
        settings: Name the service and its key.
        clock: Tells the time; None: the machine's.
        transport: Makes what requests go over; None: the network.

    Raises:
        ConfigurationError: the address cannot be used, or the key that is known is for another.
    """
    client = settings.client
    checked_address(client.server)
    if settings.withheld_key:
        raise ConfigurationError(
            settings.withheld_key,
            hint="Set JJM_SERVER and JJM_SERVER_KEY together, or keep a key for this address in the "
            f'configuration: [servers."{client.server}"] with api_key = "…".',
        )
    connection = Connection(
        client.server, api_key=client.api_key, timeout_seconds=client.timeout_seconds,
        transport=None if transport is None else transport(), clock=clock,
    )  # fmt: skip
    app = RemoteApp(settings, connection, clock or SystemClock())
    try:
        yield app
    finally:
        await app.aclose()
