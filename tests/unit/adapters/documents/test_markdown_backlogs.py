"""Reading and writing of backlogs in the forms that people write."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jules_job_manager.adapters.documents.markdown import MarkdownBacklogDocuments
from jules_job_manager.domain.backlog import Backlog, JobProgress
from jules_job_manager.domain.job import Job, JobFile, JobStatus
from jules_job_manager.errors import BacklogError
from jules_job_manager.services.backlog_text import jobs_as_markdown

DOCUMENTS = MarkdownBacklogDocuments()


def read(text: str) -> Backlog:
    return DOCUMENTS.read(text.encode())


def job_text(number: int = 1, status: str = "Ready", needs: str = "None", more: str = "") -> str:
    return (
        f"### Task {number}: Title {number}\n**Status**: {status}\n**Dependencies**: {needs}\n"
        f"\n**Prompt**:\n```\ndo {number}\n```\n{more}\n"
    )


PIECES = st.sampled_from(
    ["### Task 1: A\n", "### Task 2: B\n", "#### JJM-001: C\n", "**Status**: Ready\n", "**Status:** \n",
     "**Dependencies**: Task 1\n", "**Prompt**:\n", "```\n", "```python\n", "~~~~\n", "---\n", "\n",
     "- [ ] x\n", "- [x] y\n", "  - z\n", "**Validation Checklist**:\n", "| Task | Status | Notes |\n",
     "|---|---|---|\n", "| Task 1 | Ready | |\n", "|\n", "| Task 2\n", "## HIGH PRIORITY\n", "text\n",
     "**Description:** d\n", "**Files to Create:**\n- `a.py`\n", "> **Status**: x\n", "\r\n", "\r",
     "📋 →\n".encode().decode("cp1252"), "- JJM-002: D\n", "FILES TO CREATE:\n- a/b.py (NEW)\n", "\ufeff", "\t", "# Notes for us\n", "#### Prompt\n", "#### Acceptance Criteria\n",
     "- **Status**: Ready (x)\n", "- **Dependencies**:\n", "  - Task 1\n", "### Task 7 no\n",
     "**Status**: 📋 Ready (x)\n", "📋 Ready\n".encode().decode("cp1252"), "**Dependencies**: Tasks 1-2\n"]
)  # fmt: skip
DOCUMENT = st.lists(PIECES | st.text(max_size=12), max_size=30).map(
    lambda parts: "".join(parts).encode("utf-8", "replace")
)


@given(content=st.binary(max_size=200) | DOCUMENT)
def test_any_bytes_are_a_backlog_or_a_backlog_error(content: bytes) -> None:
    """Nothing but BacklogError ever comes out, and writing nothing back changes no byte."""
    try:
        backlog = DOCUMENTS.read(content)
    except BacklogError:
        return
    assert backlog.jobs
    lines = content.count(b"\n") + content.count(b"\r") + 1
    assert all(1 <= problem.line <= lines for problem in backlog.problems)
    same = [JobProgress(key=job.key, status=job.status) for job in backlog.jobs]
    assert content == DOCUMENTS.write_back(content, same)


@given(content=DOCUMENT, status=st.sampled_from(JobStatus), note=st.text(max_size=20))
def test_writing_back_twice_is_writing_back_once(
    content: bytes, status: JobStatus, note: str
) -> None:
    """What was written is found again as written, whatever the note holds."""
    try:
        jobs = DOCUMENTS.read(content).jobs
    except BacklogError:
        return
    progress = [
        JobProgress(
            key=job.key,
            status=status,
            note=note,
            started_on=date(2026, 1, 2),
            as_of=date(2026, 2, 1),
            checked=frozenset({"x"}),
        )
        for job in jobs
    ]
    once = DOCUMENTS.write_back(content, progress)
    assert once == DOCUMENTS.write_back(once, progress)
    assert [job.key for job in jobs] == [job.key for job in DOCUMENTS.read(once).jobs]


PROMPT_LINES = st.sampled_from(
    ["```", "````", "```python", "~~~", "---", "### Task 9: not a job", "**Status**: Complete", "- [ ] x",
     "| Task 1 | Done |", "", "  indented", "FILES TO CREATE:", "- a/b.py (NEW)", "→ ✓ 🔄", "<b>", "> q"]
) | st.text("abc `*#-|[]~", max_size=12)  # fmt: skip


@given(
    prompts=st.lists(st.lists(PROMPT_LINES, min_size=1, max_size=8), min_size=1, max_size=4),
    ends=st.sampled_from(["\n", "\r\n"]),
    bom=st.booleans(),
    final=st.booleans(),
)
def test_a_prompt_comes_back_as_it_was_written(
    prompts: list[list[str]], ends: str, bom: bool, final: bool
) -> None:
    """Whatever stands in a prompt: no line is lost, none makes a job, and no byte changes."""
    jobs = [
        Job(key=f"Task {n}", title="T", status=JobStatus.READY, prompt="x\n" + "\n".join(lines).rstrip() + "\nz")
        for n, lines in enumerate(prompts, start=1)
    ]  # fmt: skip
    text = jobs_as_markdown(jobs)
    text = text.replace("**Status**: Ready", "**Status**: 📋 Ready")
    content = ("\ufeff" * bom + (text if final else text.rstrip("\n")).replace("\n", ends)).encode()
    read = DOCUMENTS.read(content)
    assert [(job.key, job.prompt) for job in jobs] == [(job.key, job.prompt) for job in read.jobs]
    same = [JobProgress(key=job.key, status=job.status) for job in read.jobs]
    assert content == DOCUMENTS.write_back(content, same)
    done = [JobProgress(key=job.key, status=JobStatus.DONE) for job in jobs]
    after = DOCUMENTS.write_back(content, done)
    assert content == after.replace("✅ Complete".encode(), "📋 Ready".encode())


@pytest.mark.parametrize("status", list(JobStatus))
def test_a_written_status_reads_as_itself(status: JobStatus) -> None:
    """Every status that is written under a heading that says another one comes back the same."""
    start = "In Progress" if status is not JobStatus.RUNNING else "Complete"
    content = job_text(status=start).encode()
    after = DOCUMENTS.write_back(content, [JobProgress(key="Task 1", status=status)])
    assert content != after
    assert status is DOCUMENTS.read(after).jobs[0].status


@pytest.mark.parametrize(
    ("words", "expected"),
    [("📋 Ready for Jules", "ready"), ("Pending", "ready"), ("✅ Complete", "done"),
     ("**In Progress** (since Monday)", "running"), ("🔄 in review", "reviewing"),
     ("âŒ Failed", "failed"), ("Cancelled.", "cancelled"), ("Not complete", "draft")],
)  # fmt: skip
def test_statuses_in_words(words: str, expected: str) -> None:
    """Known words mean a status; unknown ones make a draft that is never sent."""
    assert expected == read(job_text(status=words)).jobs[0].status.value


def test_line_ends_mark_and_trailing_spaces_stay() -> None:
    """A byte order mark, CRLF, hard breaks and a missing last line end survive a change."""
    text = "\ufeff" + job_text().replace("\n", "\r\n") + "**Notes**: é \xa0  \r\nlast"
    text = text.replace("**Status**: Ready", "**Status**: 📋 Ready  ")
    after = DOCUMENTS.write_back(text.encode(), [JobProgress(key="Task 1", status=JobStatus.DONE)])
    assert text.replace("📋 Ready  ", "✅ Complete  ").encode() == after


def test_bytes_that_are_not_utf8_are_reported_and_kept() -> None:
    """A latin-1 byte reads as a replacement mark, is named with its line, and is kept."""
    content = b"# caf\xe9\n" + job_text().encode()
    backlog = DOCUMENTS.read(content)
    assert [1] == [problem.line for problem in backlog.problems]
    after = DOCUMENTS.write_back(content, [JobProgress(key="Task 1", status=JobStatus.DONE)])
    assert after.startswith(b"# caf\xe9\n")


@pytest.mark.parametrize("content", [b"", b"\0\1", b"# Only a title\n", b"no heading"])
def test_what_is_no_backlog_is_refused(content: bytes) -> None:
    """A document without any job is refused with a hint."""
    with pytest.raises(BacklogError) as caught:
        DOCUMENTS.read(content)
    assert caught.value.hint


def test_two_jobs_with_one_key_are_refused_with_their_lines() -> None:
    """The error names the key and both lines."""
    with pytest.raises(BacklogError, match="'Task 1' on lines 1, 10"):
        read(job_text() + job_text())


def test_a_circle_is_refused_with_its_path() -> None:
    """The error shows the way round, with lines."""
    with pytest.raises(BacklogError) as caught:
        read(job_text(1, needs="Task 2") + job_text(2, needs="Task 1"))
    assert "Task 1 (line 1) → Task 2 (line 10) → Task 1 (line 1)" in caught.value.message
    assert ["Task 1", "Task 2", "Task 1"] == caught.value.context["cycle"]


def test_a_job_that_depends_on_itself_is_refused() -> None:
    """The error says so plainly."""
    with pytest.raises(BacklogError, match=r"Task 1 \(line 1\) depends on itself"):
        read(job_text(needs="Task 1"))


def test_what_is_not_understood_is_reported_with_its_line_and_never_sent() -> None:
    """Unknown labels, dependencies, priorities, file lines and stray text are named by line."""
    text = (
        "### Task 1: A\nstray\n**Statsu**: Ready\n**Dependencies**: after the big one, Task 2\n"
        "**Priority**: urgent\n**Files to Modify**:\n- the usual ones\n**Prompt**: do it\n"
        "### Task 2: B\n**Prompt**: do it\n"
    )
    backlog = read(text)
    assert [2, 3, 4, 5, 7] == [problem.line for problem in backlog.problems]
    assert ("draft", ("Task 2",)) == (backlog.jobs[0].status.value, backlog.jobs[0].depends_on)
    assert "after the big one" in backlog.jobs[0].reason


def test_the_plain_form_for_ones_own_files() -> None:
    """A heading with a key, a few labels and a prompt without a fence are enough."""
    backlog = read(
        "# Mine\n\n## Medium priority\n\n## FIX-7 - Mend the door\n**Priority**: High\n"
        "**Depends on**: FIX-1 to FIX-3 and FIX-5\n**Branch**: `door`\n**Prompt**:\n\nMend it.\n\nWell.\n\n"
        "**Files to delete**:\n- old/door.py\n"
    )
    job = backlog.jobs[0]
    assert ("FIX-7", "Mend the door", "high", "door") == (
        job.key,
        job.title,
        job.priority.value,
        job.branch,
    )
    assert ("FIX-1", "FIX-2", "FIX-3", "FIX-5") == job.depends_on
    assert "Mend it.\n\nWell." == job.prompt
    assert (JobFile(path="old/door.py", action="delete"),) == job.files
    assert ({"FIX-7": 5}, ()) == (backlog.job_lines, backlog.problems)


def test_labels_under_a_heading_without_a_key_are_reported() -> None:
    """A job that nobody can name is not read as one, and is said to be none."""
    backlog = read(job_text() + "### Forgotten\n**Status**: Ready\n**Prompt**: x\n")
    assert ["Task 1"] == [job.key for job in backlog.jobs]
    assert ["'status' belongs to no job"] == [p.message.split(":")[0] for p in backlog.problems]


def test_listed_jobs_of_another_kind_are_not_guessed() -> None:
    """A list may name many things with a colon; only keys of the document's kind are jobs."""
    backlog = read(
        "## All\n- [x] Task 8: Old\n- UTF-8: encoding\n- Task 1: see below\n" + job_text()
    )
    assert [("Task 1", "ready"), ("Task 8", "done")] == [
        (j.key, j.status.value) for j in backlog.jobs
    ]
    assert [3] == [problem.line for problem in backlog.problems]


def test_an_unclosed_prompt_does_not_swallow_the_next_job() -> None:
    """The prompt ends at the next job's heading, and the line is reported."""
    backlog = read("### Task 1: A\n**Prompt**:\n```\none\n" + job_text(2))
    assert ["one", "do 2"] == [job.prompt for job in backlog.jobs]
    assert [3] == [problem.line for problem in backlog.problems]


def test_a_remark_after_the_prompt_is_not_part_of_it() -> None:
    """Text after the closing fence is reported; the fence still closes the prompt."""
    backlog = read(job_text(more="Remark.\n\n**Validation Checklist**:\n- [ ] ok\n"))
    assert ("do 1", 1) == (backlog.jobs[0].prompt, len(backlog.jobs[0].checklist))
    assert backlog.problems


def test_plain_fences_inside_a_prompt() -> None:
    """Two plain fences in a prompt belong to it when more prompt follows them."""
    backlog = read("### Task 1: A\n**Prompt**:\n```\na\n```\nb\n```\nc\n```\n\n---\n## Rest\n")
    assert "a\n```\nb\n```\nc" == backlog.jobs[0].prompt
    assert () == backlog.problems


def test_the_table_gives_the_status_where_the_heading_gives_none() -> None:
    """A row is the status of a job without a label; a difference between both is reported."""
    table = "\n## Progress\n\n| Task | Status | Notes |\n|---|---|---|\n| Task 1 | Complete | a \\| b |\n"
    bare = "### Task 1: A\n**Prompt**: x\n"
    assert JobStatus.DONE is read(bare + table).jobs[0].status
    both = read(job_text() + table + "| Task 9 | Ready | |\n")
    assert JobStatus.READY is both.jobs[0].status
    assert [15, 16] == [problem.line for problem in both.problems]


def test_empty_cells_and_an_empty_status_are_filled() -> None:
    """Values go into empty places with a space around them."""
    text = "### Task 1: A\n**Status**:\n\n|Task|Status|Notes|\n|-|-|-|\n|Task 1|||\n"
    after = DOCUMENTS.write_back(
        text.encode(), [JobProgress(key="Task 1", status=JobStatus.DONE, note="ok")]
    ).decode()
    assert "**Status**: ✅ Complete\n" in after
    assert "|Task 1| ✅ Complete | jjm: ok |\n" in after


def test_ticking_every_line_does_not_make_a_job_done_in_the_document() -> None:
    """A list ticked throughout says done, so the status that is so is written with it."""
    text = "### Task 1: A\n**Prompt**: x\n\n**Checklist**:\n- [ ] a\n- [x] b\n"
    failed = JobProgress(key="Task 1", status=JobStatus.READY, checked=frozenset({"a"}))
    after = DOCUMENTS.write_back(text.encode(), [failed])
    assert ("ready", after) == (
        DOCUMENTS.read(after).jobs[0].status.value, DOCUMENTS.write_back(after, [failed]),
    )  # fmt: skip


def test_a_key_that_left_the_document_is_refused() -> None:
    """Progress for a job that is not there is an error that names it."""
    with pytest.raises(BacklogError, match="no longer has Task 7"):
        DOCUMENTS.write_back(
            job_text().encode(), [JobProgress(key="Task 7", status=JobStatus.DONE)]
        )


def test_notes_of_a_person_stay_before_ours() -> None:
    """Only what we wrote ourselves is replaced."""
    head = "### Task 1: A\n**Status**: Ready\n\n|Task|Status|Notes|\n|-|-|-|\n"
    rows = ["|Task 1| Ready | ask Bob |\n"]
    for note in ("waits for a slot", "merged as abc"):
        progress = [JobProgress(key="Task 1", status=JobStatus.READY, note=note)]
        written = MarkdownBacklogDocuments().write_back((head + rows[-1]).encode(), progress)
        rows.append(written.decode().removeprefix(head))
    assert [
        "|Task 1| Ready | ask Bob; jjm: waits for a slot |\n",
        "|Task 1| Ready | ask Bob; jjm: merged as abc |\n",
    ] == rows[1:]
