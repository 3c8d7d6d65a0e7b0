"""Messages are sent to what was looked at, in bounded time, and nowhere inside the network."""

from __future__ import annotations

import contextlib

import pytest
from tests.integration.webhooks.receiver import answer, receiver

from jules_job_manager.adapters.outside_addresses import AllowedPrivate
from jules_job_manager.adapters.webhook_sender import MOST_BYTES, HttpWebhookSender

pytestmark = pytest.mark.integration


class FakeResolver:
    """Answers from a list, one after the other, and counts how often it was asked."""

    def __init__(self, *answers: list[str]) -> None:
        self._answers = list(answers)
        self.asked: list[tuple[str, int]] = []

    async def __call__(self, host: str, port: int) -> list[str]:
        self.asked.append((host, port))
        return self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]


@contextlib.asynccontextmanager
async def sender(resolve, allowed=("127.0.0.0/8",), timeout_seconds=5.0):
    made = HttpWebhookSender(
        timeout_seconds=timeout_seconds, allowed=AllowedPrivate(allowed), resolve=resolve
    )
    yield made
    await made.aclose()
    await made.aclose()


async def test_the_message_arrives_at_the_address_that_was_looked_at():
    """The name is asked once; what it says the next time, as in DNS rebinding, is not heard."""
    resolve = FakeResolver(["127.0.0.1"], ["127.0.0.2"], ["169.254.169.254"])
    async with receiver(answer(200, b"thanks")) as there, sender(resolve) as one:
        url = f"http://hooks.example.org:{there.port}/a?b=c"
        result = await one.send(url, body='{"x":1}', headers={"webhook-id": "m"})
    assert (200, "thanks", "") == (result.status, result.answer, result.error)
    assert result.was_taken
    assert [("hooks.example.org", there.port)] == resolve.asked
    got = there.got[0]
    assert ("POST /a?b=c HTTP/1.1", '{"x":1}', "m") == (
        got.line,
        got.body,
        got.headers["webhook-id"],
    )
    assert f"hooks.example.org:{there.port}" == got.headers["host"]
    assert "application/json" == got.headers["content-type"]


async def test_what_is_known_before_anything_is_sent():
    """Without asking for names: a name with http may stand for what is allowed, if anything is."""
    async with sender(FakeResolver([]), allowed=()) as one:
        assert "use https" in one.refusal("http://x.example/")
        assert "inside the network" in one.refusal("https://localhost/")
        assert "" == one.refusal("https://x.example/")
    async with sender(FakeResolver([]), allowed=("x.example",)) as one:
        assert "" == one.refusal("http://X.example/")
        assert "use https" in one.refusal("http://y.example/")
    async with sender(FakeResolver([]), allowed=("10.0.0.0/8",)) as one:
        assert "" == one.refusal("http://y.example/")
        assert "inside the network" in one.refusal("http://127.0.0.1/")


@pytest.mark.parametrize("addresses", [
    ["127.0.0.1"], ["10.0.0.1"], ["169.254.169.254"], ["::1"], ["::ffff:127.0.0.1"], ["224.0.0.1"],
    ["1.1.1.1", "127.0.0.1"], ["fe80::1%eth0"],
])  # fmt: skip
async def test_addresses_inside_the_network(addresses):
    """One such address is enough for nothing to be sent."""
    async with receiver() as there, sender(FakeResolver(addresses), allowed=()) as one:
        result = await one.send(f"https://hooks.example.org:{there.port}/", body="", headers={})
    assert result.status is None
    assert "inside the network" in result.error
    assert "allow_private" in result.error
    assert [] == there.got


async def test_written_as_a_number():
    """An address in the URL is looked at in the same way, in each of its forms."""
    from jules_job_manager.adapters.outside_addresses import system_resolver

    async with receiver() as there, sender(system_resolver, allowed=()) as one:
        for host in ("127.0.0.1", "2130706433", "0x7f000001", "127.1", "0177.0.0.1", "[::1]",
                     "[::ffff:127.0.0.1]", "localhost"):  # fmt: skip
            result = await one.send(f"https://{host}:{there.port}/", body="", headers={})
            assert result.status is None, host
            assert result.error
    assert [] == there.got


async def test_no_encryption_to_the_outside():
    """Events are not sent in the clear over the network."""
    async with sender(FakeResolver(["1.1.1.1"]), allowed=()) as one:
        result = await one.send("http://hooks.example.org/", body="", headers={})
    assert "unencrypted" in result.error


async def test_redirects_are_not_followed():
    """They would lead past the check."""
    away = answer(302, b"", "Location: http://169.254.169.254/latest")
    async with receiver(away) as there, sender(FakeResolver(["127.0.0.1"])) as one:
        result = await one.send(there.url, body="", headers={})
    assert 302 == result.status
    assert not result.was_taken
    assert 1 == len(there.got)


async def test_answers_are_bounded():
    """In size as they come, in size as they are kept, and in time."""
    endless = b"HTTP/1.1 500 X\r\n\r\n" + b"\0x" * MOST_BYTES * 8
    brief = sender(FakeResolver(["127.0.0.1"]), timeout_seconds=1.0)
    async with receiver(endless, b"never", b"nonsense\r\n\r\n", b"") as there, brief as one:
        first = await one.send(there.url, body="", headers={})
        assert (500, 500) == (first.status, len(first.answer))
        assert "\0" not in first.answer
        second = await one.send(there.url, body="", headers={})
        assert (None, "no whole answer within 1 seconds") == (second.status, second.error)
        for _ in range(2):
            broken = await one.send(there.url, body="", headers={})
            assert broken.status is None
            assert broken.error


async def test_hosts_that_are_not_there():
    """It is said, and nothing is raised."""

    async def nobody(host, port):
        raise OSError("Name or service not known")

    async with sender(nobody) as one:
        assert "not known" in (await one.send("https://x.example/", body="", headers={})).error
    async with sender(FakeResolver([])) as one:
        assert "no address" in (await one.send("https://x.example/", body="", headers={})).error
    async with sender(FakeResolver(["127.0.0.1"])) as one:
        assert (await one.send("http://x.example:1/", body="", headers={})).error
