"""What GitHub's words mean: limits, checks, addresses and branches."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from jules_job_manager.adapters.forges.github.addresses import Addresses, git_host, host_of_remote
from jules_job_manager.adapters.forges.github.branches import branch_of
from jules_job_manager.adapters.forges.github.checks import OUTPUT_CHARACTERS, host_checks, judged
from jules_job_manager.adapters.forges.github.limits import pause_seconds
from jules_job_manager.adapters.forges.github.pulls import pull_request_from
from jules_job_manager.domain.job import Job
from jules_job_manager.domain.review import Conclusion, Delivery

NOW = datetime(2026, 11, 24, tzinfo=UTC)
RESET = str(int(NOW.timestamp()) + 90)
USED_UP = {"x-ratelimit-remaining": "0", "x-ratelimit-reset": RESET}


@pytest.mark.parametrize(
    ("status", "headers", "message", "attempt", "expected"),
    [
        (403, {"retry-after": "5", **USED_UP}, "", 1, 5),
        (403, USED_UP, "", 1, 90),
        (429, {}, "", 1, 60),
        (429, {}, "", 3, 240),
        (403, {}, "You have exceeded a secondary rate limit", 1, 60),
        (403, {}, "Resource not accessible by integration", 1, None),
        (403, {"retry-after": "soon"}, "", 1, None),
        (404, USED_UP, "rate limit", 1, None),
        (429, {}, "", 99, 3600),
        (403, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1"}, "", 1, 0),
    ],
)
def test_how_long_github_is_left_alone(status, headers, message, attempt, expected):
    """The order of GitHub's documentation: retry-after, reset, a growing minute."""
    assert expected == pause_seconds(status, headers, message, now=NOW, attempt=attempt)


def run(name: str, conclusion: str | None, status: str = "completed") -> dict:
    return {"name": name, "status": status, "conclusion": conclusion}


@pytest.mark.parametrize(
    ("runs", "statuses", "waits", "failed"),
    [
        ([], [], ["a has not begun"], []),
        ([run("a", "success")], [], [], []),
        ([run("a", "skipped"), run("a", "neutral")], [], [], []),
        ([run("a", None, "queued")], [], ["a is queued"], []),
        ([run("a", "action_required")], [], ["a is action required"], []),
        ([run("a", "stale")], [], ["a is stale"], []),
        ([run("a", "success"), run("a", "timed_out")], [], [], [Conclusion.TIMED_OUT]),
        ([run("a", "success")], [{"context": "a", "state": "error"}], [], [Conclusion.FAILURE]),
        ([], [{"context": "a", "state": "success"}], [], []),
        ([run("A", "success")], [], ["a has not begun"], []),
        ([run("a", None)], ["x", None], ["a is unknown"], []),
        ([{"name": 7}, 3], [{"context": None}], ["a has not begun"], []),
    ],
)
def test_required_checks(runs, statuses, waits, failed):
    """Absent, unknown and cancelled ones are waited for; all of one name count."""
    told, results = judged(["a"], host_checks(runs, statuses))
    assert (waits, failed) == (told, [result.conclusion for result in results])


def test_output_is_bounded_and_harmless():
    """Whatever a check printed."""
    output = {"title": "t", "summary": "\x1b[31m" + "x" * 99_999, "text": None}
    (check,) = host_checks([{**run("a", "failure"), "output": output}], [])
    assert len(check.output) < OUTPUT_CHARACTERS + 10
    assert "\x1b" not in check.output


@pytest.mark.parametrize(
    ("api", "host"),
    [
        ("https://api.github.com", "github.com"),
        ("https://api.acme.ghe.com", "acme.ghe.com"),
        ("https://git.acme.example/api/v3", "git.acme.example"),
        ("http://127.0.0.1:99/api/v3", "127.0.0.1:99"),
    ],
)
def test_where_git_is_beside_the_api(api, host):
    """github.com, data residency, and servers of one's own."""
    assert host == git_host(api)


def test_which_repositories_are_on_github():
    """Named ones, and with a star those on its host and those without a remote."""
    remotes = {
        "o/ssh": "git@github.com:o/ssh.git", "o/web": "https://me@github.com/o/web.git",
        "o/else": "https://gitlab.com/o/else.git", "o/path": "/srv/path.git",
        "o/evil": "https://github.com.evil.example/x", "o/url": "ssh://git@github.com/o/url",
    }  # fmt: skip
    every = Addresses(api_url="https://api.github.com", repositories=("*",), remotes=remotes)
    named = Addresses(
        api_url="https://api.github.com", repositories=("O/Else", "o/none"), remotes=remotes
    )
    here = {name for name in (*remotes, "o/none") if every.is_here(name)}
    assert {"o/ssh", "o/web", "o/url", "o/none"} == here
    assert {"o/else", "o/none"} == {n for n in (*remotes, "o/none") if named.is_here(n)}
    assert "https://github.com/o/none.git" == every.remote("o/none")
    assert named.remote("o/unknown") is None
    signs = {name for name in (*remotes, "o/none") if every.may_sign_in(name)}
    assert {"o/web", "o/none"} == signs
    assert not named.may_sign_in("o/else")


def test_the_host_of_an_address():
    """A path has none."""
    assert ("", "h") == (host_of_remote("/a/b.git"), host_of_remote("h:x/y"))


def test_branches_of_patches():
    """They are names that git takes, whatever the job is called."""
    job = Job(key="Ünïcode: ../x~^ y" * 9, title="t", prompt="p")
    branch = branch_of(job, Delivery(commit="a" * 40))
    assert branch.startswith("jjm/n-code-x-y")
    assert branch.endswith("-" + "a" * 12)
    assert len(branch) < 60
    assert "jjm/job-bbbbbbbbbbbb" == branch_of(
        Job(key="日本", title="t", prompt="p"), Delivery(commit="b" * 40)
    )
    assert "own" == branch_of(job, Delivery(commit="a" * 40, branch="own"))


def test_pull_requests_that_cannot_be_read():
    """They are not there; an open one's test merge is no merge."""
    good = {
        "number": 1, "state": "open", "merged_at": None, "merge_commit_sha": "c" * 40,
        "head": {"sha": "h", "repo": {"full_name": "O/N"}}, "base": {"ref": "main"},
    }  # fmt: skip
    found = pull_request_from(good, "o/n")
    assert found is not None
    assert "" == found.merge_commit
    for bad in (None, [], {}, {**good, "number": "1"}, {**good, "head": None},
                {**good, "head": {"sha": "h", "repo": None}}):  # fmt: skip
        assert pull_request_from(bad, "o/n") is None
