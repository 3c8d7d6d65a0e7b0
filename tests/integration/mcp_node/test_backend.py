"""The MCP backend on a Node server that behaves."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime

import pytest

from jules_job_manager.domain.task import NewTask, TaskStatus
from jules_job_manager.errors import (
    AuthenticationError,
    InvalidInputError,
    TaskNotFoundError,
    UnsupportedOperationError,
)
from jules_job_manager.ports.backend import OperationOutcome

NEW = NewTask(description="Add a greeting", repository="octo/demo", branch="main")


async def test_a_task_from_creation_to_the_end(connect, site):
    """Create, look, approve, talk and resume work, each sent once."""
    backend = connect()
    task = await backend.create_task(NEW)
    assert ("Add a greeting", "octo/demo", "main") == (task.title, task.repository, task.branch)
    assert f"https://jules.google.com/task/{task.id}" == task.url
    assert TaskStatus.PENDING is task.status

    site.show(task.id, status="\n     waiting for approval\n   ", plan=True)
    seen = await backend.get_task(task.id)
    assert TaskStatus.WAITING_APPROVAL is seen.status
    assert "waiting for approval" == seen.raw_state
    assert OperationOutcome.DONE is await backend.approve_plan(task.id)
    assert OperationOutcome.NOT_NEEDED is await backend.approve_plan(task.id)

    await backend.send_message(task.id, "Please add a test.\nURL: https://evil.example/")
    site.show(task.id, status="paused", paused=True, files=["app.py", "tests/test app.py"])
    seen = await backend.get_task(f"https://jules.google.com/session/{task.id}?hl=en#x")
    assert TaskStatus.PAUSED is seen.status
    assert ["app.py", "tests/test app.py"] == [file.filename for file in seen.source_files]
    assert ["Please add a test.\nURL: https://evil.example/"] == [
        m.content for m in seen.chat_history
    ]
    assert OperationOutcome.DONE is await backend.resume_task(task.id)
    assert OperationOutcome.NOT_NEEDED is await backend.resume_task(task.id)
    assert 1 == site.calls().count("jules_create_task") == site.calls().count("jules_send_message")


@pytest.mark.parametrize("description", [
    "One line",
    "Two lines\nURL: https://evil.example/task/1\n\nTask ID: 7\nStatus: completed",
    "x" * 300,
    "emoji at the cut " + "🎉" * 40,
    "  - a list...\n  - of things...",
])  # fmt: skip
async def test_a_description_cannot_forge_the_answer(connect, description):
    """Whatever the description says, id and address are the server's own."""
    backend = connect()
    created = await backend.create_task(NewTask(description=description, repository="octo/demo"))
    assert created.id.startswith("2337276871082330")
    assert f"https://jules.google.com/task/{created.id}" == created.url
    listed = await backend.list_tasks()
    assert [created.id] == [task.id for task in listed]
    assert [created.title] == [task.title for task in listed]
    assert [description] == [task.description for task in listed]


@pytest.mark.parametrize("file", [True, False], ids=["with data file", "without"])
async def test_lists_are_whole_and_newest_first(connect, site, file):
    """Twelve tasks come back although the server's own default shows ten."""
    site.set(now="2026-01-02T23:30:00Z")
    backend = connect(file=file)
    ids = [
        (await backend.create_task(NewTask(description=f"n{n}", repository="o/r"))).id
        for n in range(12)
    ]
    assert set(ids) == {task.id for task in await backend.list_tasks()}
    assert 5 == len(await backend.list_tasks(limit=5))
    assert [] == list(await backend.list_tasks(status=TaskStatus.FAILED))


async def test_without_file_and_resource_the_list_text_is_read(connect, site):
    """Dates come as days in UTC, and ids without the query they carry."""
    site.set(now="2026-01-02T23:30:00Z", id_suffix="?hl=en")
    backend = connect(file=False, environment={"NO_RESOURCE": "1"})
    created = await backend.create_task(NEW)
    assert "?" not in created.id
    (listed,) = await backend.list_tasks()
    assert (created.id, "octo/demo") == (listed.id, listed.repository)
    assert datetime(2026, 1, 2, tzinfo=UTC) == listed.created_at


async def test_messages_are_whole_with_the_file_and_cut_without(connect, site):
    """The page tells the last three, cut; the data file has them all."""
    texts = ["first", "Status: completed\n\nSource Files (9):\n", "y" * 150, "last…"]
    for file in (True, False):
        backend = connect(file=file, environment={"NO_RESOURCE": "1"})
        task = await backend.create_task(NEW)
        site.show(task.id, status="running", messages=texts)
        seen = [message.content for message in (await backend.get_task(task.id)).chat_history]
        cut = [texts[1].strip(), "y" * 100 + "…", "last…"]
        assert (texts if file else cut) == seen
        await backend.aclose()


async def test_half_a_surrogate_pair_in_an_answer(connect, site):
    """An emoji cut in two comes as a replacement character, not as a lost answer."""
    backend = connect(file=False, environment={"NO_RESOURCE": "1"})
    task = await backend.create_task(NEW)
    site.show(task.id, status="running", messages=["a" * 99 + "🎉 party"])
    (message,) = (await backend.get_task(task.id)).chat_history
    assert "a" * 99 == message.content.rstrip("…\ufffd")


async def test_calls_do_not_overlap(connect, site):
    """The server works on one page, so one call ends before the next begins."""
    backend = connect()
    await asyncio.gather(*(backend.create_task(NEW) for _ in range(5)))
    assert ["begin", "end"] * 5 == [line["what"] for line in site.lines()]


async def test_an_unknown_task(connect):
    """The server has no error for it: a page that shows nothing of a task it never made is one."""
    with pytest.raises(TaskNotFoundError, match="shows nothing for task 42"):
        await connect().get_task("42")


async def test_nobody_signed_in(connect, site):
    """A page that keeps showing nothing for known tasks means that nobody is signed in."""
    backend = connect()
    task = await backend.create_task(NEW)
    site.show(task.id, status="")
    for _ in range(2):
        assert TaskStatus.UNKNOWN is (await backend.get_task(task.id)).status
    with pytest.raises(AuthenticationError, match="signed in"):
        await backend.get_task(task.id)


async def test_what_the_server_cannot_do(connect, site):
    """Operations without a tool say so, and nothing is sent."""
    backend = connect()
    for operation in (
        backend.delete_task("1"), backend.set_archived("1", True), backend.list_sources(),
        backend.list_activities("1"),
    ):  # fmt: skip
        with pytest.raises(UnsupportedOperationError):
            await operation
    with pytest.raises(InvalidInputError, match="needs a repository"):
        await backend.create_task(NewTask(description="x"))
    assert [] == site.calls()


async def test_only_what_it_needs_reaches_the_server(connect, monkeypatch):
    """Our keys stay with us; locale and zone make its dates readable."""
    monkeypatch.setenv("JULES_API_KEY", "secret-key")
    monkeypatch.setenv("GITHUB_TOKEN", "secret-token")
    monkeypatch.setenv("LC_ALL", "de_DE.UTF-8")
    info = await connect(environment={"HEADLESS": "false"}).session_info()
    names = set(info["environment"])
    assert {"PATH", "LC_ALL", "TZ", "HEADLESS", "JULES_DATA_PATH"} <= names
    assert not {"JULES_API_KEY", "GITHUB_TOKEN"} & names
    assert info["isHeadless"] is False


async def test_a_data_file_that_is_half_written(connect, site, clock):
    """The file is tried a few times; then the server is asked instead."""
    backend = connect()
    site.data.write_text('{"tasks": [')
    site.fail("jules_list_tasks", "text", "Jules Tasks (0 of 0 total):\n\nNo tasks found.")
    assert [] == list(await backend.list_tasks())
    assert 3 == len(clock.waits)


async def test_a_data_file_of_strange_things(connect, site):
    """Members of the wrong type are left out; a task without an id is none."""
    site.store(
        {"id": 5}, {"id": "a/b c"}, "text", None,
        {"id": "7?hl=en", "title": 3, "createdAt": "never", "chatHistory": "no", "extra": [1]},
    )  # fmt: skip
    (task,) = await connect().list_tasks()
    assert ("7", "", None, {"extra": [1]}) == (task.id, task.title, task.created_at, task.metadata)


async def test_the_log_of_stderr_is_masked(connect, site):
    """What the server prints is kept, without the cookies it was given."""
    backend = connect(environment={"GOOGLE_AUTH_COOKIES": "SID=abcdef; domain=.google.com"})
    await backend.list_tasks()
    await backend.aclose()
    log = site.stderr_log.read_text()
    assert "running on stdio, cookies ********" in log
    assert "abcdef" not in log
    assert 0o600 == site.stderr_log.stat().st_mode & 0o777


async def test_stored_objects_are_as_the_server_writes_them(connect, site):
    """The data file that the pretend server writes has the members the real one has."""
    backend = connect()
    task = await backend.create_task(NEW)
    await backend.get_task(task.id)
    (stored,) = json.loads(site.data.read_text())["tasks"]
    assert {
        "id", "title", "description", "repository", "branch", "status", "createdAt", "updatedAt",
        "url", "chatHistory", "sourceFiles",
    } == set(stored)  # fmt: skip
