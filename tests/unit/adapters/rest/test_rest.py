"""Reading the REST API's answers and errors."""

from __future__ import annotations

from datetime import UTC, datetime

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jules_job_manager.adapters.backends.rest import mapping
from jules_job_manager.adapters.backends.rest.client import RestClient, checked_base_url
from jules_job_manager.adapters.backends.rest.errors import (
    error_from_exception,
    error_from_response,
    retry_after_seconds,
)
from jules_job_manager.domain.activity import ActivityKind
from jules_job_manager.domain.artifact import BashOutput, Media, UnknownArtifact
from jules_job_manager.domain.task import TaskStatus
from jules_job_manager.errors import (
    AuthenticationError,
    BackendConnectionError,
    ConfigurationError,
    InvalidInputError,
    OperationFailedError,
    PreconditionFailedError,
    QuotaExceededError,
    TaskNotFoundError,
    UnclearOutcomeError,
)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)
NAMES = ["title", "state", "sourceContext", "outputs", "createTime", "archived", "artifacts", "planGenerated",
         "progressUpdated", "agentMessaged", "originator", "changeSet", "gitPatch"]  # fmt: skip
WIRES = st.dictionaries(st.sampled_from(NAMES), JSON, max_size=6)


@given(WIRES)
def test_any_session_is_read(wire):
    """Whatever stands in a session, it is read and its id kept."""
    assert "7" == mapping.task_from({**wire, "id": "7"}).id
    assert "7" == mapping.task_from({**wire, "name": "sessions/7"}).id


@given(WIRES)
def test_any_activity_is_read(wire):
    """Whatever stands in an activity, it is read; where something is unknown, it is kept raw."""
    activity = mapping.activity_from({**wire, "id": "a"}, "7")
    assert ("a", "7") == (activity.id, activity.task_id)
    if activity.kind is ActivityKind.UNKNOWN:
        assert {**wire, "id": "a"} == activity.raw


def test_unknown_members_of_a_known_activity_are_kept():
    """A member that is new today is not lost; patches are kept with the artifacts only."""
    wire = {"id": "a", "progressUpdated": {"title": "t", "percent": 5}, "artifacts": [{"x": 1}]}
    activity = mapping.activity_from(wire, "7")
    assert {"id": "a", "progressUpdated": {"title": "t", "percent": 5}} == activity.raw
    assert mapping.activity_from({"id": "a", "progressUpdated": {"title": "t"}}, "7").raw is None


@given(st.text())
def test_any_patch_is_read(text):
    """A patch that is none names no files."""
    assert isinstance(mapping.files_of("diff --git a/x b/x\n" + text), tuple)


def test_missing_ids_are_refused():
    """An object without an id is not taken for one."""
    with pytest.raises(ValueError, match="without an id"):
        mapping.task_from({})
    with pytest.raises(ValueError, match="without an id"):
        mapping.activity_from({}, "1")


def test_unknown_states_and_artifacts_are_kept():
    """New words of the service are kept as they came."""
    task = mapping.task_from({"id": "1", "state": "DREAMING", "novelty": 3})
    assert (TaskStatus.UNKNOWN, "DREAMING", {"novelty": 3}) == (
        task.status,
        task.raw_state,
        task.metadata,
    )
    assert UnknownArtifact(raw={"hologram": {}}) == mapping.artifact_from({"hologram": {}})
    assert Media(mime_type="image/png", data="x") == mapping.artifact_from(
        {"media": {"mimeType": "image/png", "data": "x"}}
    )
    bash = {"bashOutput": {"command": "ls", "output": "a"}}
    assert BashOutput(command="ls", output="a") == mapping.artifact_from(bash)


@pytest.mark.parametrize(
    ("source", "repository"),
    [
        ("sources/github/octo/demo", "octo/demo"),
        ("sources/github-octo-demo", "octo/demo"),
        ("sources/other", "other"),
        ("", ""),
    ],
)
def test_source_names(source, repository):
    """Both spellings of a source lead to its repository."""
    assert repository == mapping.repository_of(source)


@pytest.mark.parametrize(
    ("code", "status", "repeatable", "error"),
    [
        (401, "UNAUTHENTICATED", True, AuthenticationError),
        (403, "PERMISSION_DENIED", True, AuthenticationError),
        (404, "NOT_FOUND", True, TaskNotFoundError),
        (429, "RESOURCE_EXHAUSTED", False, QuotaExceededError),
        (400, "FAILED_PRECONDITION", False, PreconditionFailedError),
        (400, "INVALID_ARGUMENT", False, InvalidInputError),
        (503, "UNAVAILABLE", True, BackendConnectionError),
        (503, "UNAVAILABLE", False, UnclearOutcomeError),
        (500, "", False, UnclearOutcomeError),
        (302, "", True, OperationFailedError),
    ],
)
def test_errors_by_code_and_status(code, status, repeatable, error):
    """An answer is told by its code and status, and by whether it may be repeated."""
    body = {"error": {"code": code, "status": status, "message": "m"}}
    response = httpx2.Response(code, json=body)
    assert error is type(error_from_response(response, "work", repeatable=repeatable))


def test_an_answer_that_is_not_json():
    """A page of the front end is an error like any other."""
    response = httpx2.Response(502, html="<h1>Bad gateway</h1>")
    assert isinstance(
        error_from_response(response, "work", repeatable=True), BackendConnectionError
    )


def _leaves(cls):
    below = cls.__subclasses__()
    return [leaf for sub in below for leaf in _leaves(sub)] if below else [cls]


@pytest.mark.parametrize("cls", _leaves(httpx2.RequestError))
def test_every_failure_of_the_library_is_translated(cls):
    """No exception of the HTTP library gets past the adapter."""
    assert isinstance(
        error_from_exception(cls("x"), "work", repeatable=True), BackendConnectionError
    )
    unclear = error_from_exception(cls("x"), "work", repeatable=False)
    assert isinstance(unclear, UnclearOutcomeError | BackendConnectionError)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("7", 7.0), ("", None), ("soon", None), ("Tue, 24 Nov 2026 00:01:00 GMT", 60.0)],
)
def test_retry_after(text, seconds):
    """Both forms of Retry-After are read."""
    response = httpx2.Response(429, headers={"Retry-After": text})
    assert seconds == retry_after_seconds(response, datetime(2026, 11, 24, tzinfo=UTC))


@pytest.mark.parametrize(
    "text",
    [
        "ftp://x/v1alpha",
        "https://x",
        "http://example.com/v1alpha",
        "x",
        "http://[",
        "http://[/v1alpha",
    ],
)
def test_addresses_that_are_refused(text):
    """The key is never sent unencrypted to another machine, nor to what is no API."""
    with pytest.raises(ConfigurationError):
        checked_base_url(text)


@pytest.mark.parametrize(
    "text", ["https://x/v1alpha/", "http://127.0.0.1:1/v1alpha", "http://localhost/v1alpha"]
)
def test_addresses_that_are_taken(text):
    """A final slash does not matter, and loopback may be unencrypted."""
    assert text.rstrip("/") == checked_base_url(text)


@pytest.mark.parametrize("key", ["a\nb", "schlüssel", "a\0b"])
def test_a_key_that_cannot_be_one(key):
    """A key with characters that no key has is refused without being shown."""
    with pytest.raises(ConfigurationError) as caught:
        RestClient(base_url="https://x/v1alpha", api_key=key, timeout_seconds=1)
    assert key not in repr(caught.value)


def test_what_the_library_says_is_not_repeated():
    """The library's own words may hold a header, and so the key."""
    failure = httpx2.LocalProtocolError("Illegal header value b's3cret '")
    assert "s3cret" not in repr(error_from_exception(failure, "work", repeatable=True))


@pytest.mark.parametrize(
    ("quoted", "plain"),
    [
        (r'"b/\303\274ber \"x\".md"', 'über "x".md'),
        (r'"b/tab\there\\n.md"', "tab\there\\n.md"),
        (r'"b/\342\200\256gpj.py"', "\u202egpj.py"),
        (r'"b/\377.bin"', "\ufffd.bin"),
        ("b/plain.md", "plain.md"),
    ],
)
def test_names_that_git_quotes_in_a_patch_are_read(quoted, plain):
    """A file is known by its name in the tree, not by the C-style text that stands in the patch."""
    old = quoted.replace("b/", "a/", 1)
    patch = f"diff --git {old} {quoted}\nnew file mode 100644\n--- /dev/null\n+++ {quoted}\n@@ -0,0 +1 @@\n+x\n"
    assert [plain] == [file.filename for file in mapping.files_of(patch)]
