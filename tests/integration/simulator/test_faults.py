"""Faults and limits: answers that are lost, refusals, and what lags."""

from __future__ import annotations

import httpx2
import pytest
from tests.clocks import ImpatientClock
from tests.integration.simulator.conftest import body_of
from tests.served_app import served

from jules_job_manager.adapters.backends.rest.backend import open_rest_backend
from jules_job_manager.adapters.backends.simulator.rest_face import create_app
from jules_job_manager.domain.task import NewTask
from jules_job_manager.errors import UnclearOutcomeError

pytestmark = pytest.mark.integration


@pytest.mark.parametrize(
    ("fault", "code", "created"),
    [
        ("refuse_creates", 400, 0), ("fail_creates", 503, 0), ("throttle_creates", 429, 0),
        ("lose_create_answers", 503, 1), ("precondition_though_created", 400, 1),
    ],
)  # fmt: skip
async def test_faults_of_a_create(talk, fault, code, created):
    """Each answers as it says, once, and either created the session or did not."""
    service = talk(faults={fault: 1})
    answer = await service.ask("POST", "/sessions", body_of())
    assert (code, created) == (
        answer.status_code, service.simulator.stats()["sessions_created"],
    )  # fmt: skip
    assert code == answer.json()["error"]["code"]
    assert 200 == (await service.ask("POST", "/sessions", body_of())).status_code


@pytest.mark.parametrize("what", ["create", "message"])
async def test_an_answer_that_is_cut(talk, what):
    """The connection ends in the middle of the answer; what was asked for was done."""
    service = talk(faults={f"cut_{what}_answers": 1}, timing={"queued": 0})

    async def create_and_send():
        path = await service.create()
        service.wait(0)
        await service.ask("POST", f"{path}:sendMessage", {"prompt": "hello"})

    with pytest.raises(httpx2.RemoteProtocolError):
        await create_and_send()
    (session,) = (await service.get("/sessions"))["sessions"]
    kinds = await service.kinds(f"/{session['name']}")
    assert ([] if what == "create" else ["userMessaged"]) == kinds


async def test_an_answer_that_is_cut_over_the_network(talk):
    """A served simulator closes the connection, which the backend calls unclear."""
    service = talk(faults={"cut_create_answers": 1})
    with served(create_app(service.simulator)) as address:
        backend = open_rest_backend(
            base_url=f"{address}/v1alpha",
            api_key="k",
            timeout_seconds=10,
            max_tries=2,
            clock=ImpatientClock(),
        )
        with pytest.raises(UnclearOutcomeError):
            await backend.create_task(NewTask(description="x"))
        assert 1 == len(await backend.list_tasks())
        await backend.aclose()


@pytest.mark.parametrize(
    ("what", "kind"), [("message", "userMessaged"), ("approve", "planApproved")]
)
async def test_a_lost_answer_to_what_was_done(talk, what, kind):
    """503 comes, and the message or approval is among the activities."""
    service = talk(faults={f"lose_{what}_answers": 1})
    path = await service.create(requirePlanApproval=True)
    service.wait(60)
    verb, body = ("sendMessage", {"prompt": "hi"}) if what == "message" else ("approvePlan", {})
    assert 503 == (await service.ask("POST", f"{path}:{verb}", body)).status_code
    assert kind in await service.kinds(path)


@pytest.mark.parametrize(("seconds", "header"), [(0, None), (7, "7")])
async def test_throttling_with_and_without_a_time_to_wait(talk, seconds, header):
    """429 carries Retry-After only when the scenario says so."""
    faults = {"throttle_reads": 1, "throttle_creates": 1, "retry_after_seconds": seconds}
    service = talk(faults=faults)
    for answer in (
        await service.ask("GET", "/sessions"), await service.ask("POST", "/sessions", body_of()),
    ):  # fmt: skip
        assert (429, header) == (answer.status_code, answer.headers.get("retry-after"))
        assert "RESOURCE_EXHAUSTED" == answer.json()["error"]["status"]
    assert {} == await service.get("/sessions")


async def test_a_share_of_the_calls_by_seed(talk):
    """A fraction strikes about that share, the same calls for one seed and others for another."""

    async def struck(seed):
        service = talk(seed=seed, faults={"fail_reads": 0.3})
        return [(await service.ask("GET", "/sessions")).status_code for _ in range(100)]

    first, again, other = await struck(1), await struck(1), await struck(2)
    assert first == again != other
    assert 15 <= first.count(503) <= 45


async def test_a_behaviour_for_a_share_of_the_tasks(talk):
    """`chance` gives it to about that share; the others go on to the next behaviour."""
    tasks = [{"chance": 0.5, "outcome": "failed"}, {"outputs": []}]
    service = talk(task=tasks)
    paths = [await service.create(on="") for _ in range(40)]
    service.wait(600)
    states = [(await service.get(path))["state"] for path in paths]
    assert {"FAILED", "COMPLETED"} == set(states)
    assert 8 <= states.count("FAILED") <= 32


@pytest.mark.parametrize(
    ("refusal", "code"), [("RESOURCE_EXHAUSTED", 429), ("FAILED_PRECONDITION", 400)]
)
async def test_the_daily_limit_rolls(talk, refusal, code):
    """Two tasks in any 24 hours: the third is refused until the first is a day old."""
    service = talk(
        quota={"tasks_per_day": 2, "daily_refusal": refusal}, faults={"retry_after_seconds": 60},
        task=[{"outcome": "failed"}],
    )  # fmt: skip
    await service.create(on="")
    service.wait(3600)
    await service.create(on="")
    service.wait(82_700)
    answer = await service.ask("POST", "/sessions", body_of(on=""))
    assert (code, refusal) == (answer.status_code, answer.json()["error"]["status"])
    assert ("60" if code == 429 else None) == answer.headers.get("retry-after")
    service.wait(101)
    await service.create(on="")
    assert 400 <= (await service.ask("POST", "/sessions", body_of(on=""))).status_code


@pytest.mark.parametrize(
    ("refusal", "code"), [("FAILED_PRECONDITION", 400), ("RESOURCE_EXHAUSTED", 429)]
)
async def test_the_limit_of_running_tasks(talk, refusal, code):
    """A task that ends makes room for another."""
    service = talk(quota={"concurrent": 1, "concurrent_refusal": refusal})
    await service.create(on="")
    answer = await service.ask("POST", "/sessions", body_of(on=""))
    assert (code, refusal) == (answer.status_code, answer.json()["error"]["status"])
    service.wait(600)
    await service.create(on="")


async def test_a_wrong_create_costs_no_quota(talk):
    """Only created tasks count."""
    service = talk(quota={"tasks_per_day": 1})
    assert 400 == (await service.ask("POST", "/sessions", body_of(on="octo/none"))).status_code
    await service.create(on="")


async def test_a_session_that_is_not_there_at_first(talk):
    """GET and the list can lag behind the create, each for its own time."""
    service = talk(deviations={"session_404_seconds": 3, "list_lags_seconds": 8})
    path = await service.create()
    assert 404 == (await service.ask("GET", path)).status_code
    service.wait(3)
    assert "QUEUED" == (await service.get(path))["state"]
    assert {} == await service.get("/sessions")
    service.wait(5)
    assert 1 == len((await service.get("/sessions"))["sessions"])


async def test_a_state_that_lags(talk):
    """The state told is that of some seconds ago; outputs wait for it, activities do not."""
    service = talk(deviations={"state_lags_seconds": 30})
    path = await service.create()
    service.wait(150)
    late = await service.get(path)
    assert ("IN_PROGRESS", False) == (late["state"], "outputs" in late)
    assert "sessionCompleted" == (await service.kinds(path))[-1]
    service.wait(30)
    done = await service.get(path)
    assert ("COMPLETED", True) == (done["state"], "outputs" in done)


async def test_a_plan_that_changes_while_it_waits(talk):
    """Another plan appears beside the first, and the approval is for the latest."""
    task = {"plan": ["Look"], "revised_plan": ["Drop the table"], "plan_changes_after": 300}
    service = talk(task=[task])
    path = await service.create(requirePlanApproval=True)
    service.wait(60)
    assert ["planGenerated"] == await service.kinds(path)
    service.wait(300)
    assert "AWAITING_PLAN_APPROVAL" == (await service.get(path))["state"]
    await service.ask("POST", f"{path}:approvePlan", {})
    first, second, approved = await service.activities(path)
    assert first["planGenerated"]["plan"]["id"] != approved["planApproved"]["planId"]
    plan = second["planGenerated"]["plan"]
    assert (plan["id"], "Drop the table") == (
        approved["planApproved"]["planId"], plan["steps"][0]["title"],
    )  # fmt: skip


@pytest.mark.parametrize("wakes", [True, False])
async def test_a_message_to_a_failed_session(talk, wakes):
    """It is taken; whether it has an effect is not known of the service, so it is a switch."""
    service = talk(task=[{"outcome": "failed"}], deviations={"message_wakes_failed": wakes})
    path = await service.create(on="")
    service.wait(600)
    assert (
        200 == (await service.ask("POST", f"{path}:sendMessage", {"prompt": "again"})).status_code
    )
    service.wait(600)
    assert ("COMPLETED" if wakes else "FAILED") == (await service.get(path))["state"]
