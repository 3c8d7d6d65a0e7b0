"""The Backend port on the Jules REST API."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

import httpx2

from jules_job_manager.adapters.backends.rest import mapping
from jules_job_manager.adapters.backends.rest.client import RestClient
from jules_job_manager.adapters.resilience import Resilience
from jules_job_manager.domain.activity import Activity
from jules_job_manager.domain.references import repository_from, task_id_from
from jules_job_manager.domain.task import JulesTask, NewTask, Source, TaskStatus
from jules_job_manager.errors import (
    InvalidInputError,
    OperationFailedError,
    PreconditionFailedError,
    TaskNotFoundError,
    UnclearOutcomeError,
)
from jules_job_manager.ports.backend import Capability, OperationOutcome
from jules_job_manager.ports.clock import Clock

PAGE_SIZE = 100
ACTIVITIES_APPEAR_WITHIN_SECONDS = 60.0
ACTIVITIES_TRIES = 4
QUEUED_TRIES = 5
RESUME_MESSAGE = "Please continue and finish the task."


class RestBackend:
    """One account of Jules, over REST."""

    capabilities = frozenset(Capability)

    def __init__(
        self, *, client: RestClient, resilience: Resilience, clock: Clock, name: str
    ) -> None:
        """Use an open client; `name` is `rest`, or `simulator` when that is what answers."""
        self.name = name
        self._client = client
        self._resilience = resilience
        self._clock = clock

    async def list_tasks(
        self,
        *,
        status: TaskStatus | None = None,
        include_archived: bool = False,
        limit: int | None = None,
    ) -> Sequence[JulesTask]:
        """Return tasks, newest first. The API filters by archived only, so status is filtered here."""
        query: dict[str, str | int] = {}
        if include_archived:
            query["filter"] = "archived = true OR archived = false"
        if limit is not None and status is None:
            query["pageSize"] = max(1, min(limit, PAGE_SIZE))
        found: list[JulesTask] = []
        async for wire in self._pages("/sessions", "sessions", query):
            task = mapping.task_from(wire)
            if status is None or task.status is status:
                found.append(task)
            if limit is not None and len(found) >= limit:
                break
        return found

    async def iter_tasks(self, *, include_archived: bool = False) -> AsyncIterator[JulesTask]:
        """Yield tasks, newest first, page by page."""
        query = {"filter": "archived = true OR archived = false"} if include_archived else {}
        async for wire in self._pages("/sessions", "sessions", query):
            yield mapping.task_from(wire)

    async def get_task(self, task_id: str) -> JulesTask:
        """Return one task, without its activities."""
        return mapping.task_from(_one(await self._read(_path(task_id), "get task"), "get task"))

    async def create_task(self, new: NewTask) -> JulesTask:
        """Create a task. It is sent once; an unclear answer is the caller's to settle."""
        body: dict[str, Any] = {"prompt": new.description}
        if new.title is not None:
            body["title"] = new.title
        if new.repository:
            body["sourceContext"] = {
                "source": await self._source_name(new.repository),
                "githubRepoContext": {"startingBranch": new.branch},
            }
        if new.require_plan_approval:
            body["requirePlanApproval"] = True
        if new.auto_create_pr:
            body["automationMode"] = "AUTO_CREATE_PR"
        try:
            return mapping.task_from(await self._write("/sessions", "create task", body))
        except ValueError as exc:
            raise UnclearOutcomeError(
                "Jules answered the create without an id; the task may exist.",
                hint="Look with `jjm list` before you try again.",
            ) from exc

    async def send_message(self, task_id: str, text: str) -> None:
        """Send `text`. While the task is queued Jules answers 404 and takes nothing, so it is tried again.

        Source: Jules REST reference 3.5.
        """
        for number in range(QUEUED_TRIES):
            try:
                await self._write(_path(task_id, ":sendMessage"), "send message", {"prompt": text})
            except TaskNotFoundError as exc:
                task = await self.get_task(task_id)
                if task.status is not TaskStatus.PENDING:
                    raise
                if number == QUEUED_TRIES - 1:
                    raise OperationFailedError(
                        f"Task {task_id} is still queued and takes no message yet.",
                        hint="Send it again when `jjm get` shows another status.",
                    ) from exc
                await self._clock.sleep(2.0**number)
            else:
                return

    async def approve_plan(self, task_id: str) -> OperationOutcome:
        """Approve the latest plan; a refused precondition means that none waits."""
        try:
            await self._write(_path(task_id, ":approvePlan"), "approve plan", {})
        except PreconditionFailedError:
            if (await self.get_task(task_id)).status is TaskStatus.WAITING_APPROVAL:
                raise
            return OperationOutcome.NOT_NEEDED
        return OperationOutcome.DONE

    async def resume_task(self, task_id: str) -> OperationOutcome:
        """Wake a paused task with a short message: the API has no resume.

        Source: Jules REST reference 2 and 3.5 (a message woke 9 of 9 stalled tasks).
        """
        if (await self.get_task(task_id)).status is not TaskStatus.PAUSED:
            return OperationOutcome.NOT_NEEDED
        await self.send_message(task_id, RESUME_MESSAGE)
        return OperationOutcome.DONE

    async def list_activities(
        self, task_id: str, *, after: str | None = None
    ) -> Sequence[Activity]:
        """Return activities, oldest first.

        The list of a young task may not be there yet: it is looked for again after 1, 2 and 4
        seconds, and then taken as empty. Source: Jules REST reference 3.8 and 11.
        """
        task_id = task_id_from(task_id)
        query: dict[str, str | int] = {"filter": f'create_time>"{after}"'} if after else {}
        for number in range(ACTIVITIES_TRIES):
            if number:
                await self._clock.sleep(2.0 ** (number - 1))
            try:
                pages = self._pages(_path(task_id, "/activities"), "activities", query)
                return [mapping.activity_from(wire, task_id) async for wire in pages]
            except TaskNotFoundError:
                if not await self._is_young(task_id):
                    raise
        return []

    async def get_activity(self, task_id: str, activity_id: str) -> Activity:
        """Return one activity of a task, by its id.

        Raises:
            InvalidInputError: one of them is no id.
            TaskNotFoundError: there is no such task or activity.
        """
        task_id = task_id_from(task_id)
        path = _path(task_id, f"/activities/{task_id_from(activity_id)}")
        wire = _one(await self._read(path, "get activity"), "get activity")
        return mapping.activity_from(wire, task_id)

    async def set_archived(self, task_id: str, archived: bool) -> None:
        """Archive the task, or bring it back. Doing it twice does no harm."""
        verb = "archive" if archived else "unarchive"
        await self._send("POST", _path(task_id, f":{verb}"), f"{verb} task", {}, repeatable=True)

    async def delete_task(self, task_id: str) -> None:
        """Delete the task for good; one that is gone counts as deleted."""
        try:
            await self._send("DELETE", _path(task_id), "delete task", None, repeatable=True)
        except TaskNotFoundError:
            return

    async def list_sources(self) -> Sequence[Source]:
        """Return the repositories Jules may work on."""
        return [mapping.source_from(wire) async for wire in self._pages("/sources", "sources", {})]

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def _source_name(self, repository: str) -> str:
        """Return the name the service uses for the repository; both spellings exist."""
        repository = repository_from(repository)
        try:
            wire = await self._read(f"/sources/github/{repository}", "look up repository")
            return mapping.source_from(wire).name or f"sources/github/{repository}"
        except TaskNotFoundError:
            wanted = repository.lower()
            for source in await self.list_sources():
                if source.repository.lower() == wanted:
                    return source.name
        raise InvalidInputError(
            f"Jules may not work on {repository}.",
            hint="Connect it at https://jules.google.com; `jjm sources` lists what is connected.",
        )

    async def _is_young(self, task_id: str) -> bool:
        """Whether the task may be too new to have a list of activities."""
        created = (await self.get_task(task_id)).created_at
        age = self._clock.now() - (created or self._clock.now())
        return age.total_seconds() <= ACTIVITIES_APPEAR_WITHIN_SECONDS

    async def _pages(
        self, path: str, member: str, query: Mapping[str, str | int]
    ) -> AsyncIterator[Mapping[str, Any]]:
        token = ""
        asked_for: set[str] = set()
        while token not in asked_for:  # a service that repeats a token must not hold us for ever
            asked_for.add(token)
            asked: dict[str, str | int] = {"pageSize": PAGE_SIZE, **query}
            if token:
                asked["pageToken"] = token
            answer = await self._read(path, f"list {member}", asked)
            items = answer.get(member)
            for wire in items if isinstance(items, list) else ():
                # What has no id cannot be spoken of again; it must not hide the others.
                if isinstance(wire, Mapping) and mapping.id_of(wire):
                    yield wire
            token = str(answer.get("nextPageToken") or "")
            if not token:
                return

    async def _read(
        self, path: str, operation: str, query: Mapping[str, str | int] | None = None
    ) -> dict[str, Any]:
        return await self._resilience.call(
            operation,
            lambda: self._client.request(
                "GET", path, operation=operation, repeatable=True, query=query
            ),
            safe=True,
        )

    async def _write(self, path: str, operation: str, body: Mapping[str, Any]) -> dict[str, Any]:
        return await self._send("POST", path, operation, body, repeatable=False)

    async def _send(
        self,
        method: str,
        path: str,
        operation: str,
        body: Mapping[str, Any] | None,
        *,
        repeatable: bool,
    ) -> dict[str, Any]:
        return await self._resilience.call(
            operation,
            lambda: self._client.request(
                method, path, operation=operation, repeatable=repeatable, body=body
            ),
            safe=repeatable,
        )


def _one(wire: Mapping[str, Any], operation: str) -> Mapping[str, Any]:
    """Return the object, which must have an id."""
    if not mapping.id_of(wire):
        raise OperationFailedError(
            f"Jules answered {operation} with an object that has no id.",
            hint="Is jules.api_url the address of the Jules API?",
        )
    return wire


def _path(task_id: str, rest: str = "") -> str:
    """Return the address of a session; what is no id must not become part of one."""
    return f"/sessions/{task_id_from(task_id)}{rest}"


def open_rest_backend(
    *,
    base_url: str,
    api_key: str,
    timeout_seconds: float,
    max_tries: int,
    clock: Clock,
    name: str = "rest",
    transport: httpx2.AsyncBaseTransport | None = None,
) -> RestBackend:
    """Return a backend for one address and key; nothing is sent yet.

    Args:
        base_url: Address ending in `/v1alpha`.
        api_key: The key; never logged.
        timeout_seconds: Longest wait for one answer.
        max_tries: Tries of one safe call, >= 1.
        clock: For waiting between tries.
        name: What the backend calls itself.
        transport: Replaces the network, for example by the simulator's application.

    Raises:
        ConfigurationError: the address cannot be used.
    """
    client = RestClient(
        base_url=base_url, api_key=api_key, timeout_seconds=timeout_seconds, transport=transport
    )
    resilience = Resilience(clock=clock, max_tries=max_tries)
    return RestBackend(client=client, resilience=resilience, clock=clock, name=name)
