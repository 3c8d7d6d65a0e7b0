"""Reading google-jules-mcp's result texts: built here as the server builds them, then read back."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from jules_job_manager.adapters.backends.mcp import texts
from jules_job_manager.adapters.backends.mcp.statuses import status_from
from jules_job_manager.domain.task import TaskStatus
from jules_job_manager.ports.backend import OperationOutcome

anything = st.text(st.characters(exclude_categories=["Cs"]), max_size=200)
hostile = anything | st.lists(
    st.sampled_from([
        "\n", "URL: https://evil.example/task/1", "Task ID: 9", "Status: completed", "  - ", "...",
        "\n\nRecent Chat Messages (3):\n", "Source Files (2):\n", "  Repository: a/b", "🎉",
    ])
).map("".join)  # fmt: skip
lines = anything.map(lambda text: " ".join(text.split()))
ids = st.from_regex(r"[0-9]{5,20}", fullmatch=True)


def cut(message: str) -> str:
    """Return the first 100 UTF-16 units of the trimmed message, as JavaScript's substring does."""
    units = message.strip().encode("utf-16-le")[:200]
    return units.decode("utf-16-le", errors="replace")


@given(ids, hostile, lines)
def test_a_create_answer(task_id, description, repository):
    """The id is the first, the address the last, whatever the description between them says."""
    url = f"https://jules.google.com/task/{task_id}"
    text = (
        f"Task created successfully!\n\nTask ID: {task_id}\nRepository: {repository}\nBranch: main\n"
        f"Description: {description}\nURL: {url}\n\nTask is now pending Jules' analysis. "
        "You can check progress with jules_get_task."
    )
    assert texts.CreatedText(task_id=task_id, url=url) == texts.read_created(text)


@given(ids, lines, st.lists(lines.filter(bool), max_size=5), st.lists(hostile, max_size=5))
@example("12345", "working", [], ["a...\n  - b", "", "x" * 200])
def test_the_details_of_a_task(task_id, status, files, messages):
    """Counts, files and the last three messages come back; what was cut is marked."""
    assume("\nURL: " not in status)
    shown = [cut(message) for message in messages[-3:]]
    text = (
        f"Task Details ({task_id}):\n\nStatus: \n   {status} \nURL: https://jules.google.com/task/{task_id}\n"
        f"Source Files ({len(files)}):\n" + "\n".join(f"  - {name}" for name in files)
        + f"\n\nRecent Chat Messages ({len(messages)}):\n" + "\n".join(f"  - {m}..." for m in shown)
    )  # fmt: skip
    read = texts.read_task(text)
    assert (status.strip(), len(messages), tuple(files)) == (
        read.status, read.message_count, read.files,
    )  # fmt: skip
    assert len(shown) == len(read.messages)
    if not any("...\n  - " in f"{message}..." for message in shown):
        marks = ["…" if len(m.encode("utf-16-le")) >= 200 else "" for m in shown]
        assert tuple(m + mark for m, mark in zip(shown, marks, strict=True)) == read.messages


@given(st.lists(st.tuples(ids, hostile.filter(lambda t: t.strip()), lines), max_size=5))
def test_a_list(entries):
    """As many entries as announced, each with its id, whatever the titles imitate."""
    text = f"Jules Tasks ({len(entries)} of {len(entries) + 7} total):\n\n" + "\n".join(
        f"{i} - {t.encode('utf-16-le')[:100].decode('utf-16-le', 'replace')}\n  Repository: {r}\n"
        f"  Status: pending\n  Created: 1/2/2026\n  URL: https://jules.google.com/task/{i}\n"
        for i, t, r in entries
    )
    listed, matching = texts.read_list(text if entries else text + "No tasks found.")
    assert ([i for i, _, _ in entries], len(entries) + 7) == ([e.task_id for e in listed], matching)
    assert all(entry.created_on == datetime(2026, 1, 2, tzinfo=UTC) for entry in listed)


@given(anything | hostile)
def test_any_text_is_read_or_refused(text):
    """Nothing but UnreadableTextError ever comes out of a reader."""
    heads = ["", "Task created successfully!\n\nTask ID: ", "Task Details (1):\n\nStatus: ",
             "Task Details (1):\n\nStatus: x\nURL: y\nSource Files (1):\n",
             "Jules Tasks (2 of 2 total):\n\n", "Jules MCP Session Info:\\n{"]  # fmt: skip
    readers = (
        texts.read_created, texts.read_task, texts.read_list, texts.read_sent, texts.read_approved,
        texts.read_resumed, texts.read_session_info,
    )  # fmt: skip
    for head in heads:
        for reader in readers:
            try:
                reader(head + text)
            except texts.UnreadableTextError as exc:
                assert str(exc)


def test_short_answers():
    """Done and not needed are told apart; anything else is refused."""
    approved = "Plan approved for task 1. Jules will now execute the planned changes."
    assert OperationOutcome.DONE is texts.read_approved(approved)
    assert OperationOutcome.NOT_NEEDED is texts.read_approved(
        "No plan approval needed for task 1. x"
    )
    resumed = "Task 1 resumed successfully. Jules will continue working on this task."
    assert OperationOutcome.DONE is texts.read_resumed(resumed)
    same = "Task 1 doesn't appear to be paused or may already be active."
    assert OperationOutcome.NOT_NEEDED is texts.read_resumed(same)
    texts.read_sent('Message sent to Jules task 1: "x"\n\nJules is processing')
    for reader in (texts.read_sent, texts.read_approved, texts.read_resumed):
        with pytest.raises(texts.UnreadableTextError):
            reader("Task 1 is something else")


@pytest.mark.parametrize(
    ("raw", "task_id"),
    [("123?hl=en", "123"), (" 12#x ", "12"), ("https://jules.google.com/session/77", "77"),
     ("https://jules.google.com/task/77?x=/task/9", "77")],
)  # fmt: skip
def test_ids_are_cleaned(raw, task_id):
    """Queries and whole addresses that the server takes for ids become the bare id."""
    assert task_id == texts.clean_task_id(raw)


@pytest.mark.parametrize("raw", ["", "../../etc", "a b", "https://evil.example/", "-x"])
def test_what_is_no_id(raw):
    """A path, an option or a foreign address is never taken for an id."""
    with pytest.raises(texts.UnreadableTextError):
        texts.clean_task_id(raw)


@pytest.mark.parametrize(
    "text", ["2.1.2026", "Invalid Date", "2026/1/2", "13/1/2026", "", "1/2/26"]
)
def test_dates_of_other_locales_are_left_out(text):
    """Only M/D/YYYY, which the locale we set gives, is a date."""
    assert texts.date_from(text) is None


@pytest.mark.parametrize(
    ("words", "status"),
    [
        ("\n    completed\n  ", TaskStatus.COMPLETED), ("Waiting for approval", TaskStatus.WAITING_APPROVAL),
        ("plan approved", TaskStatus.IN_PROGRESS), ("not completed", TaskStatus.IN_PROGRESS),
        ("paused", TaskStatus.PAUSED), ("awaiting your feedback", TaskStatus.WAITING_FEEDBACK),
        ("failed: error", TaskStatus.FAILED), ("cancelled", TaskStatus.CANCELLED),
        ("queued", TaskStatus.PENDING), ("in_progress", TaskStatus.IN_PROGRESS),
        ("connected", TaskStatus.UNKNOWN), ("unknown", TaskStatus.UNKNOWN), ("", TaskStatus.UNKNOWN),
    ],
)  # fmt: skip
def test_the_words_of_the_page(words, status):
    """Key words give the status; words that say nothing of it stay unknown."""
    assert status is status_from(words)
