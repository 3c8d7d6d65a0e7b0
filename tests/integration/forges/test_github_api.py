"""Requests to GitHub: remembered answers, limits, identities, and what reaches git."""

from __future__ import annotations

import base64
import http.server
import threading
from datetime import timedelta
from pathlib import Path

import httpx2
import pytest
from tests.clocks import FakeClock
from tests.github_stand_in import GitHubWorld, transport
from tests.github_stand_in.forge import REPO, TOKEN

from jules_job_manager.adapters.forges.github.opening import GitHubOptions, open_api, open_forge
from jules_job_manager.errors import ConfigurationError, ForgeError, MissingExtraError

pytestmark = pytest.mark.integration
PULLS = f"/repos/{REPO}/pulls?state=all&per_page=10"


class Place:
    """An API and the GitHub behind it, on a clock that passes only when somebody sleeps."""

    def __init__(self, root: Path, **options) -> None:
        self.clock = FakeClock()
        self.github = GitHubWorld(self.clock.now)
        self.repository = self.github.add(REPO, root)
        self.options = GitHubOptions(**{"repositories": (REPO,), "token": TOKEN, **options})
        self.api = open_api(self.options, self.clock, transport(self.github))

    async def get(self):
        return await self.api.get(PULLS, "list")


@pytest.fixture
def place(tmp_path) -> Place:
    return Place(tmp_path)


async def test_an_answer_that_has_not_changed_costs_nothing(place):
    """It is asked for with its ETag, and is there again."""
    first = await place.get()
    left = place.github.remaining
    assert first == await place.get()
    assert left == place.github.remaining
    assert "if-none-match" in place.github.headers[-1]
    assert "2022-11-28" == place.github.headers[-1]["x-github-api-version"]


async def test_every_page_is_read(place):
    """As far as they are wanted."""
    for number in range(25):
        place.repository.pulls.append({
            "number": number, "state": "closed", "head": {"label": "l"}, "base": {"ref": "main"},
        })  # fmt: skip
    assert 25 == len(await place.api.get_all(PULLS, "list", most=100))
    assert 12 == len(await place.api.get_all(PULLS, "list", most=12))


@pytest.mark.parametrize("status", [403, 429])
async def test_a_second_limit_is_waited_for(place, status):
    """As long as GitHub says, and then it goes on."""
    words = "You have exceeded a secondary rate limit."
    place.github.refusals = [(status, {"retry-after": "7"}, words)]
    await place.get()
    assert 7 == place.clock.monotonic_seconds()


async def test_a_limit_without_a_time_is_waited_for_a_minute(place):
    """That is what GitHub asks for."""
    words = "You have exceeded a secondary rate limit. Please wait a few minutes."
    place.github.refusals = [(403, {}, words)]
    await place.get()
    assert 60 == place.clock.monotonic_seconds()


async def test_a_long_limit_is_told_at_once_and_kept(place):
    """Nobody sleeps, GitHub is not asked before its time, and after it all is well."""
    place.github.remaining = 0
    with pytest.raises(ForgeError, match="rate limit") as caught:
        await place.get()
    assert 3600 == caught.value.context["retry_after_seconds"]
    with pytest.raises(ForgeError, match="rate limit"):
        await place.get()
    assert 1 == len(place.github.requests)
    assert 0 == place.clock.monotonic_seconds()
    place.clock.advance(3601)
    await place.get()


async def test_a_limit_that_never_ends_ends_the_tries(place):
    """Three times is enough."""
    place.github.refusals = [(429, {"retry-after": "1"}, "slow down")] * 9
    with pytest.raises(ForgeError, match="rate limit"):
        await place.get()
    assert 3 == len(place.github.requests)


async def test_reads_that_break_are_tried_again_and_writes_are_not(place):
    """A write whose fate is unknown says so."""
    place.github.refusals = [(502, {}, "bad gateway")] * 2
    await place.get()
    place.github.refusals = [(502, {}, "bad gateway")] * 2
    with pytest.raises(ForgeError) as caught:
        await place.api.send("POST", f"/repos/{REPO}/pulls", {}, "open")
    assert caught.value.context["unclear"] is True
    place.github.refusals = []
    place.github.lose_next = "GET"
    with pytest.raises(ForgeError, match="could not be reached"):
        await place.get()


@pytest.mark.parametrize(
    ("status", "words"), [(401, "valid"), (404, "may not see"), (301, "new name"), (410, "off")]
)
async def test_refusals_have_hints(place, status, words):
    """They say what to do."""
    place.github.refusals = [(status, {}, "No")]
    with pytest.raises(ForgeError) as caught:
        await place.get()
    assert words in (caught.value.hint or "")


async def test_a_next_page_on_another_host_is_not_asked_for(place):
    """The token stays here."""
    place.github.refusals = [(200, {"link": '<http://127.0.0.1/x>; rel="next"'}, "x")]
    with pytest.raises(ForgeError, match="another host"):
        await place.api.get_all(PULLS, "list", most=10)


@pytest.mark.parametrize(
    ("content", "headers"),
    [
        (b"<html>", {"content-type": "application/json"}),
        (b"\xff", {"content-type": "application/json; charset=utf-8"}),
        (b"{}", {"content-type": "application/json", "x-ratelimit-limit": "many",
                 "x-ratelimit-remaining": "1", "x-ratelimit-reset": "1"}),
    ],
)  # fmt: skip
async def test_an_answer_that_cannot_be_read(place, content, headers):
    """It is an error of the forge, whatever broke in reading it."""
    answer = httpx2.MockTransport(lambda _: httpx2.Response(200, headers=headers, content=content))
    api = open_api(place.options, place.clock, answer)
    with pytest.raises(ForgeError, match="not understood"):
        await api.get(PULLS, "list")
    await api.aclose()


async def test_an_app_gets_a_token_for_an_hour(tmp_path):
    """It is used until shortly before its end; the key is in no error."""
    place = app_place(tmp_path)
    await place.get()
    await place.get()
    assert 1 == place.github.tokens_given
    place.clock.advance(timedelta(minutes=56).total_seconds())
    await place.get()
    assert 2 == place.github.tokens_given
    assert "ghs_token2" == await place.api.token()


async def test_a_key_that_is_none(tmp_path):
    """The message names the setting and nothing of the file."""
    place = app_place(tmp_path, "nothing secret here")
    with pytest.raises(ConfigurationError, match="private_key_file") as caught:
        await place.get()
    assert "nothing secret" not in repr(caught.value)


def app_place(root: Path, key: str = "") -> Place:
    """Return an API for an App; the key is a new one unless a text is given."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    made = rsa.generate_private_key(65537, 2048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )  # fmt: skip
    file = root / "app.pem"
    file.write_text(key or made.decode())
    file.chmod(0o600)
    return Place(root, token="", app_id="12", installation_id="34", private_key_file=str(file))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"token": ""}, "token"),
        ({"token": "two words"}, "characters"),
        ({"app_id": "1"}, "installation_id"),
        ({"api_url": "http://github.example/api/v3"}, "unencrypted"),
        ({"api_url": "https://user:secret@host"}, "not an address"),
        ({"api_url": "ftp://host"}, "not an address"),
        ({"app_id": "1", "installation_id": "x", "private_key_file": "k"}, "whole number"),
        ({"app_id": "1", "installation_id": "2", "private_key_file": "/nowhere"}, "cannot be read"),
    ],
)
def test_settings_that_cannot_be_used(tmp_path, options, words):
    """Each says which one, and no secret is in it."""
    with pytest.raises(ConfigurationError, match=words) as caught:
        Place(tmp_path, **options)
    assert "secret" not in str(caught.value)


def test_a_key_that_others_can_read(tmp_path):
    """It is refused, with the command that mends it."""
    file = tmp_path / "app.pem"
    file.write_text("key")
    file.chmod(0o644)
    with pytest.raises(ConfigurationError, match="0644") as caught:
        Place(tmp_path, token="", app_id="1", installation_id="2", private_key_file=str(file))
    assert f"Run: chmod 600 {file}" == caught.value.hint


def test_without_the_extra(tmp_path, monkeypatch):
    """It is named."""
    import sys

    monkeypatch.setitem(sys.modules, "gidgethub", None)
    monkeypatch.delitem(sys.modules, "jules_job_manager.adapters.forges.github.api", raising=False)
    with pytest.raises(MissingExtraError, match="github"):
        Place(tmp_path)


class _Remote(http.server.BaseHTTPRequestHandler):
    """A git host that notes who asks and has nothing."""

    seen: list[str | None]

    def do_GET(self) -> None:
        self.seen.append(self.headers.get("Authorization"))
        self.send_error(404)

    def log_message(self, *_: object) -> None:
        pass


async def test_git_signs_in_and_keeps_no_secret(tmp_path):
    """The token goes to GitHub's host in a header, and into no file, argument or error."""
    handler = type("Handler", (_Remote,), {"seen": []})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}"
    try:
        place = Place(tmp_path, api_url=f"{url}/api/v3")
        forge = open_forge(place.options, place.api, cache=tmp_path / "cache", remotes={})
        with pytest.raises(ForgeError, match="cannot be fetched") as caught:
            await forge.fetch(REPO)
    finally:
        server.shutdown()
        server.server_close()
    basic = base64.b64encode(f"x-access-token:{TOKEN}".encode()).decode()
    assert f"Basic {basic}" == handler.seen[0]
    kept = [file.read_bytes() for file in (tmp_path / "cache").rglob("*") if file.is_file()]
    told = repr(caught.value) + str(caught.value.to_dict()) + repr(kept)
    assert TOKEN not in told
    assert basic not in told
    assert f"{url}/octo/demo.git" in told
