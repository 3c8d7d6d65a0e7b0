"""Import, write-back and export of backlogs, on real files."""

from __future__ import annotations

import os
import stat
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from jules_job_manager.adapters.documents.markdown import MarkdownBacklogDocuments
from jules_job_manager.domain.backlog import Backlog, JobProgress
from jules_job_manager.domain.event import NewEvent
from jules_job_manager.domain.job import Attempt, Job, JobStatus
from jules_job_manager.domain.review import Review
from jules_job_manager.errors import BacklogError
from jules_job_manager.ports.job_store import BacklogQuery, BacklogStanding, JobQuery
from jules_job_manager.ports.page import Page
from jules_job_manager.services.backlog_text import jobs_as_markdown
from jules_job_manager.services.backlogs import BacklogService

DATA = Path(__file__).parents[2] / "data"
QUEUE = DATA / "jules-task-queue.md"
TICKETS = DATA / "jules-job-manager-tickets.md"
NOW = datetime(2026, 3, 4, 5, 6, tzinfo=UTC)


class FakeClock:
    def now(self) -> datetime:
        return NOW

    def monotonic_seconds(self) -> float:
        return 0.0

    async def sleep(self, seconds: float) -> None:
        raise AssertionError("nothing here waits")


class FakeJobStore:
    """Jobs in memory: the part of the port that backlogs need."""

    def __init__(self) -> None:
        self.jobs: dict[str, Job] = {}
        self.events: list[NewEvent] = []
        self.before_swap: Callable[[], None] | None = None

    async def save_jobs(self, jobs: Sequence[Job], events: Sequence[NewEvent] = ()) -> None:
        self.jobs |= {job.key: job for job in jobs}
        self.events += events

    async def swap_jobs(
        self,
        expected: Mapping[str, Job | None],
        jobs: Sequence[Job],
        *,
        attempts: Sequence[Attempt] = (),
        removed: Sequence[str] = (),
        events: Sequence[NewEvent] = (),
    ) -> bool:
        if self.before_swap is not None:
            self.before_swap()
        if any(self.jobs.get(key) != job for key, job in expected.items()):
            return False
        assert not attempts
        await self.delete_jobs(removed)
        await self.save_jobs(jobs, events)
        return True

    async def page_backlogs(self, query: BacklogQuery) -> Page[BacklogStanding]:
        assert BacklogQuery(limit=None) == query
        jobs = Counter(job.backlog for job in self.jobs.values())
        found = (BacklogStanding(name=name, jobs=jobs[name], counts={}) for name in sorted(jobs))
        return Page(items=tuple(found))

    async def get_job(self, key: str) -> Job | None:
        return self.jobs.get(key)

    async def list_jobs(self, query: JobQuery | None = None) -> Sequence[Job]:
        wanted = query or JobQuery()
        found = [j for j in self.jobs.values() if wanted.backlog in {None, j.backlog}]
        return sorted(found, key=lambda job: (job.backlog, job.position))

    async def delete_jobs(self, keys: Sequence[str], events: Sequence[NewEvent] = ()) -> int:
        self.events += events
        return sum(self.jobs.pop(key, None) is not None for key in keys)

    async def save_attempt(
        self, attempt: Attempt, *, job: Job | None = None, events: Sequence[NewEvent] = ()
    ) -> None:
        raise AssertionError("backlogs make no attempts")

    async def list_attempts(
        self, job_key: str | None = None, *, live_only: bool = False
    ) -> Sequence[Attempt]:
        return []

    async def save_review(self, review: Review, events: Sequence[NewEvent] = ()) -> None:
        raise AssertionError("backlogs make no reviews")

    async def list_reviews(self, job_key: str) -> Sequence[Review]:
        return []


@pytest.fixture
def jobs() -> FakeJobStore:
    return FakeJobStore()


@pytest.fixture
def service(jobs: FakeJobStore) -> BacklogService:
    return BacklogService(documents=MarkdownBacklogDocuments(), jobs=jobs, clock=FakeClock())


def text(number: int = 1, needs: str = "None", status: str = "Ready", prompt: str = "go") -> str:
    return (
        f"### Task {number}: T{number}\n**Status**: {status}\n**Dependencies**: {needs}\n"
        f"**Prompt**: {prompt}\n\n"
    )


async def test_tickets_wait_for_what_they_depend_on(
    service: BacklogService, jobs: FakeJobStore
) -> None:
    """After an import only the jobs without open dependencies are ready; the others say why."""
    report = await service.import_backlog(
        path="/t.md", content=TICKETS.read_bytes(), repository="o/r", base_branch="main"
    )
    assert ["JJM-001"] == [j.key for j in report.jobs if j.status is JobStatus.READY]
    assert "waits for JJM-001, JJM-003" == jobs.jobs["JJM-004"].reason
    assert (62, 62, ()) == (len(report.jobs), len(report.added), report.problems)
    assert {("o/r", "main", "/t.md")} == {
        (job.repository, job.base_branch, job.backlog) for job in jobs.jobs.values()
    }
    assert ["backlog_imported"] == [str(event.type) for event in jobs.events]


async def test_a_dry_run_keeps_nothing(service: BacklogService, jobs: FakeJobStore) -> None:
    """It reports the same and leaves store and events alone."""
    report = await service.import_backlog(path="/q.md", content=QUEUE.read_bytes(), dry_run=True)
    assert (5, {}, []) == (len(report.added), jobs.jobs, jobs.events)


async def test_importing_again_updates_text_and_keeps_what_has_begun(
    service: BacklogService, jobs: FakeJobStore
) -> None:
    """A running job keeps its task and status; a job not begun follows the document."""
    await service.import_backlog(
        path="/q.md", content=(text(1) + text(2)).encode(), repository="o/r"
    )
    jobs.jobs["Task 1"] = replace(
        jobs.jobs["Task 1"], status=JobStatus.RUNNING, task_id="77", started_at=NOW
    )
    again = text(1, prompt="new words") + text(2, needs="Task 1", status="Pending")
    report = await service.import_backlog(path="/q.md", content=again.encode())
    first, second = report.jobs
    assert ("new words", JobStatus.RUNNING, "77", NOW, "o/r") == (
        first.prompt, first.status, first.task_id, first.started_at, first.repository)  # fmt: skip
    assert (JobStatus.BLOCKED, "waits for Task 1") == (second.status, second.reason)
    assert ("Task 1", "Task 2") == report.updated
    assert {"from": "ready", "to": "blocked"} == jobs.events[-1].data


async def test_an_import_never_undoes_what_a_run_did_meanwhile(
    service: BacklogService, jobs: FakeJobStore
) -> None:
    """A job that starts between reading and writing keeps its task; the import looks again."""
    await service.import_backlog(path="/q.md", content=text(1).encode())

    def starts() -> None:
        jobs.before_swap = None
        job = jobs.jobs["Task 1"]
        jobs.jobs["Task 1"] = replace(job, status=JobStatus.RUNNING, task_id="7", started_at=NOW)

    jobs.before_swap = starts
    report = await service.import_backlog(path="/q.md", content=text(1, prompt="new").encode())
    stored = jobs.jobs["Task 1"]
    assert ("new", JobStatus.RUNNING, "7") == (stored.prompt, stored.status, stored.task_id)
    assert stored == report.jobs[0]


async def test_a_queue_that_never_rests_refuses_the_import(
    service: BacklogService, jobs: FakeJobStore
) -> None:
    """After some tries the import gives up and says so; nothing of it is written."""
    await service.import_backlog(path="/q.md", content=text(1).encode())
    count = iter(range(1000))

    def moves() -> None:
        jobs.jobs["Task 1"] = replace(jobs.jobs["Task 1"], reason=str(next(count)))

    jobs.before_swap = moves
    with pytest.raises(BacklogError, match="keeps changing"):
        await service.import_backlog(path="/q.md", content=text(1, prompt="new").encode())
    assert "go" == jobs.jobs["Task 1"].prompt


@pytest.mark.parametrize("status", ["In Progress", "Starting", "In Review", "Needs You"])
async def test_a_job_the_document_calls_begun_is_not_started_again(
    service: BacklogService, jobs: FakeJobStore, status: str
) -> None:
    """It is shown with what a person can do; set back to Ready in the document it is ready."""
    report = await service.import_backlog(path="/a.md", content=text(status=status).encode())
    [job] = report.jobs
    assert job.status.holds_slot
    assert "jjm queue adopt KEY TASK" in job.reason
    report = await service.import_backlog(path="/a.md", content=text().encode())
    assert (JobStatus.READY, "") == (report.jobs[0].status, report.jobs[0].reason)


async def test_jobs_that_left_the_document(service: BacklogService, jobs: FakeJobStore) -> None:
    """Those never begun leave the queue; those begun stay and are named."""
    await service.import_backlog(path="/q.md", content=(text(1) + text(2) + text(3)).encode())
    jobs.jobs["Task 2"] = replace(jobs.jobs["Task 2"], status=JobStatus.RUNNING, task_id="9")
    report = await service.import_backlog(path="/q.md", content=text(1).encode())
    assert (("Task 3",), ("Task 2",)) == (report.removed, report.kept)
    assert {"Task 1", "Task 2"} == set(jobs.jobs)


async def test_a_key_of_another_document_is_refused(
    service: BacklogService, jobs: FakeJobStore
) -> None:
    """The error names key, line and the other document, and nothing changes."""
    await service.import_backlog(path="/a.md", content=text(1).encode())
    before = dict(jobs.jobs)
    with pytest.raises(BacklogError, match=r"'Task 1' \(line 6\) is in /a.md"):
        await service.import_backlog(path="/b.md", content=(text(2) + text(1)).encode())
    assert before == jobs.jobs


async def test_a_document_that_moved_takes_its_jobs_along(
    service: BacklogService, jobs: FakeJobStore
) -> None:
    """Only when its old path is named: begun jobs keep their state, and the old path is forgotten."""
    await service.import_backlog(path="/a.md", content=(text(1) + text(2) + text(3)).encode())
    for key in ("Task 1", "Task 2"):
        jobs.jobs[key] = replace(jobs.jobs[key], status=JobStatus.RUNNING, task_id=key)
    moved = text(1).encode()
    with pytest.raises(BacklogError) as refused:
        await service.import_backlog(path="/b.md", content=moved)
    assert "--moved-from" in (refused.value.hint or "")
    with pytest.raises(BacklogError, match=r"knows no document /c\.md") as unknown:
        await service.import_backlog(path="/b.md", content=moved, moved_from="/c.md")
    assert "It knows /a.md." == unknown.value.hint
    report = await service.import_backlog(path="/b.md", content=moved, moved_from="/a.md")
    assert ((), ("Task 1",), ("Task 3",), ("Task 2",)) == (
        report.added, report.updated, report.removed, report.kept,
    )  # fmt: skip
    assert {("Task 1", "/b.md", "running"), ("Task 2", "/b.md", "running")} == {
        (job.key, job.backlog, job.status.value) for job in jobs.jobs.values()
    }


@pytest.mark.parametrize(
    ("document", "queue", "after", "said"),
    [
        ("Complete", "needs_you", "done", False), ("Complete", "failed", "done", False),
        ("Complete", "running", "done", False), ("Failed", "running", "running", True),
        ("Complete", "cancelled", "done", False), ("Cancelled", "running", "running", True),
        ("Ready", "done", "done", True), ("Ready", "failed", "failed", True),
        ("In Progress", "needs_you", "needs_you", False), ("Complete", "done", "done", False),
    ],
)  # fmt: skip
async def test_where_document_and_queue_disagree_it_is_said(
    service: BacklogService, jobs: FakeJobStore, document: str, queue: str, after: str, said: bool
) -> None:
    """A begun job keeps the queue's word, and the line is named; done by hand is done."""
    await service.import_backlog(path="/a.md", content=text().encode())
    jobs.jobs["Task 1"] = replace(jobs.jobs["Task 1"], status=JobStatus(queue), task_id="7")
    report = await service.import_backlog(path="/a.md", content=text(status=document).encode())
    assert after == jobs.jobs["Task 1"].status.value
    assert ([1] if said else []) == [difference.line for difference in report.differences]


async def test_a_file_marked_read_only_is_left_alone(
    service: BacklogService, jobs: FakeJobStore, tmp_path: Path
) -> None:
    """Its folder would let it be replaced; its owner said no."""
    file = tmp_path / "b.md"
    file.write_text(text())
    await service.import_backlog(path=str(file), content=file.read_bytes())
    jobs.jobs["Task 1"] = replace(jobs.jobs["Task 1"], status=JobStatus.RUNNING, task_id="7")
    file.chmod(0o444)
    with pytest.raises(BacklogError, match="read-only"):
        await service.write_back(str(file))
    assert (text(), ["b.md"]) == (file.read_text(), [each.name for each in tmp_path.iterdir()])
    file.chmod(0o644)
    assert await service.write_back(str(file))


async def test_a_file_with_nothing_to_change_is_not_written(
    service: BacklogService, tmp_path: Path
) -> None:
    """Not even its time of change moves."""
    file = tmp_path / "b.md"
    file.write_bytes(QUEUE.read_bytes())
    os.utime(file, ns=(1, 1))
    await service.import_backlog(path=str(file), content=file.read_bytes())
    before = file.stat()
    assert not await service.write_back(str(file))
    assert (before.st_mtime_ns, before.st_ino) == (file.stat().st_mtime_ns, file.stat().st_ino)


async def test_a_retried_job_shows_no_end(
    service: BacklogService, jobs: FakeJobStore, tmp_path: Path
) -> None:
    """The day on which it failed goes from the table when it runs again."""
    file = tmp_path / "b.md"
    table = "| Task | Status | Start Date | Completion Date |\n|--|--|--|--|\n| Task 1 | Ready | - | - |\n"
    file.write_text(text() + table)
    await service.import_backlog(path=str(file), content=file.read_bytes())
    failed = replace(
        jobs.jobs["Task 1"], status=JobStatus.FAILED, task_id="7", started_at=NOW, finished_at=NOW
    )
    jobs.jobs["Task 1"] = failed
    await service.write_back(str(file))
    assert "| Task 1 | Failed | 2026-03-04 | 2026-03-04 |" in file.read_text()
    jobs.jobs["Task 1"] = replace(failed, status=JobStatus.RUNNING, finished_at=None)
    await service.write_back(str(file))
    assert "| Task 1 | In Progress | 2026-03-04 | - |" in file.read_text()


async def test_dependencies_may_name_jobs_of_other_documents(
    service: BacklogService, jobs: FakeJobStore
) -> None:
    """A job waits for one of another document, and is free when that one is done."""
    with pytest.raises(BacklogError, match=r"'Task 2' \(line 1\) depends on 'Task 1'"):
        await service.import_backlog(path="/b.md", content=text(2, needs="Task 1").encode())
    await service.import_backlog(path="/a.md", content=text(1).encode())
    await service.import_backlog(path="/b.md", content=text(2, needs="Task 1").encode())
    assert JobStatus.BLOCKED is jobs.jobs["Task 2"].status
    await service.import_backlog(path="/a.md", content=text(1, status="Complete").encode())
    assert JobStatus.READY is jobs.jobs["Task 2"].status
    assert ("/a.md", "/b.md") == await service.backlogs()


async def test_a_circle_through_two_documents_is_refused(service: BacklogService) -> None:
    """The path is shown, with the line of the job in this document."""
    await service.import_backlog(path="/a.md", content=text(1).encode())
    await service.import_backlog(path="/b.md", content=text(2, needs="Task 1").encode())
    with pytest.raises(BacklogError, match=r"circle: .*→ Task") as caught:
        await service.import_backlog(path="/a.md", content=text(1, needs="Task 2").encode())
    assert {"Task 1", "Task 2"} == set(caught.value.context["cycle"])


async def test_a_job_the_document_calls_blocked_is_not_started(service: BacklogService) -> None:
    """With no dependency to wait for, only a person knows what blocks it."""
    report = await service.import_backlog(path="/a.md", content=text(status="Blocked").encode())
    assert (JobStatus.DRAFT, "the document calls it blocked") == (
        report.jobs[0].status, report.jobs[0].reason)  # fmt: skip


@pytest.mark.parametrize("source", [QUEUE, TICKETS], ids=["queue", "tickets"])
async def test_export_of_an_untouched_document_is_identical(
    service: BacklogService, tmp_path: Path, source: Path
) -> None:
    """Nothing has begun, so export and write-back change no byte."""
    file = tmp_path / "b.md"
    file.write_bytes(source.read_bytes())
    await service.import_backlog(path=str(file), content=file.read_bytes())
    assert source.read_bytes() == await service.exported(str(file))
    assert False is await service.write_back(str(file))
    assert source.read_bytes() == file.read_bytes()


async def test_write_back_puts_progress_into_the_file(
    service: BacklogService, jobs: FakeJobStore, tmp_path: Path
) -> None:
    """Status, dates and note appear; mode and link stay; a second time changes nothing."""
    real, link = tmp_path / "real.md", tmp_path / "link.md"
    real.write_bytes(QUEUE.read_bytes())
    real.chmod(0o640)
    link.symlink_to(real)
    await service.import_backlog(path=str(link), content=link.read_bytes())
    jobs.jobs["Task 2"] = replace(
        jobs.jobs["Task 2"], status=JobStatus.DONE, task_id="5", merge_commit="0123456789abcdef",
        started_at=NOW, finished_at=NOW,
    )  # fmt: skip
    assert True is await service.write_back(str(link))
    row = (
        "| Task 2: Service Layer | âœ… Complete | 2026-03-04 | 2026-03-04 | "
        "Can run parallel; jjm: merged as 0123456789 |"
    )
    assert row in real.read_text()
    assert (True, 0o640) == (link.is_symlink(), stat.S_IMODE(real.stat().st_mode))
    assert False is await service.write_back(str(link))
    assert {"real.md", "link.md"} == {path.name for path in tmp_path.iterdir()}


async def test_a_file_or_job_that_is_gone_is_said(
    service: BacklogService, jobs: FakeJobStore, tmp_path: Path
) -> None:
    """Neither is guessed around: the error names what is missing, after the others were written."""
    file = tmp_path / "b.md"
    file.write_text(text(1) + text(2))
    await service.import_backlog(path=str(file), content=file.read_bytes())
    jobs.jobs["Task 2"] = replace(jobs.jobs["Task 2"], status=JobStatus.RUNNING, task_id="5")
    file.write_text(text(2))
    with pytest.raises(BacklogError, match="no longer has Task 1"):
        await service.write_back(str(file))
    assert text(2, status="In Progress") == file.read_text() == (
        await service.exported(str(file))).decode()  # fmt: skip
    file.unlink()
    with pytest.raises(BacklogError, match="cannot be read"):
        await service.write_back(str(file))


class _EditedMeanwhile(MarkdownBacklogDocuments):
    """Saves the file from somewhere else between reading and replacing it, `times` times."""

    def __init__(self, file: Path, times: int) -> None:
        self._file, self._left = file, times

    def write_back(self, content: bytes, progress: Sequence[JobProgress]) -> bytes:
        if self._left:
            self._left -= 1
            self._file.write_bytes(content + b"\nedited meanwhile\n")
        return super().write_back(content, progress)

    def read(self, content: bytes) -> Backlog:
        return super().read(content)


@pytest.mark.parametrize(("times", "loses"), [(2, False), (99, True)])
async def test_an_edit_made_meanwhile_is_never_lost(
    jobs: FakeJobStore, tmp_path: Path, times: int, loses: bool
) -> None:
    """The file is read again; when it never rests, the edit stays and the write is refused."""
    file = tmp_path / "b.md"
    file.write_text(text(1))
    service = BacklogService(documents=_EditedMeanwhile(file, times), jobs=jobs, clock=FakeClock())
    await service.import_backlog(path=str(file), content=file.read_bytes())
    jobs.jobs["Task 1"] = replace(jobs.jobs["Task 1"], status=JobStatus.RUNNING, task_id="1")
    if loses:
        with pytest.raises(BacklogError, match="keeps changing"):
            await service.write_back(str(file))
    else:
        assert True is await service.write_back(str(file))
        assert "**Status**: In Progress" in file.read_text()
    assert "edited meanwhile" in file.read_text()
    assert [file] == list(tmp_path.iterdir())


async def test_jobs_written_anew_read_as_the_same_jobs(service: BacklogService) -> None:
    """A document made from the queue gives back key, texts, files, checklist and dependencies."""
    report = await service.import_backlog(path="/q.md", content=QUEUE.read_bytes())
    again = MarkdownBacklogDocuments().read(jobs_as_markdown(report.jobs).encode())
    assert () == again.problems
    for old, new in zip(report.jobs, again.jobs, strict=True):
        assert replace(old, notes=(), backlog="", reason="", status=JobStatus.READY) == replace(
            new, reason="", status=JobStatus.READY
        )
