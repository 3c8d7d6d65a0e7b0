"""Backlogs in the forms that other tools and people write: read, or reported line by line."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jules_job_manager.adapters.documents.markdown import MarkdownBacklogDocuments
from jules_job_manager.domain.backlog import Backlog, JobProgress
from jules_job_manager.domain.job import JobStatus
from jules_job_manager.errors import BacklogError

DOCUMENTS = MarkdownBacklogDocuments()


def read(text: str) -> Backlog:
    return DOCUMENTS.read(text.encode())


def lines(backlog: Backlog) -> list[int]:
    return [problem.line for problem in backlog.problems]


def test_headings_may_be_labels() -> None:
    """Sections such as `### Acceptance Criteria` under a job are its fields."""
    text = (
        "## Task 1: A\n### 📝 Prompt\n```\na\n```python\nb\n```\nc\n```\n### Dependencies\n- Task 2\n"
        "### Acceptance Criteria\n- [ ] one\n- [x] two\n### Files to create\n- a/b.py\n"
        "## Task 2: B\n### Prompt\nDo it.\n#### How\nWell.\n"
    )
    first, second = read(text).jobs
    assert ("a\n```python\nb\n```\nc", ("Task 2",)) == (first.prompt, first.depends_on)
    assert [("one", False), ("two", True)] == [(i.text, i.checked) for i in first.checklist]
    assert [("a/b.py", "create")] == [(file.path, file.action) for file in first.files]
    assert "Do it.\n#### How\nWell." == second.prompt
    assert () == read(text).problems


def test_an_issue_with_a_description_is_its_own_prompt() -> None:
    """All of its text is the prompt, tables and loose sentences too, so nothing is reported."""
    text = "## Task 1: A\nFirst this.\n### Description\nDo it.\n\n| a | b |\n|--|--|\n| 1 | 2 |\n### Extra\nAnd that.\n"
    backlog = read(text)
    assert text.removeprefix("## Task 1: A\n").rstrip() in backlog.jobs[0].prompt
    assert () == backlog.problems


def test_labels_may_stand_in_the_list_under_the_heading() -> None:
    """They are read and written back there; further down a list is a list."""
    text = (
        "### Task 1: A\n- **Status**: In Progress\n* **Priority:** High\n- **Dependencies**:\n  - Task 2\n"
        "- **Prompt**: do\n\n### Task 2: B\n**Prompt**: x\n\n- **Status**: Done\n"
    )
    first, second = read(text).jobs
    assert ("running", "high", ("Task 2",), "do") == (
        first.status.value, first.priority.value, first.depends_on, first.prompt,
    )  # fmt: skip
    assert ("ready", "x\n- **Status**: Done") == (
        second.status.value,
        second.prompt.replace("\n\n", "\n"),
    )
    done = JobProgress(key="Task 1", status=JobStatus.DONE)
    written = DOCUMENTS.write_back(text.encode(), [done]).decode()
    assert text.replace("In Progress", "Complete") == written


def test_a_list_of_labels_may_hold_lists_and_unknown_labels() -> None:
    """An unknown label is reported and no dependency; nested lists belong to the entry they are in."""
    backlog = read(
        "### Task 1: A\n- **Dependencies**:\n  - Task 2\n- **Owner**: Bob\n- **Acceptance Criteria**:\n"
        "  - [ ] one\n  - [x] two\n- **Files to modify**:\n  - a/b.py\n\n**Prompt**: go\n"
    )
    (job,) = backlog.jobs
    assert (("Task 2",), [False, True], ["a/b.py"], "ready", [4]) == (
        job.depends_on, [item.checked for item in job.checklist], [file.path for file in job.files],
        job.status.value, lines(backlog),
    )  # fmt: skip


def test_a_status_is_added_to_a_list_of_labels_as_its_first_entry() -> None:
    """A label outside of the list would end it, and the others would be labels no more."""
    text = "### Task 1: A\n* **Dependencies**: Task 2\n* **Prompt**: go\n"
    done = JobProgress(key="Task 1", status=JobStatus.DONE)
    written = DOCUMENTS.write_back(text.encode(), [done]).decode()
    assert text.replace("* **Dep", "* **Status**: ✅ Complete\n* **Dep") == written
    assert ("done", "go") == (read(written).jobs[0].status.value, read(written).jobs[0].prompt)


def test_a_key_may_be_a_link_and_a_title_keeps_its_own() -> None:
    """Only a link that the heading begins with is taken as its words."""
    backlog = read("### [Task 1](#a): See [the page](https://x.y)\n**Prompt**: x\n")
    assert ("Task 1", "See [the page](https://x.y)") == (backlog.jobs[0].key, backlog.jobs[0].title)


def test_a_table_in_a_prompt_is_part_of_it() -> None:
    """Only a table with a status and a job's key is a progress table."""
    text = "### Task 1: A\n**Prompt**: do\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n| Task | Status |\n|--|--|\n| Task 1 | Done |\n"
    (job,) = read(text).jobs
    assert ("do\n| a | b |\n|---|---|\n| 1 | 2 |", "done") == (
        job.prompt.replace("\n\n", "\n"), job.status.value,
    )  # fmt: skip


def test_the_key_may_stand_in_any_column_and_a_row_without_one_is_reported() -> None:
    """`#` and `Owner` columns mean nothing here; a row that names no job is said to."""
    text = (
        "### Task 1: A\n**Prompt**: x\n\n| # | Ticket | **Status** 📋 | Notes |\n|--|--|--|--|\n"
        "| 1 | [Task 1](#task-1) | Done | Task 9 |\n| 2 | Other | Ready | Task 1 |\n| | | | |\n"
    )
    backlog = read(text)
    assert (["done"], [7]) == ([job.status.value for job in backlog.jobs], lines(backlog))


def test_a_listed_job_has_the_status_of_its_row() -> None:
    """Complete in the table is done, so that those who wait for it may go; unknown is reported."""
    table = "\n| Task | Status |\n|--|--|\n| Task 1 | Complete |\n| Task 2 | Ready |\n| Task 3 | Perhaps |\n"
    backlog = read("- Task 1: A\n- Task 2: B\n- Task 3: C\n" + table)
    assert ["done", "draft", "draft"] == [job.status.value for job in backlog.jobs]
    assert [9] == lines(backlog)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("### Task 1: A\n**Status**: Ready\nplease do it\n**Prompt**: x\n", 3),
        ("### Task 1: A\n**Priority**: High\n\n- also this\n**Prompt**: x\n", 4),
        ("### Task 1: A\n**Prompt**: x\n#### Details\nmore\n", 4),
        ("### Task 1: A\n**Prompt**: x\n**Dependencies**: None\n\n```\nTask 7\n```\n", 5),
        ("### Task 1: A\n**Prompt**: x\n#### Task 2 B\n", 3),
        ("### Task 1: A\n**Prompt**: x\n### Task 2 B\ntext\n", 3),
        ("### Task 1: A\n**Prompt**: x\n## Later\n\n- [ ] buy milk\n", 5),
    ],
)
def test_text_that_nothing_reads_is_reported(text: str, line: int) -> None:
    """Under a label of one value, under a heading that is no label, beside the jobs: by its line."""
    assert [line] == lines(read(text))


def test_a_plain_checklist_is_refused_with_the_line_to_write() -> None:
    """The hint shows the user's own first line as a job."""
    with pytest.raises(BacklogError) as raised:
        read("# To do\n\n- [ ] Fix login\n- [x] Write docs\n")
    assert "Line 3 would be a job if it said '- [ ] Task 1: Fix login'" in (raised.value.hint or "")


@pytest.mark.parametrize(
    ("words", "keys"),
    [
        ("Tasks 2, 3 and 5", ("Task 2", "Task 3", "Task 5")), ("Tasks 2-4", ("Task 2", "Task 3", "Task 4")),
        ("after Task 2 (review), then Task 3", ("Task 2", "Task 3")), ("[Task 2](#task-2)", ("Task 2",)),
        ("Task 2 must be done; Task 3 complete", ("Task 2", "Task 3")), ("Needs Task 2", ("Task 2",)),
        ("None yet", ()), ("No dependencies.", ()), ("JJM-1 to JJM-2 & jjm-4", ("JJM-1", "JJM-2", "JJM-4")),
    ],
)  # fmt: skip
def test_dependencies_in_words(words: str, keys: tuple[str, ...]) -> None:
    """The usual ways to say what comes first are understood as the keys they name."""
    (job,) = read(f"### Task 1: A\n**Dependencies**: {words}\n**Prompt**: x\n").jobs
    assert (keys, "ready") == (job.depends_on, job.status.value)


@pytest.mark.parametrize(
    "words", ["Task 2 or Task 3", "#2", "2", "all of the above", "JJM-1, 2", "Task 2 - 1"]
)
def test_dependencies_that_are_not_sure_make_a_draft(words: str) -> None:
    """What could mean two things is reported and never sent."""
    backlog = read(f"### Task 1: A\n**Dependencies**: {words}\n**Prompt**: x\n")
    assert ("draft", [2]) == (backlog.jobs[0].status.value, lines(backlog))


WORDS = st.text("abcdefgh", min_size=4, max_size=8)


@given(data=st.data())
def test_every_line_is_read_or_reported(data: st.DataObject) -> None:
    """Wherever a sentence is put into a job, it stands in the job afterwards or is reported."""
    parts = ["**Status**: Ready\n", "**Priority**: High\n", "**Estimate**: 1 day\n", "**Branch**: b\n",
             "**Dependencies**: None\n", "**Prompt**:\n```\ngo\n```\n", "**Checklist**:\n- [ ] ok\n",
             "**Files to create**:\n- `a.py`\n", "#### More\n", "---\n", "| a | b |\n|--|--|\n"]  # fmt: skip
    chosen = data.draw(st.lists(st.sampled_from(parts), unique=True, max_size=8))
    place = data.draw(st.integers(0, len(chosen)))
    sentence = f"Q{data.draw(WORDS)}Q says something"
    form = data.draw(
        st.sampled_from(["{}\n", "\n{}\n", "- {}\n", "> {}\n", "    {}\n", "\n```\n{}\n```\n"])
    )
    text = "### Task 1: A\n" + "".join([*chosen[:place], form.format(sentence), *chosen[place:]])
    backlog = read(text)
    number = text.split(sentence)[0].count("\n") + 1
    near = any(number - 2 <= line <= number for line in lines(backlog))
    assert near or sentence in str(backlog.jobs[0].to_dict())


def test_a_line_that_is_as_long_as_a_book_costs_no_time() -> None:
    """No pattern looks at every part of a line for every other part."""
    book = "a" * 60_000
    text = f"### Task 1: A\n**Prompt**: x\n**Files to create**:\n- {book}\n- {book} (b)\n"
    began = time.process_time()
    assert [4, 5] == lines(read(text))
    assert time.process_time() - began < 5


def test_a_job_may_bring_checks_of_its_own():
    """Commands between backticks, one on the label's line or a list; anything else is reported."""
    text = (
        "### Task 1: One\n**Checks**: `make test`\n**Prompt**:\n```\nDo.\n```\n\n"
        "### Task 2: Two\n**Prompt**:\n```\nDo.\n```\n**Checks**:\n- `make lint`\n- [ ] `make types`, `make docs`\n"
        "- `make lint`\n- rm -rf /\n- run `make test` twice\n"
    )
    read = DOCUMENTS.read(text.encode())
    assert [("make test",), ("make lint", "make types", "make docs")] == [
        job.checks for job in read.jobs
    ]
    assert ["Task 2: a check is a command between backticks, and nothing else"] * 2 == [
        problem.message for problem in read.problems
    ]
