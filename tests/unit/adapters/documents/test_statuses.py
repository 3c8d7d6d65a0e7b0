"""What status values say, and how a new one is written beside them."""

from __future__ import annotations

from datetime import date

import ftfy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jules_job_manager.adapters.documents.markdown import MarkdownBacklogDocuments
from jules_job_manager.adapters.documents.statuses import (
    Style,
    parse_status,
    replaced_status,
    status_text,
)
from jules_job_manager.domain.backlog import JobProgress
from jules_job_manager.domain.job import JobStatus

DOCUMENTS = MarkdownBacklogDocuments()


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("✅", "done"), ("✔️", "done"), ("[x]", "done"), ("🔄", "running"), ("📋", "ready"),
        ("`todo`", "ready"), ("Not started yet", "ready"), ("WIP", "running"),
        ("Complete (PR #12)", "done"), ("✅ Done on 2026-02-01", "done"), ("In progress: 40%", "running"),
        ("Ready for review", "reviewing"), ("Pending review", "reviewing"),
    ],
)  # fmt: skip
def test_a_sign_alone_and_words_after_it_are_understood(value: str, expected: str) -> None:
    """A sign that says one thing to everyone counts; so do remarks that take nothing back."""
    status = parse_status(value)
    assert status is not None
    assert expected == status.value


@pytest.mark.parametrize(
    "value",
    ["⏳", "❌", "50% complete", "Complete 80 %", "Complete (2/3)", "Done but not merged", "complete?",
     "Ready - blocked by Task 3", "Ready for a second look", "Blocked on design", "On hold", "", "-"],
)  # fmt: skip
def test_what_is_not_sure_is_no_status(value: str) -> None:
    """A job is never sent, or taken as done, on half a sentence."""
    assert parse_status(value) is None


@given(
    status=st.sampled_from(JobStatus), style=st.sampled_from(Style),
    old=st.text(max_size=12) | st.sampled_from(["Ready", "📋 Ready", "ðŸ“‹ Ready", "✅", "-"]),
    remark=st.sampled_from(["", " (see #12)", " <!-- keep -->", "  (not yet) (2/3)", "("]),
)  # fmt: skip
def test_what_is_written_reads_as_itself(
    status: JobStatus, style: Style, old: str, remark: str
) -> None:
    """Whatever stood there, in every style, the new value says the new status."""
    written = replaced_status(old + remark, status, style)
    assert status is parse_status(written)
    assert status is parse_status(status_text(status, style))


def after(text: str, status: JobStatus = JobStatus.DONE, **more: object) -> str:
    progress = JobProgress(key="Task 1", status=status, **more)  # type: ignore[arg-type]
    written = DOCUMENTS.write_back(text.encode(), [progress])
    assert written == DOCUMENTS.write_back(written, [progress])
    return written.decode()


def job(status: str, more: str = "") -> str:
    return f"### Task 1: A\n**Status**: {status}\n**Prompt**: x\n{more}"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("Ready", "Complete"), ("📋 Ready", "✅ Complete"), ("**Ready**", "Complete"),
        ("ðŸ“‹ Ready", "âœ… Complete"), ("Ready (see #12) <!-- keep -->", "Complete (see #12) <!-- keep -->"),
        ("Ready (not yet)", "Complete"),
    ],
)  # fmt: skip
def test_a_status_is_written_in_the_documents_own_manner(old: str, new: str) -> None:
    """Signs only where signs stood, broken where they were broken; remarks at the end stay."""
    assert job(new) == after(job(old))


def test_a_document_broken_throughout_stays_mendable_in_one_go() -> None:
    """What is added is broken like the rest, or without a sign that the breaking would lose."""
    whole = job("📋 Ready", "\n| Task | Status | Notes |\n|--|--|--|\n| Task 1 | 📋 Ready | - |\n")
    broken = whole.encode().decode("cp1252")
    done = after(broken, note="äh")
    assert after(whole, note="äh") == done.encode("cp1252").decode()
    assert ftfy.fix_encoding(done) == after(whole, note="äh")
    assert job("Failed") in after(broken, JobStatus.FAILED)


def test_a_new_status_line_follows_the_other_jobs() -> None:
    """Where a job has no status, the way the others write theirs is taken; words alone in latin-1."""
    bare = "### Task 1: A\n**Prompt**: x\n"
    assert "**Status**: Complete\n" in after(bare + "### Task 2: B\n**Status**: Ready\n")
    assert "**Status**: ✅ Complete\n" in after(bare)
    done = JobProgress(key="Task 1", status=JobStatus.DONE)
    assert b"**Status**: Complete\n" in DOCUMENTS.write_back(b"# caf\xe9\n" + bare.encode(), [done])


def test_a_job_begun_again_loses_the_day_it_had_ended() -> None:
    """The earlier end goes; a later day is somebody's plan and stays."""
    table = "\n| Task | Status | Started | Finished |\n|--|--|--|--|\n| Task 1 | Failed | 2026-01-01 | {} |\n"
    begun = {"status": JobStatus.RUNNING, "started_on": date(2026, 1, 1), "as_of": date(2026, 1, 5)}
    row = "| Task 1 | In Progress | 2026-01-01 | {} |"
    assert row.format("-") in after(job("Failed", table.format("2026-01-02")), **begun)
    assert row.format("2026-02-01") in after(job("Failed", table.format("2026-02-01")), **begun)
    assert row.format("soon") in after(job("Failed", table.format("soon")), **begun)
