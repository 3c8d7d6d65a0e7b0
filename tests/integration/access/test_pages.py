"""Signing in with a browser: pages, cookies, keys over HTTP, the audit log over HTTP."""

from __future__ import annotations

import re

import pytest
from tests.clocks import FakeClock
from tests.web_access import OUTSIDE, world

from jules_job_manager.domain.access import Role


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
async def there(tmp_path, clock):
    async with world(tmp_path, clock) as found:
        yield found


async def test_a_link_from_end_to_end(there, clock):
    """Looking uses nothing up; the button signs in; signing out ends it."""
    token = await there.link("<b>Ada</b>")
    async with there.client() as client:
        for _ in range(2):
            page = await client.get("/sign-in", params={"token": token})
            assert 200 == page.status_code
            assert "&lt;b&gt;Ada&lt;/b&gt;" in page.text
            assert "<b>" not in page.text
        assert "no-store" == page.headers["cache-control"]
        (found,) = re.findall(r'name="token" value="([^"]+)"', page.text)
        done = await client.post("/sign-in", data={"token": found}, headers={"Origin": OUTSIDE})
        assert (303, "/") == (done.status_code, done.headers["location"])
        cookie = done.headers["set-cookie"]
        for part in ("__Host-jjm_session=jjm_", "HttpOnly", "SameSite=lax", "Secure", "Path=/"):
            assert part in cookie
        assert "Domain" not in cookie
        session = (await client.get("/sign-in/session")).json()
        assert ("<b>Ada</b>", "operator") == (session["name"], session["role"])
        assert 410 == (await client.get("/sign-in", params={"token": token})).status_code
        assert 401 == (await client.post("/sign-in", data={"token": token})).status_code
        assert 403 == (await client.post("/sign-out")).status_code
        out = await client.post("/sign-out", headers={"X-CSRF-Token": session["csrf_token"]})
        assert 204 == out.status_code
        assert 401 == (await client.get("/sign-in/session")).status_code
    names = [operation for _, operation, result in await there.said() if result == "done"]
    assert ["sign_in.link", "sign_in.begin", "sign_in.end"] == names


async def test_a_form_of_another_site_is_refused(there):
    """It would sign the person in as somebody else; the link is not used up."""
    token = await there.link()
    async with there.client() as client:
        for origin in ("https://evil.example.org", "null"):
            answer = await client.post(
                "/sign-in", data={"token": token}, headers={"Origin": origin}
            )
            assert 403 == answer.status_code
        refused = [("anonymous", "sign_in.begin", "refused")] * 2
        assert refused == (await there.said())[-2:]
        assert 303 == (await client.post("/sign-in", data={"token": token})).status_code


async def test_on_this_machine_without_https(there):
    """A cookie that browsers take there; never when the name or the sender is another machine's."""
    token = await there.link()
    async with there.client("http://127.0.0.1:8787", address="127.0.0.1") as client:
        done = await client.post("/sign-in", data={"token": token})
        cookie = done.headers["set-cookie"]
        assert cookie.startswith("jjm_session=jjm_")
        assert "Secure" not in cookie
        assert 200 == (await client.get("/sign-in/session")).status_code
        text = client.cookies["jjm_session"]
    for base, address in (
        (OUTSIDE, "127.0.0.1"),
        ("http://127.0.0.1", "10.0.0.1"),
        ("http://jjm", "127.0.0.1"),
    ):
        async with there.client(base, address=address, Cookie=f"jjm_session={text}") as client:
            assert 401 == (await client.get("/sign-in/session")).status_code


async def test_odd_forms(there):
    """Anything may be sent."""
    async with there.client() as client:
        for body in (b"", b"\xff\xfe", b"token=", b"token=%00&token=2", b"x" * 9999):
            answer = await client.post("/sign-in", content=body)
            assert 401 == answer.status_code
        page = await client.get("/sign-in")
        assert (200, True) == (page.status_code, "jjm key link" in page.text)


async def test_a_key_asks_who_it_is(there):
    """It has no token, and signing out does nothing to it."""
    async with there.client(**{"X-API-Key": await there.key(Role.VIEWER)}) as client:
        session = (await client.get("/sign-in/session")).json()
        assert ("ci", "key", None) == (session["name"], session["kind"], session["csrf_token"])
        assert 204 == (await client.post("/sign-out")).status_code
        assert 200 == (await client.get("/api/v1/tasks")).status_code


async def test_keys_over_http(there):
    """Made, listed, rotated, revoked by an admin; each is in the audit log once."""
    async with there.client(**{"X-API-Key": await there.key(Role.ADMIN, "root2")}) as client:
        made = await client.post("/api/v1/keys", json={"name": "bot", "role": "viewer"})
        assert 201 == made.status_code
        assert (
            400
            == (
                await client.post("/api/v1/keys", json={"name": "bot", "role": "viewer"})
            ).status_code
        )
        new = await client.post("/api/v1/keys/bot/rotate", json={"overlap_seconds": 60})
        listed = (await client.get("/api/v1/keys")).json()["items"]
        gone = await client.delete(f"/api/v1/keys/{new.json()['id']}")
        assert "revoked" == gone.json()["state"]
        assert 404 == (await client.delete("/api/v1/keys/nobody")).status_code
        link = await client.post("/api/v1/sign-in-links", json={"name": "Bob", "role": "viewer"})
        assert link.json()["url"].startswith("http://127.0.0.1:8787/sign-in?token=jjm_")
    assert ["bot", "bot", "root2"] == sorted(key["name"] for key in listed)
    assert not {"digest", "key"} & set(listed[0])
    async with there.client(**{"X-API-Key": made.json()["key"]}) as client:
        assert 200 == (await client.get("/api/v1/tasks")).status_code
    names = [operation for actor, operation, _ in await there.said() if actor == "root2"]
    assert ["key.create", "key.rotate", "key.revoke", "sign_in.link"] == names


async def test_the_audit_log_over_http(there):
    """Page by page, with filters, and proved; only by who may."""
    key = await there.key(Role.ADMIN, "root2")
    for number in range(4):
        await there.key(name=f"n{number}")
    async with there.client(**{"X-API-Key": key}) as client:
        first = (await client.get("/api/v1/audit", params={"limit": 3})).json()
        rest = (
            await client.get("/api/v1/audit", params={"limit": 3, "cursor": first["next_cursor"]})
        ).json()
        assert [5, 4, 3, 2, 1] == [e["number"] for page in (first, rest) for e in page["items"]]
        assert None is rest["next_cursor"]
        few = (await client.get("/api/v1/audit", params={"actor": "nobody"})).json()
        assert [] == few["items"]
        proved = (await client.get("/api/v1/audit/verification")).json()
        assert (True, 5, []) == (proved["ok"], proved["count"], proved["problems"])
        again = await client.get(
            "/api/v1/audit/verification", params={"expect_head": proved["head"]}
        )
        assert again.json()["ok"]
    async with there.client(**{"X-API-Key": await there.key(Role.OPERATOR)}) as client:
        assert 403 == (await client.get("/api/v1/audit")).status_code
