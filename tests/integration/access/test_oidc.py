"""Signing in with an OpenID Connect provider: a good one, and everything that is not."""

from __future__ import annotations

import httpx2
import pytest
from tests.clocks import FakeClock
from tests.oidc_stand_in import CLIENT, ISSUER, SECRET, Provider
from tests.web_access import OUTSIDE, world

from jules_job_manager.adapters.sign_in.oidc import open_provider
from jules_job_manager.errors import ConfigurationError, SignInRequiredError

STAFF = {"JJM_ACCESS__OIDC_OPERATORS": "@example.org", "JJM_ACCESS__OIDC_ROLE_CLAIM": "groups"}


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def provider(clock):
    return Provider(int(clock.now().timestamp()))


@pytest.fixture
async def oidc(provider, clock):
    found = open_provider(
        issuer=ISSUER, client_id=CLIENT, client_secret=SECRET, scopes=("email",), clock=clock,
        transport=provider.transport(),
    )  # fmt: skip
    yield found
    await found.aclose()


async def _finish(oidc, provider, *, nonce="n", verifier="v" * 43):
    url = await oidc.start(redirect_uri="https://jjm/cb", state="s", nonce="n", verifier="v" * 43)
    _, code = provider.approve(url)
    return await oidc.finish(
        code=code, redirect_uri="https://jjm/cb", nonce=nonce, verifier=verifier
    )


async def test_a_good_token(oidc, provider):
    """Who it is, with all that the provider says."""
    found = await _finish(oidc, provider)
    assert (ISSUER, "42", "Ada@example.org", True) == (
        found.issuer, found.subject, found.email, found.is_email_verified
    )  # fmt: skip
    await _finish(oidc, provider)
    assert ["describe", "keys"] == provider.asked


@pytest.mark.parametrize(
    "claims",
    [
        {"nonce": "another"}, {"nonce": None}, {"aud": "other"}, {"aud": ["other", "third"]}, {"aud": None},
        {"aud": [CLIENT, "other"]}, {"aud": [CLIENT, "other"], "azp": "other"}, {"iss": "https://evil.org"},
        {"iss": None}, {"iss": ISSUER + "/"}, {"exp": 1}, {"exp": None}, {"exp": "soon"}, {"sub": None},
        {"iat": None}, {"iat": 99999999999}, {"nbf": 99999999999}, {"at_hash": "wrong"},
    ],
)  # fmt: skip
async def test_claims_that_are_not_good(oidc, provider, claims):
    """Each is enough to refuse."""
    provider.claims = claims
    with pytest.raises(SignInRequiredError, match="ID token is not good"):
        await _finish(oidc, provider)


@pytest.mark.parametrize("way", ["unsigned", "signed_by_its_public_key", "signed_by_another"])
async def test_signatures_that_are_not_good(oidc, provider, way):
    """No algorithm, a secret that everybody knows, another's key."""
    provider.sign = getattr(provider, way)
    with pytest.raises(SignInRequiredError, match="ID token is not good"):
        await _finish(oidc, provider)


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "e30.e30.e30", 7, None])
async def test_what_is_no_token(oidc, provider, token):
    """Anything may come."""
    provider.sign = lambda _: token
    with pytest.raises(SignInRequiredError):
        await _finish(oidc, provider)


async def test_a_little_difference_of_clocks(oidc, provider, clock):
    """A minute is taken, more is not."""
    clock.advance(300 + 59)
    await _finish(oidc, provider)
    clock.advance(2)
    with pytest.raises(SignInRequiredError):
        await _finish(oidc, provider)


async def test_a_new_key_is_asked_for(oidc, provider, clock):
    """When a token names one that is not known; not more than once a minute."""
    await _finish(oidc, provider)
    provider.key = type(provider.key).generate_key(2048, {"kid": "k2", "use": "sig"})
    with pytest.raises(SignInRequiredError):
        await _finish(oidc, provider)
    clock.advance(61)
    await _finish(oidc, provider)
    assert ["describe", "keys", "keys"] == provider.asked


async def test_a_wrong_verifier(oidc, provider):
    """A code that was stolen on its way is of no use."""
    with pytest.raises(SignInRequiredError, match="answered with 400"):
        await _finish(oidc, provider, verifier="w" * 43)


async def test_a_provider_that_is_another(oidc, provider):
    """Its description must be its own."""
    provider.issuer = "https://evil.example.org"
    with pytest.raises(SignInRequiredError, match="another issuer"):
        await oidc.start(redirect_uri="u", state="s", nonce="n", verifier="v" * 43)


def _answering(clock, answer):
    def handler(request):
        del request
        if isinstance(answer, Exception):
            raise answer
        return answer

    return open_provider(
        issuer=ISSUER, client_id=CLIENT, client_secret="", scopes=(), clock=clock,
        transport=httpx2.MockTransport(handler),
    )  # fmt: skip


def _described(**other) -> httpx2.Response:
    names = ("authorization_endpoint", "token_endpoint", "jwks_uri")
    return httpx2.Response(
        200, json={"issuer": ISSUER, **{n: f"{ISSUER}/{n}" for n in names}, **other}
    )


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (httpx2.ConnectError("no"), "cannot be reached"),
        (httpx2.Response(500), "is no JSON"),
        (httpx2.Response(302, headers={"location": "https://evil"}, json={}), "answered with 302"),
        (httpx2.Response(200, text="x"), "is no JSON"),
        (httpx2.Response(200, json=[]), "answered with 200"),
        (_described(token_endpoint="http://id.example.org/token"), "token_endpoint is no safe address"),
        (_described(jwks_uri=7), "jwks_uri is no safe address"),
        (_described(authorization_endpoint="javascript:alert(1)"), "no safe address"),
    ],
)  # fmt: skip
async def test_a_provider_that_cannot_be_used(clock, answer, why):
    """Said in words; no secret is sent where everybody can read it."""
    provider = _answering(clock, answer)
    with pytest.raises(SignInRequiredError, match=why):
        await provider.start(redirect_uri="u", state="s", nonce="n", verifier="v" * 43)
    await provider.aclose()


@pytest.mark.parametrize(
    ("issuer", "client"), [("http://id.example.org", "c"), ("x", "c"), (ISSUER, "")]
)
def test_settings_that_cannot_be_used(clock, issuer, client):
    """An error of the configuration, when the server starts."""
    with pytest.raises(ConfigurationError):
        open_provider(issuer=issuer, client_id=client, client_secret="", scopes=(), clock=clock)


async def test_from_page_to_page(tmp_path, clock, provider, oidc):
    """The browser goes to the provider, comes back, and has a session; no step works twice."""
    async with world(tmp_path, clock, provider=oidc, **STAFF) as there, there.client() as client:
        assert "/sign-in/oidc" in (await client.get("/sign-in")).text
        sent = await client.get("/sign-in/oidc")
        assert 303 == sent.status_code
        assert "__Host-jjm_sign_in=" in sent.headers["set-cookie"]
        state, code = provider.approve(sent.headers["location"])
        assert f"{OUTSIDE}/" not in sent.headers["location"]
        back = {"state": state, "code": code}
        async with there.client() as other:
            stolen = await other.get("/sign-in/oidc/callback", params=back)
            assert 401 == stolen.status_code
        again = await client.get("/sign-in/oidc/callback", params=back)
        assert 401 == again.status_code  # the stolen one has used it up
        state, code = provider.approve((await client.get("/sign-in/oidc")).headers["location"])
        done = await client.get("/sign-in/oidc/callback", params={"state": state, "code": code})
        assert (303, "/") == (done.status_code, done.headers["location"])
        session = (await client.get("/sign-in/session")).json()
        assert ("ada@example.org", "operator") == (session["name"], session["role"])
        for wrong in ({"error": "access_denied", "state": state}, {}, {"state": "x", "code": "y"}):
            assert 401 == (await client.get("/sign-in/oidc/callback", params=wrong)).status_code


@pytest.mark.parametrize(
    ("claims", "status", "name"),
    [
        ({"email": "eve@evil.org"}, 403, "eve@evil.org"),
        ({"email_verified": False}, 403, f"{ISSUER}#42"), ({"email": None}, 403, f"{ISSUER}#42"),
        ({"email_verified": "true"}, 303, "ada@example.org"),
        ({"email": "CLI:ada@example.org"}, 303, "oidc:cli:ada@example.org"),
    ],
)  # fmt: skip
async def test_who_has_a_role(tmp_path, clock, provider, oidc, claims, status, name):
    """A good token alone lets nobody in; who was refused stands in the audit log."""
    provider.claims = claims
    async with world(tmp_path, clock, provider=oidc, **STAFF) as there, there.client() as client:
        state, code = provider.approve((await client.get("/sign-in/oidc")).headers["location"])
        done = await client.get("/sign-in/oidc/callback", params={"state": state, "code": code})
        assert status == done.status_code
        (entry,) = await there.store.audit.read()
        assert ("sign_in.begin", f"person:{name}") == (entry.operation, entry.resource)
        if status == 303:
            assert (name, "done") == (entry.actor, entry.result)
        else:
            assert ("anonymous", "refused", {"with": "oidc"}) == (
                entry.actor, entry.result, entry.after,
            )  # fmt: skip


async def test_who_has_no_role_is_counted(tmp_path, clock, provider, oidc):
    """Trying again and again is a failed sign-in each time, and soon leaves no more entries."""
    provider.claims = {"email": "eve@evil.org"}
    few = {**STAFF, "JJM_RATE_LIMITS__FAILED_SIGN_INS_PER_MINUTE": "2"}
    async with world(tmp_path, clock, provider=oidc, **few) as there, there.client() as client:
        statuses = []
        for _ in range(4):
            state, code = provider.approve((await client.get("/sign-in/oidc")).headers["location"])
            back = {"state": state, "code": code}
            statuses.append((await client.get("/sign-in/oidc/callback", params=back)).status_code)
        assert [403, 403, 429, 429] == statuses
        assert [("anonymous", "sign_in.begin", "refused")] * 2 == await there.said()


async def test_without_a_provider(tmp_path, clock):
    """There is no such way in."""
    async with world(tmp_path, clock) as there, there.client() as client:
        assert 403 == (await client.get("/sign-in/oidc")).status_code
