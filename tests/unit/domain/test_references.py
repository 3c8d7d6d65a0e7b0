"""What people type for tasks, repositories and branches."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jules_job_manager.domain.references import (
    repository_from,
    request_from,
    require_branch,
    task_id_from,
)
from jules_job_manager.errors import InvalidInputError


@pytest.mark.parametrize(
    "text",
    [
        "15481661885092594092",
        " 15481661885092594092\n",
        "sessions/15481661885092594092",
        "https://jules.google.com/session/15481661885092594092",
        "https://jules.google.com/task/15481661885092594092?hl=en#top",
        "https://jules.google.com/u/0/session/15481661885092594092/",
    ],
)
def test_task_id_is_found(text):
    """Every way Jules writes a task leads to its bare id."""
    assert task_id_from(text) == "15481661885092594092"


@pytest.mark.parametrize(
    "text", ["", " ", "-rf", "../etc", "https://jules.google.com/", "a b", "\x1b[31m"]
)
def test_no_task_id(text):
    """What holds no id is refused."""
    with pytest.raises(InvalidInputError):
        task_id_from(text)


@pytest.mark.parametrize(
    "text",
    ["octo/demo", "octo/demo.git", "https://github.com/octo/demo/", "git@github.com:octo/demo.git",
     "github.com/octo/demo"],
)  # fmt: skip
def test_repository_is_found(text):
    """A repository may be written as a name or as an address."""
    assert repository_from(text) == "octo/demo"


@pytest.mark.parametrize(
    "text",
    ["", "octo", "octo/", "/demo", "a/b/c", "octo/..", "-x/demo", "oc to/demo", "octo/de;mo"],
)
def test_no_repository(text):
    """What is not owner/name is refused with the form to use."""
    with pytest.raises(InvalidInputError, match="not a repository") as caught:
        repository_from(text)
    assert "owner/name" in str(caught.value.hint)


@pytest.mark.parametrize("name", ["main", "feature/x", "v1.2", "äöü", "a-b_c"])
def test_branch(name):
    """Names git accepts are accepted."""
    assert require_branch(name) == name


@pytest.mark.parametrize(
    "name",
    [
        "",
        "-f",
        "a..b",
        "a b",
        "a~1",
        "x.lock",
        "/a",
        "a/",
        "@",
        "a@{1}",
        "a\x1bb",
        ".a",
        "a/.b",
        "a\\b",
    ],
)
def test_no_branch(name):
    """Names git refuses are refused."""
    with pytest.raises(InvalidInputError):
        require_branch(name)


@given(st.text())
def test_any_text_is_an_id_or_refused(text):
    """No text makes the reader fail in another way, and no id holds a separator."""
    with contextlib.suppress(InvalidInputError):
        assert "/" not in task_id_from(text)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("12", ("", 12)),
        (" #12 ", ("", 12)),
        ("https://github.com/octo/demo/pull/12", ("octo/demo", 12)),
        ("https://github.com/octo/demo/pull/12/files?w=1#diff", ("octo/demo", 12)),
        ("https://git.example.org/octo/demo/pulls/3", ("octo/demo", 3)),
        ("https://gitlab.com/octo/demo/-/merge_requests/4", ("octo/demo", 4)),
        ("main", None),
        ("#0", None),
        ("12a", None),
        ("1234567890", None),
        ("https://github.com/octo/demo/issues/12", None),
        ("https://github.com/octo/demo/pull/-12", None),
    ],
)
def test_pull_requests(text, found):
    """A number or the web address of one; anything else is none."""
    assert found == request_from(text)
