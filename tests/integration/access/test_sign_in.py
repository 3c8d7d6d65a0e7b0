"""Links and sessions, on a real store and a clock of ours."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from tests.clocks import FakeClock
from tests.memory_access import opened

from jules_job_manager.domain.access import EndedSignIns, Principal, PrincipalKind, Role
from jules_job_manager.domain.audit import Caller
from jules_job_manager.errors import AccessDeniedError, InvalidInputError, SignInRequiredError
from jules_job_manager.ports.identity_provider import Identity
from jules_job_manager.services.sign_in import RoleRules, SignInRules, SignInService

RULES = SignInRules(
    link=timedelta(minutes=10), session=timedelta(hours=24), idle=timedelta(hours=2)
)
ADMIN = Caller(principal=Principal(name="root", kind=PrincipalKind.LOCAL, role=Role.ADMIN))


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
async def store(tmp_path, clock):
    async with opened(tmp_path, clock) as found:
        yield found


@pytest.fixture
def sign_in(store, clock):
    return SignInService(store=store.access, clock=clock, rules=RULES)


async def test_a_link_works_once(sign_in, store):
    """Of several who use it at once, one gets in; looking at it before uses nothing up."""
    link = await sign_in.link("Ada", Role.OPERATOR, caller=ADMIN)
    assert "Ada" == (await sign_in.look_at_link(link.text)).name
    tried = await asyncio.gather(
        *(sign_in.redeem(link.text, address="::1") for _ in range(4)), return_exceptions=True
    )
    (opened_session,) = [one for one in tried if not isinstance(one, Exception)]
    assert 3 == sum(isinstance(one, SignInRequiredError) for one in tried)
    session = await sign_in.authenticate(opened_session.text)
    assert ("Ada", Role.OPERATOR, "link") == (session.name, session.role, session.origin)
    assert await sign_in.look_at_link(link.text) is None
    assert ["sign_in.link", "sign_in.begin"] == [e.operation for e in await store.audit.read()]


async def test_a_link_ends(sign_in, clock):
    """After ten minutes, and what is no link never works."""
    link = await sign_in.link("Ada", Role.VIEWER, caller=ADMIN)
    clock.advance(600)
    for text in (link.text, "", "x", "jjm_aaaaaaaa_" + "a" * 43):
        with pytest.raises(SignInRequiredError, match="does not work any more"):
            await sign_in.redeem(text)


async def test_nobody_links_a_higher_role(sign_in):
    """As with keys; and names are names of actors."""
    operator = Caller(principal=Principal(name="o", kind=PrincipalKind.KEY, role=Role.OPERATOR))
    with pytest.raises(AccessDeniedError):
        await sign_in.link("Ada", Role.ADMIN, caller=operator)
    with pytest.raises(InvalidInputError):
        await sign_in.link("jjm", Role.VIEWER, caller=ADMIN)
    with pytest.raises(InvalidInputError, match="users of this machine"):
        await sign_in.link("cli:ada", Role.VIEWER, caller=ADMIN)


async def _session(sign_in, name="Ada"):
    link = await sign_in.link(name, Role.VIEWER, caller=ADMIN)
    return await sign_in.redeem(link.text)


async def _is_over(sign_in, session) -> bool:
    try:
        await sign_in.authenticate(session.text)
    except SignInRequiredError:
        return True
    return False


async def test_a_session_ends_when_nobody_uses_it(sign_in, clock):
    """Each use counts, from a minute on."""
    session = await _session(sign_in)
    clock.advance(7199)
    assert not await _is_over(sign_in, session)
    clock.advance(7199)
    assert not await _is_over(sign_in, session)
    assert 1 == len(await sign_in.list_sessions())
    clock.advance(7200)
    assert await _is_over(sign_in, session)
    assert [] == await sign_in.list_sessions()


async def test_a_session_ends_in_any_case(sign_in, clock):
    """However much it is used; sweeping forgets it."""
    session = await _session(sign_in)
    for _ in range(23):
        clock.advance(3600)
        assert not await _is_over(sign_in, session)
    clock.advance(3600)
    assert await _is_over(sign_in, session)
    assert 1 == await sign_in.sweep()


async def test_signing_out(sign_in, store):
    """One session, or all of a person."""
    first, second, other = [await _session(sign_in, name) for name in ("Ada", "Ada", "Bob")]
    assert 3 == len({first.text, second.text, other.text})
    await sign_in.sign_out(first.text, caller=ADMIN)
    assert [True, False] == [await _is_over(sign_in, one) for one in (first, second)]
    assert EndedSignIns(sessions=1) == await sign_in.sign_out_person("Ada", caller=ADMIN)
    assert [True, False] == [await _is_over(sign_in, one) for one in (second, other)]
    assert 2 == [e.operation for e in await store.audit.read()].count("sign_in.end")


async def test_signing_out_ends_links_too(sign_in):
    """Who is signed out does not come in again with a link that was made before."""
    link = await sign_in.link("Ada", Role.OPERATOR, caller=ADMIN)
    assert EndedSignIns(links=1) == await sign_in.sign_out_person("Ada", caller=ADMIN)
    with pytest.raises(SignInRequiredError):
        await sign_in.redeem(link.text)
    assert not await sign_in.sign_out_person("Ada", caller=ADMIN)


async def test_a_link_that_is_being_used_is_ended_too(sign_in, monkeypatch):
    """Between the look at a link and the session there is no gap in which it could be missed."""
    link = await sign_in.link("Ada", Role.OPERATOR, caller=ADMIN)
    look = sign_in._store.look_at_token

    async def look_and_be_late(*which):
        found = await look(*which)
        assert await sign_in.sign_out_person("Ada", caller=ADMIN)
        return found

    monkeypatch.setattr(sign_in._store, "look_at_token", look_and_be_late)
    with pytest.raises(SignInRequiredError):
        await sign_in.redeem(link.text)
    assert [] == await sign_in.list_sessions()


RULED = RoleRules(
    claim="groups", admins=("Root@example.org", "jjm-admins"), operators=("@example.org",), viewers=("staff",)
)  # fmt: skip


@pytest.mark.parametrize(
    ("identity", "role"),
    [
        ({"email": "root@Example.org", "is_email_verified": True}, Role.ADMIN),
        ({"email": "root@example.org"}, None),
        ({"email": "ada@example.org", "is_email_verified": True}, Role.OPERATOR),
        ({"email": "ada@evil.example.org", "is_email_verified": True}, None),
        ({"email": "x@example.org@evil.org", "is_email_verified": True}, None),
        ({"claims": {"groups": ["x", "staff"]}}, Role.VIEWER),
        ({"claims": {"groups": "jjm-admins"}}, Role.ADMIN),
        ({"claims": {"groups": ["root@example.org", "@example.org"]}}, None),
        ({"claims": {"groups": [1, None, {"staff": 1}]}}, None),
        ({"claims": {"roles": ["staff"]}}, None),
        ({}, None),
    ],
)
def test_roles_of_a_providers_people(identity, role):
    """Only verified addresses count, and claims that look like addresses do not."""
    assert role == RULED.role_of(Identity(issuer="i", subject="s", **identity))


async def test_without_a_provider(sign_in):
    """It says what to do."""
    with pytest.raises(AccessDeniedError, match="provider"):
        await sign_in.begin("https://x/callback")
