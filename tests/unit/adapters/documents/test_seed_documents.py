"""The two documents this project began with, read exactly as they stand."""

from __future__ import annotations

from datetime import date
from difflib import SequenceMatcher
from pathlib import Path

import pytest

from jules_job_manager.adapters.documents.markdown import MarkdownBacklogDocuments
from jules_job_manager.domain.backlog import Backlog, JobProgress
from jules_job_manager.domain.job import JobStatus

DATA = Path(__file__).parents[3] / "data"
QUEUE = (DATA / "jules-task-queue.md").read_bytes()
TICKETS = (DATA / "jules-job-manager-tickets.md").read_bytes()


def read(content: bytes) -> Backlog:
    return MarkdownBacklogDocuments().read(content)


def changes(before: bytes, after: bytes) -> list[tuple[str, str]]:
    """Return each changed stretch as (old, new), whole lines apart."""
    a = before.decode().splitlines(keepends=True)
    b = after.decode().splitlines(keepends=True)
    found = SequenceMatcher(a=a, b=b, autojunk=False).get_opcodes()
    return [("".join(a[i:j]), "".join(b[k:m])) for tag, i, j, k, m in found if tag != "equal"]


def test_the_queue_has_its_five_jobs() -> None:
    """Keys, titles, priorities, statuses, estimates, dependencies and branches are read."""
    rows = [
        (j.key, j.title, j.priority.value, j.status.value, j.estimate, j.depends_on, j.branch)
        for j in read(QUEUE).jobs
    ]
    assert [
        ("Task 1", "Build Real Altimeter Bidirectional Sync", "critical", "ready", "1 week", (),
         "altimeter-bidirectional-sync"),
        ("Task 2", "Standardize Service Layer Architecture", "high", "ready", "5 days", (),
         "service-layer-refactor"),
        ("Task 3", "Email Intelligence - Construction Document Classifier", "high", "draft",
         "1 week", ("Task 2",), "email-document-classifier"),
        ("Task 4", "Project Health Dashboard with Risk Scoring", "medium", "draft", "2 weeks",
         ("Task 1",), ""),
        ("Task 5", "Mobile-First Field Views (PWA)", "medium", "draft", "1 week", ("Task 1",), ""),
    ] == rows  # fmt: skip


def test_a_fence_inside_the_prompt_does_not_end_it() -> None:
    """The second prompt goes on after its Python example, and ends where its own fence does."""
    prompt = read(QUEUE).jobs[1].prompt
    assert prompt.startswith("The Atlas backend has inconsistent service patterns.")
    assert "```python\n# services/task_service.py" in prompt
    assert "Please commit incrementally:" in prompt
    assert prompt.endswith("- Commit 4: Create ProjectService + refactor dashboard_routes.py")


def test_broken_encoding_is_repaired_in_what_is_read() -> None:
    """No prompt, title, note or checklist line shows UTF-8 read as cp1252."""
    backlog = read(QUEUE)
    texts = [backlog.title, *backlog.review_notes]
    for job in backlog.jobs:
        texts += [job.title, job.prompt, *(item.text for item in job.checklist)]
        texts += [file.note for file in job.files]
    whole = "\n".join(texts)
    assert not [mark for mark in ("â", "ð", "Ÿ", "Ã", "œ", "ï") if mark in whole]
    assert "A) Atlas → Altimeter (Push):" in whole
    assert '"Synced ✓", "Conflict ⚠️")' in whole
    assert "- ✅ altimeter_sync_service.py (sync engine)" in whole


def test_the_queues_files_carry_their_action() -> None:
    """NEW and MODIFY, and the verbs of the lists that name paths, say what happens to a file."""
    first, second = read(QUEUE).jobs[:2]
    assert [
        ("backend/services/altimeter_sync_service.py", "create", ""),
        ("backend/api/altimeter_webhooks.py", "create", ""),
        ("backend/migrate_add_sync_queue.py", "create", ""),
        ("backend/database/models.py", "modify", "add sync fields"),
        ("backend/api/task_routes.py", "modify", "trigger sync on create/update"),
        ("frontend/src/services/websocket.js", "create", "WebSocket client"),
        ("frontend/src/components/tasks/TaskList.jsx", "modify", "show sync status"),
    ] == [(f.path, f.action, f.note) for f in first.files]
    assert [
        ("backend/services/task_service.py", "create", "TaskService"),
        ("backend/services/email_service.py", "create", "EmailService"),
        ("backend/services/calendar_service.py", "create", "CalendarService"),
        ("backend/services/project_service.py", "create", "ProjectService"),
        ("backend/api/task_routes.py", "modify", "use TaskService"),
        ("backend/api/email_routes.py", "modify", "use EmailService"),
        ("backend/api/calendar_routes.py", "modify", "use CalendarService"),
        ("backend/api/dashboard_routes.py", "modify", "use all services"),
    ] == [(f.path, f.action, f.note) for f in second.files]


def test_checklists_and_shared_notes_are_read() -> None:
    """Each job has its own checklist, all share the review notes, and nothing was misread."""
    backlog = read(QUEUE)
    assert [8, 5, 0, 0, 0] == [len(job.checklist) for job in backlog.jobs]
    assert backlog.jobs[0].checklist[3].text == "Tasks sync from Atlas → Altimeter"
    assert len(backlog.review_notes) == 16
    assert backlog.review_notes[0] == "Code follows existing patterns in codebase"
    assert all(job.notes == backlog.review_notes for job in backlog.jobs)
    assert () == backlog.problems


def test_the_tickets_are_25_jobs_and_37_drafts() -> None:
    """Full tickets become jobs with a prompt, listed ones drafts with a title."""
    backlog = read(TICKETS)
    assert [f"JJM-{n:03}" for n in range(1, 63)] == [job.key for job in backlog.jobs]
    assert {JobStatus.READY} == {job.status for job in backlog.jobs[:25]}
    assert {JobStatus.DRAFT} == {job.status for job in backlog.jobs[25:]}
    assert all(job.prompt and job.checklist and job.estimate and job.files
               for job in backlog.jobs[:25])  # fmt: skip
    assert [""] * 37 == [job.prompt for job in backlog.jobs[25:]]
    assert backlog.jobs[25].title == "Custom Exception Hierarchy"
    assert () == backlog.problems


def test_the_tickets_dependencies_are_those_written() -> None:
    """Every ticket depends on exactly the keys its own line names."""
    needs = {job.key: job.depends_on for job in read(TICKETS).jobs}
    core = ("JJM-004", "JJM-006")
    six_to_thirteen = tuple(f"JJM-{n:03}" for n in range(6, 14))
    commands = tuple(f"JJM-{n:03}" for n in range(14, 22))
    expected = {
        "JJM-001": (), "JJM-002": ("JJM-001",), "JJM-003": ("JJM-001",),
        "JJM-004": ("JJM-001", "JJM-003"), "JJM-005": ("JJM-001", "JJM-002"),
        "JJM-006": ("JJM-002", "JJM-004", "JJM-005"),
        **{f"JJM-{n:03}": core for n in range(7, 13)},
        "JJM-013": ("JJM-006", "JJM-007", "JJM-008"), "JJM-014": six_to_thirteen,
        **{f"JJM-{n:03}": ("JJM-014",) for n in range(15, 22)},
        "JJM-022": ("JJM-003", "JJM-004"), "JJM-023": six_to_thirteen,
        "JJM-024": commands, "JJM-025": commands,
        **{f"JJM-{n:03}": () for n in range(26, 63)},
    }  # fmt: skip
    assert expected == needs


def test_a_tickets_prompt_is_its_own_text() -> None:
    """The prompt holds description, criteria, files and notes, and not the next ticket."""
    ticket = read(TICKETS).jobs[2]
    assert ticket.prompt.startswith("JJM-003: MCP Client - JSON-RPC Foundation\n\n**Title:**")
    assert "- [ ] `MCPClient` class created" in ticket.prompt
    assert ticket.prompt.endswith("**Blocks:** JJM-004, JJM-007")
    assert "JJM-004: MCP Client" not in ticket.prompt


@pytest.mark.parametrize("content", [QUEUE, TICKETS], ids=["queue", "tickets"])
def test_nothing_to_change_returns_the_same_bytes(content: bytes) -> None:
    """Writing back what the document already says changes no byte."""
    progress = [JobProgress(key=job.key, status=job.status) for job in read(content).jobs]
    assert content == MarkdownBacklogDocuments().write_back(content, progress)
    assert content == MarkdownBacklogDocuments().write_back(content, [])


def test_a_finished_job_changes_only_its_own_places() -> None:
    """Status, the cells of its row and the named checkboxes change; nothing else does."""
    done = JobProgress(
        key="Task 1", status=JobStatus.DONE, started_on=date(2026, 2, 15),
        finished_on=date(2026, 2, 16), note="merged | 1 fix\nas abc",
        checked=frozenset({"Integration tests pass"}),
    )  # fmt: skip
    after = MarkdownBacklogDocuments().write_back(QUEUE, [done])
    ready, done_sign = ("📋".encode().decode("cp1252"), "✅".encode().decode("cp1252"))
    assert [
        (f"**Status**: {ready} Ready for Jules\n", f"**Status**: {done_sign} Complete\n"),
        ("- [ ] Integration tests pass\n", "- [x] Integration tests pass\n"),
        (
            f"| Task 1: Altimeter Sync | {ready} Ready | - | - | Waiting to send to Jules |\n",
            (
                f"| Task 1: Altimeter Sync | {done_sign} Complete | 2026-02-15 | 2026-02-16 | "
                "Waiting to send to Jules; jjm: merged \\| 1 fix as abc |\n"
            ),
        ),
    ] == changes(QUEUE, after)
    job = read(after).jobs[0]
    assert (JobStatus.DONE, True) == (job.status, job.checklist[-1].checked)
    assert after == MarkdownBacklogDocuments().write_back(after, [done])


def test_a_finished_ticket_gets_a_status_line_and_only_proved_ticks() -> None:
    """A ticket has no status line: one is added under its heading, as the document writes labels."""
    done = JobProgress(
        key="JJM-001", status=JobStatus.DONE, note="not written anywhere",
        checked=frozenset({"`setup.py` created with project metadata"}),
    )  # fmt: skip
    after = MarkdownBacklogDocuments().write_back(TICKETS, [done])
    assert [
        ("", "**Status:** ✅ Complete\n"),
        ("- [ ] `setup.py` created with project metadata\n",
         "- [x] `setup.py` created with project metadata\n"),
    ] == changes(TICKETS, after)  # fmt: skip
    before, job = read(TICKETS).jobs[0], read(after).jobs[0]
    assert (JobStatus.DONE, before.prompt.replace("[ ] `setup", "[x] `setup")) == (
        job.status, job.prompt)  # fmt: skip
    assert after == MarkdownBacklogDocuments().write_back(after, [done])


def test_a_finished_listed_job_has_its_own_box_ticked() -> None:
    """Its box is its status; without one nothing is added to a list."""
    content = b"### Task 1: A\n**Prompt**: x\n\n## More\n- [ ] Task 2: B\n- Task 3: C\n"
    done = [JobProgress(key=f"Task {n}", status=JobStatus.DONE) for n in (2, 3)]
    after = MarkdownBacklogDocuments().write_back(content, done)
    assert content.replace(b"[ ] Task 2", b"[x] Task 2") == after
    assert read(after).jobs[1].status is JobStatus.DONE


def _ascii(text: str) -> str:
    return "".join(character for character in text if character.isascii())


@pytest.mark.parametrize("content", [QUEUE, TICKETS], ids=["queue", "tickets"])
def test_nothing_of_a_prompt_is_lost(content: bytes) -> None:
    """But for repaired characters, each prompt stands in its document as one piece."""
    whole = _ascii(content.decode())
    prompts = [job.prompt for job in read(content).jobs if job.prompt]
    bodies = [p.split("\n\n", 1)[1] if p.startswith("JJM-") else p for p in prompts]
    assert all(_ascii(body) in whole for body in bodies)
    assert len(prompts) == (2 if content is QUEUE else 25)
