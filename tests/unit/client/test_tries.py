"""A request through a service is done once, and its answer is waited for."""

from __future__ import annotations

import httpx2
import pytest
from tests.clocks import FakeClock

from jules_job_manager.client.connection import Connection
from jules_job_manager.errors import (
    OperationFailedError,
    RateLimitedError,
    ServiceUnreachableError,
    UnclearOutcomeError,
)


def _problem(code: str, status: int, **headers: str) -> httpx2.Response:
    return httpx2.Response(status, json={"code": code, "detail": "so it is"}, headers=headers)


WORKING = ("JJM121", 409)
DONE = httpx2.Response(201, json={"id": "1"})


class Service(httpx2.AsyncBaseTransport):
    """Answers one thing after the other; the last one for ever."""

    def __init__(self, *answers) -> None:
        self.answers = list(answers)
        self.keys: list[str | None] = []

    async def handle_async_request(self, request):
        self.keys.append(request.headers.get("Idempotency-Key"))
        found = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(found, Exception):
            raise found
        return found if isinstance(found, httpx2.Response) else _problem(*found)


async def _asked(service: Service, clock: FakeClock, method: str = "POST", **how):
    connection = Connection(
        "http://127.0.0.1", api_key="", timeout_seconds=2, transport=service, clock=clock
    )
    try:
        return await connection.json(method, "/api/v1/tasks", **how)
    finally:
        await connection.aclose()


async def test_the_answer_is_waited_for():
    """The first try is too slow; the service is at work on it for a while, then it is done."""
    service = Service(httpx2.ReadTimeout("slow"), *[WORKING] * 6, httpx2.ReadTimeout("slow"), DONE)
    clock = FakeClock()
    assert {"id": "1"} == await _asked(service, clock)
    assert 9 == len(service.keys)
    assert 1 == len(set(service.keys))
    assert 20 < clock.monotonic_seconds() < 60


async def test_what_the_service_says_at_last_is_said():
    """A refusal is an answer as well."""
    with pytest.raises(OperationFailedError, match="so it is"):
        await _asked(Service(httpx2.ReadTimeout("slow"), WORKING, ("JJM060", 502)), FakeClock())


async def test_it_gives_up_and_says_that_it_may_yet_happen():
    """After minutes, and not with a hint that does it twice."""
    clock = FakeClock()
    with pytest.raises(UnclearOutcomeError, match="still at work on it") as given_up:
        await _asked(Service(httpx2.ReadTimeout("slow"), WORKING), clock)
    assert 300 <= clock.monotonic_seconds() < 320
    assert "jjm list" in str(given_up.value.hint)
    assert "jjm queue status" in str(given_up.value.hint)


@pytest.mark.parametrize(
    "answers",
    [
        (httpx2.ReadTimeout("slow"),),
        (httpx2.ReadError("gone"), httpx2.ConnectError("refused")),
        (httpx2.RemoteProtocolError("gone"), ("JJM071", 503)),
        (httpx2.Response(504, text="a proxy's page"),),
    ],
)
async def test_what_may_have_happened_is_said_to_be_unclear(answers):
    """It was sent, and no later try had an answer."""
    with pytest.raises(UnclearOutcomeError, match="It may have happened"):
        await _asked(Service(*answers), FakeClock())


async def test_a_change_that_is_sent_once_is_unclear_too():
    """A PATCH is not tried again."""
    service = Service(httpx2.ReadTimeout("slow"))
    with pytest.raises(UnclearOutcomeError):
        await _asked(service, FakeClock(), "PATCH")
    assert 1 == len(service.keys)


async def test_what_was_never_sent_did_not_happen():
    """Nobody was there, each time."""
    service = Service(httpx2.ConnectError("refused"))
    with pytest.raises(ServiceUnreachableError, match="cannot be reached: refused"):
        await _asked(service, FakeClock())
    assert 3 == len(service.keys)


async def test_reading_changes_nothing():
    """So it is never unclear."""
    with pytest.raises(ServiceUnreachableError, match="did not answer in time"):
        await _asked(Service(httpx2.ReadTimeout("slow")), FakeClock(), "GET")


async def test_limits_are_waited_out_only_for_an_answer():
    """A request that was refused is refused; one that was sent before goes on as it is asked to."""
    too_many = _problem("JJM113", 429, **{"Retry-After": "7"})
    with pytest.raises(RateLimitedError):
        await _asked(Service(too_many), FakeClock())
    clock = FakeClock()
    await _asked(Service(httpx2.ReadTimeout("slow"), too_many, DONE), clock)
    assert 7 <= clock.monotonic_seconds() < 9
