"""What the pretend Jules does with git and with requests that are wrong."""

from __future__ import annotations

import httpx2
import pytest
from tests.integration.simulator.conftest import body_of, git

from jules_job_manager.adapters.backends.simulator.scenario import load_scenario, scenario_from
from jules_job_manager.errors import ConfigurationError

pytestmark = pytest.mark.integration


@pytest.mark.parametrize("crashed_round", [0, 1])
async def test_a_crash_after_the_push_does_not_push_again(
    talk, repository, monkeypatch, crashed_round
):
    """The work repeated after it is recognised: one commit for each delivery."""
    service = talk(task=[{"branch": "b"}])
    path = await service.create()
    for number in range(2):
        if number:
            await service.ask("POST", f"{path}:sendMessage", {"prompt": "more"})
        service.clock.advance(120 if number == 0 else 40)
        service.simulator.present()
        if number == crashed_round:
            with monkeypatch.context() as patched:
                patched.setattr(service.simulator._state, "save_session", _crash)
                service.clock.advance(60)
                with pytest.raises(SystemExit):
                    service.simulator.present()
        service.wait(60)
    assert "COMPLETED" == (await service.get(path))["state"]
    branch = f"b-{path.rpartition('/')[2]}"
    assert "3" == git(repository, "rev-list", "--count", branch)
    assert 2 == (await service.kinds(path)).count("sessionCompleted")


def _crash(session: object) -> None:
    raise SystemExit("killed between push and commit")


async def test_what_others_pushed_is_built_upon(talk, repository):
    """Feedback leads to a commit on top of whatever the branch holds."""
    service = talk(task=[{"branch": "b"}])
    path = await service.create()
    service.wait(600)
    branch = f"b-{path.rpartition('/')[2]}"
    mine = git(repository, "commit-tree", "-p", branch, "-m", "Mine", f"{branch}^{{tree}}")
    git(repository, "update-ref", f"refs/heads/{branch}", mine)
    await service.ask("POST", f"{path}:sendMessage", {"prompt": "more"})
    service.wait(600)
    assert mine == git(repository, "rev-parse", f"{branch}~1")


async def test_files_with_odd_names_and_removals(talk, repository):
    """Names and contents arrive as they are; what is not there is removed without complaint."""
    odd = 'a "b"\\c ü.txt'
    rounds = [
        {"files": {odd: "x\n", "d/e": ""}},
        {"files": {"f": "no end"}, "delete": ["d", "none"]},
    ]
    service = talk(task=[{"branch": "b", "rounds": rounds}])
    path = await service.create()
    service.wait(600)
    await service.ask("POST", f"{path}:sendMessage", {"prompt": "more"})
    service.wait(600)
    branch = f"b-{path.rpartition('/')[2]}"
    names = git(repository, "ls-tree", "-r", "-z", "--name-only", branch).split("\0")
    assert [odd, "f"] == names[:2]
    assert "no end" == git(repository, "show", f"{branch}:f")


async def test_progress_carries_the_patch_so_far(talk):
    """It grows, step by step, up to that of the end, which adds words for a commit."""
    files = {"a": "1\n", "b": "2\n", "c": "3\n"}
    service = talk(task=[{"rounds": [{"files": files, "message": "Add them"}]}])
    path = await service.create()
    service.wait(600)
    changes = [
        part["changeSet"]["gitPatch"]
        for activity in await service.activities(path)
        for part in activity.get("artifacts", ())
    ]
    assert [1, 2, 3, 3] == [change["unidiffPatch"].count("diff --git") for change in changes]
    assert changes[2]["unidiffPatch"] == changes[3]["unidiffPatch"]
    assert [None, None, None, "Add them"] == [c.get("suggestedCommitMessage") for c in changes]


async def test_progress_without_patches(talk):
    """The switch leaves them out, for large simulated days."""
    service = talk(deviations={"progress_patches": False})
    path = await service.create()
    service.wait(600)
    with_artifacts = [a for a in await service.activities(path) if "artifacts" in a]
    assert ["sessionCompleted" in activity for activity in with_artifacts] == [True]


@pytest.mark.parametrize(
    ("outputs", "asked", "expected"),
    [
        (None, False, ["changeSet"]), (None, True, ["pullRequest", "changeSet"]),
        ([], True, []), (["change_set"], True, ["changeSet"]), (["pull_request"], False, ["pullRequest"]),
    ],
)  # fmt: skip
async def test_outputs(talk, outputs, asked, expected):
    """A pull request is made when asked for, unless the scenario says what there is."""
    service = talk(task=[{} if outputs is None else {"outputs": outputs}])
    mode = {"automationMode": "AUTO_CREATE_PR"} if asked else {}
    path = await service.create(**mode)
    service.wait(600)
    found = (await service.get(path)).get("outputs", [])
    assert expected == [next(iter(output)) for output in found]


async def test_a_long_step_is_cut_in_its_title(talk):
    """80 characters, ending in dots, with the whole text in the description."""
    service = talk(task=[{"plan": ["a" * 100, "b" * 80]}])
    path = await service.create(on="")
    service.wait(600)
    told = [a["progressUpdated"] for a in await service.activities(path) if "progressUpdated" in a]
    assert [{"title": "a" * 77 + "...", "description": "a" * 100}, {"title": "b" * 80}] == told


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/nowhere"), ("PATCH", "/sessions/1"), ("PUT", "/sessions"),
        ("POST", "/sessions/1:cancel"), ("POST", "/sessions/1/activities"), ("GET", "/sources/x/y"),
    ],
)  # fmt: skip
async def test_what_does_not_exist_is_answered_in_the_envelope(talk, method, path):
    """Unknown addresses, methods and verbs are a 404 like any other."""
    answer = await talk().ask(method, path)
    error = {"code": 404, "message": "Requested entity was not found.", "status": "NOT_FOUND"}
    assert (404, {"error": error}) == (answer.status_code, answer.json())


async def test_a_failure_of_the_simulator_is_answered_in_the_envelope(talk, monkeypatch):
    """What it did not expect is an INTERNAL error, not a page of text."""
    service = talk()
    monkeypatch.setattr(service.simulator, "sessions", lambda: 1 / 0)
    service.http._transport._asgi.raise_app_exceptions = False
    answer = await service.ask("GET", "/sessions")
    assert (500, "INTERNAL") == (answer.status_code, answer.json()["error"]["status"])


@pytest.mark.parametrize(
    "body",
    [
        {}, {"prompt": ""}, {"prompt": 1}, {"prompt": "x", "title": 1},
        {"prompt": "x", "requirePlanApproval": "yes"}, {"prompt": "x", "automationMode": []},
        {"prompt": "x", "automationMode": "MANUAL"}, {"prompt": "x", "sourceContext": []},
        {"prompt": "x", "sourceContext": {"source": "sources/github/octo/demo"}},
        {"prompt": "x", "sourceContext": 7}, {"prompt": "x", "novelty": 1}, None, [],
        body_of(on="octo/none"),
    ],
)  # fmt: skip
async def test_wrong_creates_are_refused(talk, body):
    """Nothing is created, and the answer says INVALID_ARGUMENT."""
    service = talk()
    sent = "null" if body is None else None
    answer = (
        await service.http.post("/sessions", content=sent)
        if sent
        else await service.ask("POST", "/sessions", body)
    )
    assert (400, "INVALID_ARGUMENT") == (answer.status_code, answer.json()["error"]["status"])
    assert 0 == service.simulator.stats()["sessions_created"]


@pytest.mark.parametrize(
    "path",
    [
        "/sessions?pageSize=-1", "/sessions?pageToken=junk", "/sessions?filter=state=FAILED",
        "/sessions?pageToken=" + "W1tb" * 10_000, "/sources?filter=owner=x", "/sessions?novelty=1",
    ],
)  # fmt: skip
async def test_wrong_queries_are_refused(talk, path):
    """Bad sizes, tokens, filters and names are INVALID_ARGUMENT."""
    answer = await talk().ask("GET", path)
    assert (400, "INVALID_ARGUMENT") == (answer.status_code, answer.json()["error"]["status"])


async def test_endless_brackets_in_a_body(talk):
    """They are refused like any body that is not JSON."""
    answer = await talk().http.post("/sessions", content=b"[" * 200_000)
    assert 400 == answer.status_code


async def test_without_a_key(talk):
    """A request without a key is told so."""
    service = talk()
    del service.http.headers["X-Goog-Api-Key"]
    answer: httpx2.Response = await service.ask("GET", "/sessions")
    assert (401, "UNAUTHENTICATED") == (answer.status_code, answer.json()["error"]["status"])


async def test_pages_and_filters(talk):
    """Pages are cut at the size asked for, archived sessions apart, sources found by name."""
    service = talk()
    paths = [await service.create(on="") for _ in range(5)]
    await service.ask("POST", f"{paths[0]}:archive")
    first = await service.get("/sessions?pageSize=3")
    second = await service.get(f"/sessions?pageSize=3&pageToken={first['nextPageToken']}")
    names = [s["name"] for page in (first, second) for s in page["sessions"]]
    assert [path[1:] for path in paths[:0:-1]] == names
    assert "nextPageToken" not in second
    both = await service.get("/sessions?filter=archived = true OR archived = false")
    only = await service.get("/sessions?filter=archived = true")
    assert (5, 1) == (len(both["sessions"]), len(only["sessions"]))
    found = await service.get('/sources?filter=name="sources/github/octo/demo" OR name=sources/x')
    assert 1 == len(found["sources"])


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ({"novelty": {}}, "unknown section 'novelty'"),
        ({"faults": {"novelty": 1}}, "unknown key faults.novelty"),
        ({"faults": {"fail_reads": -1}}, "faults.fail_reads cannot be -1"),
        ({"deviations": {"originators": "odd"}}, "deviations.originators must be one of"),
        ({"quota": {"daily_refusal": "NO"}}, "quota.daily_refusal must be one of"),
        ({"task": [{"outcome": "odd"}]}, "task.outcome must be one of"),
        ({"task": [{"outputs": ["odd"]}]}, "task.outputs must be one of"),
        ({"task": [{"rounds": [{"files": {"../x": ""}}]}]}, "not inside the repository"),
    ],
)  # fmt: skip
def test_a_scenario_that_is_wrong(document, words):
    """It is refused in words that name the key."""
    with pytest.raises(ValueError, match=words):
        scenario_from(document)


def test_a_scenario_file_that_cannot_be_read(tmp_path):
    """The error names the file."""
    (tmp_path / "s.toml").write_text("[task")
    for name in ("s.toml", "none.toml"):
        with pytest.raises(ConfigurationError, match=name):
            load_scenario(tmp_path / name)
