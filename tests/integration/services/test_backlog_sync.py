"""A document that a person edits while the queue writes progress into it: neither is lost."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from jules_job_manager.adapters.documents.markdown import MarkdownBacklogDocuments
from jules_job_manager.domain.job import JobStatus
from jules_job_manager.errors import BacklogError
from jules_job_manager.services.backlog_sync import BacklogSync
from jules_job_manager.services.backlogs import BacklogService

pytestmark = pytest.mark.integration
LONG_AGO = 1_700_000_000


class Waiting:
    """A clock; what happens while somebody waits can be set."""

    def __init__(self) -> None:
        self.meanwhile = lambda: None

    def now(self) -> datetime:
        return datetime(2026, 3, 4, tzinfo=UTC)

    def monotonic_seconds(self) -> float:
        return 0.0

    async def sleep(self, seconds: float) -> None:
        self.meanwhile()


def entry(number: int, *, status: str = "Ready", prompt: str = "go") -> str:
    return f"### Task {number}: T\n**Status**: {status}\n**Prompt**: {prompt}\n\n"


class Desk:
    """A document, the queue, and what keeps them together."""

    def __init__(self, store, file) -> None:
        self.store, self.file, self.clock = store, file, Waiting()
        self.backlogs = BacklogService(
            documents=MarkdownBacklogDocuments(), jobs=store.jobs, clock=self.clock
        )
        self.sync = self.on("here")

    def on(self, machine: str, *, writes: bool = True) -> BacklogSync:
        return BacklogSync(
            backlogs=self.backlogs, store=self.store, clock=self.clock, machine=machine,
            writes=writes,
        )  # fmt: skip

    def save(self, text: str, *, age: int = 0) -> None:
        self.file.write_text(text)
        if not age:
            os.utime(self.file, (LONG_AGO, LONG_AGO + len(text)))

    async def import_it(self) -> None:
        content = self.file.read_bytes()
        await self.backlogs.import_backlog(
            path=str(self.file), content=content, repository="o/r", base_branch="main"
        )
        await self.sync.remember(str(self.file), content)

    async def jobs(self) -> dict[str, str]:
        return {job.key: job.prompt for job in await self.store.jobs.list_jobs()}


@pytest.fixture
async def desk(store, tmp_path) -> Desk:
    desk = Desk(store, tmp_path / "b.md")
    desk.save(entry(1) + entry(2))
    await desk.import_it()
    return desk


async def test_edits_come_in_once(desk):
    """A new prompt, a new job with its neighbours' repository; a job that left stays, and is named."""
    assert await desk.sync.bring_in(str(desk.file)) is None
    desk.save(entry(1, prompt="go further") + entry(3))
    report = await desk.sync.bring_in(str(desk.file))
    assert (("Task 3",), ("Task 1",), ("Task 2",), ()) == (
        report.added, report.changed, report.kept, report.removed,
    )  # fmt: skip
    assert {"Task 1": "go further", "Task 2": "go", "Task 3": "go"} == await desk.jobs()
    assert ("o/r", "main") == (
        (job := await desk.store.jobs.get_job("Task 3")).repository, job.base_branch,
    )  # fmt: skip
    assert await desk.sync.bring_in(str(desk.file)) is None


async def test_a_machine_that_imported_nothing_brings_nothing_in(desk):
    """Its copy at the same place may be older; nor is a document that is not there looked for."""
    desk.save(entry(1, prompt="as it was last year"))
    assert await desk.on("elsewhere").bring_in(str(desk.file)) is None
    assert await desk.sync.bring_in(str(desk.file) + ".gone") is None
    assert "go" == (await desk.jobs())["Task 1"]


async def test_what_is_being_saved_is_left_for_the_next_look(desk):
    """Half of it may still be to come."""
    desk.save(entry(1, prompt="hal"), age=1)
    assert await desk.sync.bring_in(str(desk.file)) is None
    desk.save(entry(1, prompt="half and the rest"))
    assert ("Task 1",) == (await desk.sync.bring_in(str(desk.file))).changed


async def test_progress_never_overwrites_an_edit(desk):
    """What a person wrote before the write-back is read first: done by hand stays done."""
    job = await desk.store.jobs.get_job("Task 1")
    running = replace(job, status=JobStatus.RUNNING, task_id="7", started_at=desk.clock.now())
    await desk.store.jobs.save_jobs([running])
    desk.save(entry(1, status="Complete") + entry(2), age=1)
    desk.clock.meanwhile = lambda: desk.save(
        entry(1, status="Complete") + entry(2, prompt="waited for")
    )
    assert ("Task 1", "Task 2") == (await desk.sync.write_back(str(desk.file))).changed
    assert JobStatus.DONE is (await desk.store.jobs.get_job("Task 1")).status
    assert "waited for" == (await desk.jobs())["Task 2"]
    assert entry(1, status="Complete") in desk.file.read_text()
    assert await desk.sync.bring_in(str(desk.file)) is None


async def test_what_cannot_be_used_is_said_and_left_as_it_is(desk):
    """Until it is saved again; nothing is written over it."""
    broken = entry(1) + entry(2).replace("**Prompt**", "**Dependencies**: Task 9\n**Prompt**")
    desk.save(broken)
    with pytest.raises(BacklogError, match="Task 9"):
        await desk.sync.bring_in(str(desk.file))
    assert await desk.sync.bring_in(str(desk.file)) is None
    with pytest.raises(BacklogError, match="Task 9"):
        await desk.sync.write_back(str(desk.file))
    assert broken == desk.file.read_text()


async def test_a_document_may_be_only_read(desk):
    """`--no-write-back`: edits come in, progress does not go out."""
    job = await desk.store.jobs.get_job("Task 1")
    await desk.store.jobs.save_jobs([replace(job, status=JobStatus.RUNNING, task_id="7")])
    before = desk.file.read_bytes()
    await desk.on("here", writes=False).write_back(str(desk.file))
    assert before == desk.file.read_bytes()
    await desk.sync.write_back(str(desk.file))
    assert b"In Progress" in desk.file.read_bytes()
