"""Each row of the REST reference's list of deviations (section 12) is a switch or the default."""

from __future__ import annotations

import re

import pytest
from tests.integration.simulator.conftest import body_of, git

pytestmark = pytest.mark.integration


@pytest.mark.parametrize("bare", [False, True])
async def test_row_1_a_create_answer_without_state_address_and_times(talk, bare):
    """The answer may lack four members, and the session has them all the same."""
    service = talk(deviations={"bare_create_answers": bare})
    answer = (await service.ask("POST", "/sessions", body_of())).json()
    four = {"state", "url", "createTime", "updateTime"}
    assert (set() if bare else four) == four & set(answer)
    assert four <= set(await service.get(f"/{answer['name']}"))


async def test_row_2_activities_are_not_there_at_first(talk):
    """The list of a young session is 404, then empty, though the session itself is there."""
    service = talk(deviations={"activities_404_seconds": 4})
    path = await service.create()
    answer = await service.ask("GET", f"{path}/activities")
    assert (404, "NOT_FOUND") == (answer.status_code, answer.json()["error"]["status"])
    await service.get(path)
    service.wait(4)
    assert {} == await service.get(f"{path}/activities")


@pytest.mark.parametrize("refused", [False, True])
async def test_row_3_no_message_while_queued(talk, refused):
    """A message to a queued session is 404; past that state it is taken."""
    service = talk(deviations={"message_404_while_queued": refused})
    path = await service.create()
    first = await service.ask("POST", f"{path}:sendMessage", {"prompt": "hello"})
    assert (404 if refused else 200) == first.status_code
    service.wait(6)
    later = await service.ask("POST", f"{path}:sendMessage", {"prompt": "hello"})
    assert 200 == later.status_code


async def test_row_4_a_bad_key_is_told_that_keys_are_not_supported(talk):
    """The words mislead; code and status are those of a missing key."""
    answer = await talk(deviations={"keys_refused": True}).ask("GET", "/sessions")
    error = answer.json()["error"]
    assert (401, "UNAUTHENTICATED") == (answer.status_code, error["status"])
    assert error["message"].startswith("API keys are not supported by this API.")
    assert "CREDENTIALS_MISSING" == error["details"][0]["reason"]


async def test_row_5_a_waiting_plan_in_a_completed_session(talk):
    """It says COMPLETED, has one planGenerated, and approving it sets it to work."""
    service = talk(deviations={"plan_waiting_says_completed": True})
    path = await service.create(requirePlanApproval=True)
    service.wait(60)
    assert "COMPLETED" == (await service.get(path))["state"]
    assert ["planGenerated"] == await service.kinds(path)
    assert 200 == (await service.ask("POST", f"{path}:approvePlan", {})).status_code
    assert "IN_PROGRESS" == (await service.get(path))["state"]


async def test_row_6_no_outputs_though_code_was_changed(talk):
    """The whole patch is then with the last activity only."""
    service = talk(task=[{"outputs": []}])
    path = await service.create(automationMode="AUTO_CREATE_PR")
    service.wait(600)
    session = await service.get(path)
    assert ("COMPLETED", False) == (session["state"], "outputs" in session)
    last = (await service.activities(path))[-1]
    assert "diff --git" in last["artifacts"][0]["changeSet"]["gitPatch"]["unidiffPatch"]


async def test_row_7_a_completed_session_revives(talk):
    """Progress comes after sessionCompleted, then a second delivery and a second end."""
    service = talk(task=[{"revives_after": 900}])
    path = await service.create()
    service.wait(600)
    assert "COMPLETED" == (await service.get(path))["state"]
    service.wait(460)
    assert "IN_PROGRESS" == (await service.get(path))["state"]
    service.wait(600)
    assert "COMPLETED" == (await service.get(path))["state"]
    assert ["sessionCompleted", "progressUpdated", "sessionCompleted"] == (
        await service.kinds(path)
    )[-3:]


@pytest.mark.parametrize(("outcome", "state"), [("stall", "PAUSED"), ("silence", "IN_PROGRESS")])
async def test_row_8_a_silent_stall_ends_with_a_message(talk, outcome, state):
    """No activity comes for hours; any message wakes it."""
    service = talk(task=[{"outcome": outcome}])
    path = await service.create()
    service.wait(60)
    before = await service.kinds(path)
    service.wait(7200)
    assert (state, before) == ((await service.get(path))["state"], await service.kinds(path))
    await service.ask("POST", f"{path}:sendMessage", {"prompt": "finish the task"})
    service.wait(600)
    assert "COMPLETED" == (await service.get(path))["state"]


async def test_row_8_a_stall_of_some_minutes_ends_by_itself(talk):
    """Nothing comes for that long, then the work goes on."""
    service = talk(task=[{"outcome": "silence", "stall_seconds": 1200}])
    path = await service.create()
    service.wait(1000)
    stalled = await service.kinds(path)
    service.wait(200)
    assert stalled == await service.kinds(path)
    service.wait(400)
    assert "sessionCompleted" == (await service.kinds(path))[-1]


async def test_row_9_archiving_a_running_session_pauses_it(talk):
    """Also for good: nothing more happens in it until a message."""
    service = talk()
    path = await service.create()
    service.wait(30)
    answer = (await service.ask("POST", f"{path}:archive", {})).json()
    assert ("PAUSED", True) == (answer["state"], answer["archived"])
    service.wait(7200)
    assert "PAUSED" == (await service.get(path))["state"]


async def test_row_9_archived_while_queued_it_still_makes_its_plan(talk):
    """What wakes it does not skip the plan, nor the gate."""
    service = talk()
    path = await service.create(requirePlanApproval=True)
    await service.ask("POST", f"{path}:archive", {})
    await service.ask("POST", f"{path}:sendMessage", {"prompt": "go on"})
    assert "PLANNING" == (await service.get(path))["state"]
    service.wait(60)
    assert "AWAITING_PLAN_APPROVAL" == (await service.get(path))["state"]
    assert ["userMessaged", "planGenerated"] == await service.kinds(path)


async def test_row_10_approval_carries_over_to_a_revised_plan(talk):
    """Revised before approval it waits again; after approval the new plan runs at once."""
    task = {"plan": ["Look", "Do"], "revised_plan": ["Only do"]}
    early, late = talk(task=[task]), talk(task=[task])
    path = await early.create(requirePlanApproval=True)
    early.wait(60)
    await early.ask("POST", f"{path}:sendMessage", {"prompt": "smaller"})
    early.wait(60)
    assert "AWAITING_PLAN_APPROVAL" == (await early.get(path))["state"]
    plan = (await early.activities(path))[-1]["planGenerated"]["plan"]
    assert ["Only do"] == [step["title"] for step in plan["steps"]]

    path = await late.create(requirePlanApproval=True)
    late.wait(60)
    await late.ask("POST", f"{path}:approvePlan", {})
    await late.ask("POST", f"{path}:sendMessage", {"prompt": "smaller"})
    late.wait(25)
    assert "IN_PROGRESS" == (await late.get(path))["state"]
    kinds = await late.kinds(path)
    assert (2, 1) == (kinds.count("planGenerated"), kinds.count("planApproved"))


async def test_row_11_a_failed_precondition_though_created(talk):
    """The bare refusal comes, and the session is in the list."""
    service = talk(faults={"precondition_though_created": 1})
    answer = await service.ask("POST", "/sessions", body_of(title="Mine"))
    error = {"code": 400, "message": "Precondition check failed.", "status": "FAILED_PRECONDITION"}
    assert {"error": error} == answer.json()
    assert ["Mine"] == [s["title"] for s in (await service.get("/sessions"))["sessions"]]


async def test_row_12_failed_preconditions_when_busy(talk):
    """Creates are refused in a burst, and nothing was created."""
    service = talk(faults={"refuse_creates": 3})
    answers = [await service.ask("POST", "/sessions", body_of()) for _ in range(4)]
    assert [400, 400, 400, 200] == [answer.status_code for answer in answers]
    assert 1 == service.simulator.stats()["sessions_created"]


async def test_row_13_only_the_filter_narrows_activities(talk):
    """`createTime=` is refused as unknown; the filter leaves out the pivot itself."""
    service = talk()
    path = await service.create()
    service.wait(600)
    answer = await service.ask("GET", f"{path}/activities?createTime=2026-01-01T00:00:00Z")
    assert 400 == answer.status_code
    assert 'Unknown name "createTime"' in answer.json()["error"]["message"]
    first, *rest = await service.activities(path)
    found = await service.get(f'{path}/activities?filter=create_time>"{first["createTime"]}"')
    assert rest == found["activities"]


async def test_row_14_defaults_are_left_out(talk):
    """False, zero and empty members are not written; `id` comes last."""
    service = talk()
    path = await service.create()
    service.wait(60)
    session = await service.get(path)
    assert set() == {"archived", "requirePlanApproval", "automationMode", "outputs"} & set(session)
    assert "id" == list(session)[-1]
    steps = (await service.activities(path))[0]["planGenerated"]["plan"]["steps"]
    assert [None, 1, 2] == [step.get("index") for step in steps]


async def test_row_15_fractions_of_several_lengths(talk):
    """With the switch all four lengths appear; a session's createTime always has nine digits."""
    service = talk(
        deviations={"mixed_fractions": True}, timing={"planning": 20.125, "step": 1.0003}
    )
    lengths = set()
    for _ in range(8):
        path = await service.create()
        service.wait(100)
        session = await service.get(path)
        assert re.fullmatch(r"[\dT:-]+\.\d{9}Z", session["createTime"])
        times = [session["updateTime"], *(a["createTime"] for a in await service.activities(path))]
        lengths |= {len(time.partition(".")[2].rstrip("Z")) for time in times}
    assert {0, 3, 6, 9} >= lengths >= {3, 6, 9}


@pytest.mark.parametrize(
    ("switch", "name"),
    [(False, "sources/github/octo/demo"), (True, "sources/github-octo-demo")],
)
async def test_row_16_both_spellings_of_a_source(talk, switch, name):
    """One is written, both are taken."""
    service = talk(deviations={"hyphen_source_names": switch})
    assert [name] == [source["name"] for source in (await service.get("/sources"))["sources"]]
    await service.create()
    assert name == (await service.get(f"/{name}"))["name"]


@pytest.mark.parametrize(("switch", "part"), [(False, "session"), (True, "task")])
async def test_row_17_both_web_addresses(talk, switch, part):
    """The page's address is spelled as the scenario says."""
    service = talk(deviations={"task_urls": switch})
    path = await service.create()
    address = (await service.get(path))["url"]
    assert f"https://jules.google.com/{part}/{path.rpartition('/')[2]}" == address


async def test_row_18_activities_and_artifacts_of_no_known_kind(talk):
    """One has no kind member at all, one has a kind of the future, and so has an artifact."""
    service = talk(deviations={"strange_activities": True})
    path = await service.create()
    service.wait(600)
    first, second, *rest = await service.activities(path)
    assert ("Session started", "system") == (first["description"], first["originator"])
    assert {"mood": "curious"} == second["moodChanged"]
    assert any("hologram" in part for a in rest for part in a.get("artifacts", ()))


@pytest.mark.parametrize("switch", [False, True])
async def test_row_19_bash_output_present_or_gone(talk, switch):
    """With the switch commands and their output come along, exit code 0 left out."""
    service = talk(deviations={"bash_outputs": switch})
    path = await service.create()
    service.wait(600)
    parts = [p for a in await service.activities(path) for p in a.get("artifacts", ())]
    found = [part["bashOutput"] for part in parts if "bashOutput" in part]
    assert (3 if switch else 0) == len(found)
    assert not switch or (1, None) == (found[0]["exitCode"], found[1].get("exitCode"))


async def test_row_20_huge_pages(talk):
    """Images of the size asked for make pages heavy; they are base64."""
    service = talk(deviations={"media_bytes": 300_000})
    path = await service.create()
    service.wait(600)
    answer = await service.ask("GET", f"{path}/activities")
    assert len(answer.content) > 3 * 300_000


@pytest.mark.parametrize(
    ("switch", "expected"), [("lower", "agent"), ("upper", "AGENT"), ("missing", None)]
)
async def test_row_21_originators(talk, switch, expected):
    """They may be missing or in upper case."""
    service = talk(deviations={"originators": switch})
    path = await service.create()
    service.wait(60)
    assert expected == (await service.activities(path))[0].get("originator")


@pytest.mark.parametrize("silent", [False, True])
async def test_row_22_a_failure_without_a_reason(talk, silent):
    """A failed session may say nothing at all."""
    service = talk(task=[{"outcome": "failed"}], deviations={"failures_without_reason": silent})
    path = await service.create()
    service.wait(600)
    assert "FAILED" == (await service.get(path))["state"]
    failed = (await service.activities(path))[-1]["sessionFailed"]
    assert silent is not ("reason" in failed)


async def test_row_23_a_late_push_overwrites_the_branch(talk, repository):
    """After COMPLETED it pushes again from its first base, over what others pushed meanwhile."""
    rounds = [{"files": {"a": "1\n"}}, {"files": {"b": "2\n"}}]
    service = talk(task=[{"late_push_after": 3600, "branch": "late", "rounds": rounds}])
    path = await service.create()
    service.wait(600)
    branch = f"late-{path.rpartition('/')[2]}"
    begin, delivered = git(repository, "rev-parse", "main", branch).split()
    mine = git(repository, "commit-tree", "-p", delivered, "-m", "Mine", git(repository, "mktree"))
    git(repository, "update-ref", f"refs/heads/{branch}", mine)
    service.wait(3600)
    assert "COMPLETED" == (await service.get(path))["state"]
    assert begin == git(repository, "rev-parse", f"{branch}~1")
    assert "a\nb" == git(repository, "ls-tree", "--name-only", branch)
    assert "sessionCompleted" == (await service.kinds(path))[-1]


async def test_row_24_unknown_states(talk):
    """A state that no document names is given in place of IN_PROGRESS."""
    service = talk(deviations={"unknown_state": "DREAMING"})
    path = await service.create()
    service.wait(50)
    assert "DREAMING" == (await service.get(path))["state"]
