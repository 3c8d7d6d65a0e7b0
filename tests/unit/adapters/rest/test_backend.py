"""The REST backend on a service that answers oddly, message by message."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import httpx2
import pytest
from tests.clocks import ImpatientClock

from jules_job_manager.adapters.backends.rest.backend import open_rest_backend
from jules_job_manager.domain.task import NewTask, TaskStatus
from jules_job_manager.errors import (
    BackendConnectionError,
    InvalidInputError,
    OperationFailedError,
    QuotaExceededError,
    TaskNotFoundError,
    UnclearOutcomeError,
)

DEEP = b"[" * 200_000
NOT_FOUND = httpx2.Response(404, json={"error": {"code": 404, "status": "NOT_FOUND"}})


@pytest.fixture
def clock():
    return ImpatientClock()


@pytest.fixture
def service(clock):
    """Return a function: a backend that gets `answer(request)`, and the requests it has sent."""

    def to(answer):
        sent = []

        def handle(request):
            sent.append(request)
            return answer(request)

        backend = open_rest_backend(
            base_url="https://jules.test/v1alpha", api_key="k", timeout_seconds=1, max_tries=3,
            clock=clock, transport=httpx2.MockTransport(handle),
        )  # fmt: skip
        return backend, sent

    return to


@pytest.mark.parametrize("wait", [None, "7"])
async def test_a_create_refused_for_its_quota_is_tried_again(service, clock, wait):
    """429 says that nothing was done, so any call is repeated, with or without a time to wait."""
    headers = {} if wait is None else {"Retry-After": wait}
    full = httpx2.Response(429, json={"error": {"status": "RESOURCE_EXHAUSTED"}}, headers=headers)
    answers = [full, httpx2.Response(200, json={"id": "1"})]
    backend, sent = service(lambda _: answers[min(len(sent), 2) - 1])
    assert "1" == (await backend.create_task(NewTask(description="x"))).id
    assert 2 == len(sent)
    assert 7 == clock.waits[0] if wait else 1 <= clock.waits[0] <= 2


async def test_a_quota_that_stays_used_up_ends_the_tries(service):
    """The tries are bounded."""
    backend, sent = service(lambda _: httpx2.Response(429, headers={"Retry-After": "9" * 400}))
    with pytest.raises(QuotaExceededError) as caught:
        await backend.create_task(NewTask(description="x"))
    assert (3, 86400) == (len(sent), caught.value.retry_after_seconds)


@pytest.mark.parametrize(
    "task_id", ["../sources", "1/activities", "1:archive", "1?x=1", "", "http://["]
)
async def test_what_is_no_id_is_never_sent(service, task_id):
    """A text that is no task id does not become part of an address."""
    backend, sent = service(lambda _: httpx2.Response(200, json={}))
    for call in (
        backend.get_task(task_id), backend.send_message(task_id, "x"),
        backend.approve_plan(task_id), backend.resume_task(task_id),
        backend.list_activities(task_id), backend.set_archived(task_id, True),
        backend.delete_task(task_id), backend.get_activity("1", task_id),
    ):  # fmt: skip
        with pytest.raises(InvalidInputError):
            await call
    assert [] == sent


async def test_a_service_in_trouble_says_how_long_to_wait(service, clock):
    """Retry-After is kept also with 503, for what is safe to repeat, and is capped."""
    headers = {"Retry-After": "40"}, {"Retry-After": "86400"}
    answers = [httpx2.Response(503, headers=each) for each in headers]
    answers.append(httpx2.Response(200, json={"id": "1"}))
    backend, sent = service(lambda _: answers[len(sent) - 1])
    await backend.get_task("1")
    assert [40, 300] == clock.waits


async def test_what_is_no_repository_is_never_sent(service):
    """A repository becomes part of an address only when it is one."""
    backend, sent = service(lambda _: httpx2.Response(200, json={}))
    with pytest.raises(InvalidInputError):
        await backend.create_task(NewTask(description="x", repository="../../sessions"))
    assert [] == sent


async def test_alternating_page_tokens_end(service):
    """A service that gives the same tokens in turn does not hold us for ever."""
    tokens = {None: "a", "a": "b", "b": "a"}

    def answer(request):
        token = tokens[request.url.params.get("pageToken")]
        return httpx2.Response(200, json={"sessions": [{"id": "1"}], "nextPageToken": token})

    backend, sent = service(answer)
    assert 3 == len(await backend.list_tasks())
    assert 3 == len(sent)


async def test_a_limit_asks_for_no_more(service):
    """A small limit asks for a small page; a page is heavy."""
    backend, sent = service(lambda _: httpx2.Response(200, json={"sessions": [{"id": "1"}]}))
    await backend.list_tasks(limit=5)
    await backend.list_tasks(limit=500)
    await backend.list_tasks(limit=5, status=TaskStatus.FAILED)
    assert ["5", "100", "100"] == [request.url.params["pageSize"] for request in sent]


@pytest.mark.parametrize("code", [200, 400, 503])
async def test_an_answer_nested_too_deep_is_an_error_like_any_other(service, code):
    """Neither a success nor a refusal of endless brackets gets through as a RecursionError."""
    backend, _ = service(lambda _: httpx2.Response(code, content=DEEP))
    with pytest.raises((BackendConnectionError, InvalidInputError)):
        await backend.get_task("1")
    with pytest.raises((UnclearOutcomeError, InvalidInputError)):
        await backend.create_task(NewTask(description="x"))


@pytest.mark.parametrize("wire", [{}, {"id": ""}, {"id": {}}, {"name": "sessions/"}])
async def test_an_object_without_an_id(service, wire):
    """One alone is an error in words; in a list it does not hide the others."""
    backend, _ = service(lambda _: httpx2.Response(200, json=wire))
    with pytest.raises(OperationFailedError, match="no id"):
        await backend.get_task("1")
    backend, _ = service(lambda _: httpx2.Response(200, json={"sessions": [wire, {"id": "2"}]}))
    assert ["2"] == [task.id for task in await backend.list_tasks()]


async def test_half_a_surrogate_pair(service):
    """Half an emoji is read as a replacement character, which every store takes."""
    body = b'{"id": "1", "prompt": "a\\ud83c", "novelty": "\\udf89", "title": "\\ud83c\\udf89"}'
    backend, _ = service(lambda _: httpx2.Response(200, content=body))
    task = await backend.get_task("1")
    assert ("a\ufffd", "\ufffd", "🎉") == (task.description, task.metadata["novelty"], task.title)


@pytest.mark.parametrize(
    ("age_seconds", "refusals", "waits"), [(1, 2, [1, 2]), (1, 9, [1, 2, 4]), (3600, 9, None)]
)
async def test_activities_of_a_young_task_are_looked_for_again(
    service, clock, age_seconds, refusals, waits
):
    """With growing waits, then the list is taken as empty; of an old task 404 is final."""
    created = (datetime.now(UTC) - timedelta(seconds=age_seconds)).isoformat()
    refused = []

    def answer(request):
        if not request.url.path.endswith("/activities"):
            return httpx2.Response(200, json={"id": "1", "createTime": created})
        if len(refused) < refusals:
            refused.append(request)
            return NOT_FOUND
        return httpx2.Response(200, json={"activities": [{"id": "a"}]})

    backend, _ = service(answer)
    if waits is None:
        with pytest.raises(TaskNotFoundError):
            await backend.list_activities("1")
        return
    found = await backend.list_activities("1")
    assert (["a"] if refusals == 2 else []) == [activity.id for activity in found]
    assert waits == clock.waits


async def test_one_activity(service):
    """An activity can be looked at by its id."""
    backend, sent = service(
        lambda _: httpx2.Response(200, json={"id": "a", "agentMessaged": {"agentMessage": "hi"}})
    )
    assert "hi" == (await backend.get_activity("sessions/7", "a")).message
    assert "/v1alpha/sessions/7/activities/a" == sent[0].url.path


async def test_the_bodies_that_are_sent(service):
    """Members are the reference's own: approvePlan an empty object, sendMessage `prompt`."""
    backend, sent = service(lambda _: httpx2.Response(200, content=b""))
    await backend.approve_plan("1")
    await backend.send_message("1", "go on")
    assert [{}, {"prompt": "go on"}] == [json.loads(request.content) for request in sent]
