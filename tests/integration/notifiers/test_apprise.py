"""Apprise against a real HTTP server on this machine."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

pytest.importorskip("apprise", reason="the extra `notify` is not installed")

from jules_job_manager.adapters.notifiers.apprise import AppriseNotifier
from jules_job_manager.errors import ConfigurationError, NotificationError

pytestmark = [
    pytest.mark.integration,
    pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning"),
]


@pytest.fixture
def server():
    """A server that keeps what it is sent, and answers each path with the status it names."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self.server.got.append(json.loads(body))
            self.send_response(int(self.path.strip("/") or 200))
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    found = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    found.got = []
    thread = threading.Thread(target=found.serve_forever, daemon=True)
    thread.start()
    yield found
    found.shutdown()
    found.server_close()
    thread.join()


def _address(server, status=200) -> str:
    return f"json://127.0.0.1:{server.server_port}/{status}"


async def test_a_message_arrives_as_it_is(server):
    """Title and body, untouched by anything that looks like markup."""
    body = "<b>Task 1</b> needs you: *a* & _b_ {{x}}\nsecond line"
    await AppriseNotifier([_address(server)]).send("jjm: 1 needs you", body)
    [got] = server.got
    assert ("jjm: 1 needs you", body) == (got["title"], got["message"])


async def test_each_address_gets_it_and_a_failing_one_is_named(server):
    """By its number, because the address may hold a token; the others have it."""
    places = AppriseNotifier([_address(server), _address(server, 500), _address(server)])
    with pytest.raises(NotificationError, match=r"^Address 2 of notify.urls did not") as caught:
        await places.send("t", "b")
    assert 2 == caught.value.context["taken"]
    assert 3 == len(server.got)


async def test_a_server_that_is_away(server):
    """Nobody took it."""
    url = _address(server)
    server.shutdown()
    server.server_close()
    with pytest.raises(NotificationError) as caught:
        await AppriseNotifier([url]).send("t", "b")
    assert 0 == caught.value.context["taken"]
    assert str(server.server_port) not in str(caught.value)


def test_an_address_that_is_none_is_refused_without_being_repeated():
    """A token in it does not reach the terminal."""
    with pytest.raises(ConfigurationError, match="Address 2") as caught:
        AppriseNotifier(["json://127.0.0.1", "nonsense://secret-token"])
    assert "secret-token" not in str(caught.value)
