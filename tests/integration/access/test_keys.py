"""API keys, on a real store and a clock of ours."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from tests.clocks import FakeClock
from tests.memory_access import opened

from jules_job_manager.bootstrap.access import save_first_admin
from jules_job_manager.domain.access import Permission, Principal, PrincipalKind, Role
from jules_job_manager.domain.audit import Caller
from jules_job_manager.errors import (
    AccessDeniedError,
    AccessKeyNotFoundError,
    ConfigurationError,
    InvalidInputError,
    SignInRequiredError,
)
from jules_job_manager.services.access import AccessService

DAY = timedelta(days=1)


def caller(role=Role.ADMIN, **more) -> Caller:
    return Caller(principal=Principal(name="ada", kind=PrincipalKind.LOCAL, role=role, **more))


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
async def store(tmp_path, clock):
    async with opened(tmp_path, clock) as found:
        yield found


@pytest.fixture
def access(store, clock):
    return AccessService(store=store.access, clock=clock)


async def test_a_key_lets_in_who_has_it(access):
    """As whom it says, with what it may do."""
    scopes = frozenset({Permission.TASKS_READ})
    issued = await access.create("ci", Role.OPERATOR, scopes=scopes, caller=caller())
    who = await access.authenticate(f" {issued.text}\n")
    assert ("ci", Role.OPERATOR, scopes, issued.key.id) == (
        who.name,
        who.role,
        who.scopes,
        who.key_id,
    )
    assert issued.text not in str(await access.list_keys())


async def _why_refused(access, text) -> tuple[str, str | None]:
    with pytest.raises(SignInRequiredError) as caught:
        await access.authenticate(text)
    return caught.value.message, caught.value.hint


async def test_all_that_is_no_key_is_refused_in_the_same_words(access, clock):
    """Nobody learns which keys there are or were."""
    good = await access.create("a", Role.ADMIN, caller=caller())
    gone = await access.create("b", Role.ADMIN, caller=caller(), expires_at=clock.now() + DAY)
    revoked = await access.create("c", Role.ADMIN, caller=caller())
    await access.revoke("c", caller=caller())
    clock.advance(DAY.total_seconds())
    wrong = good.text[:-1] + ("A" if good.text[-1] != "A" else "B")
    unknown = "jjm_zzzzzzzz_" + good.text[13:]
    mixed = gone.text[:13] + good.text[13:]
    tried = [gone.text, revoked.text, wrong, unknown, mixed, "", "x", good.text.upper(), "\ud800"]
    assert 1 == len({await _why_refused(access, text) for text in tried})
    await access.authenticate(good.text)


async def test_use_is_noted_once_a_minute(access, clock):
    """Not with every request."""
    issued = await access.create("ci", Role.VIEWER, caller=caller())
    first = clock.now()
    await access.authenticate(issued.text)
    clock.advance(59)
    await access.authenticate(issued.text)
    assert first == (await access.find("ci")).last_used_at
    clock.advance(1)
    await access.authenticate(issued.text)
    assert clock.now() == (await access.find("ci")).last_used_at


async def test_the_first_admin(access, store):
    """One key is made, whoever starts at the same time; then never again."""
    made = await asyncio.gather(*(access.first_admin() for _ in range(5)))
    (issued,) = [one for one in made if one is not None]
    assert (await access.authenticate(issued.text)).may(Permission.KEYS_MANAGE)
    await access.revoke(issued.key.id, caller=caller())
    assert await access.first_admin() is None
    assert ["key.create", "key.revoke"] == [e.operation for e in await store.audit.read()]


async def test_rotating(access, clock):
    """The successor works at once, the old key until the overlap is over; a life is as long as before."""
    old = await access.create(
        "ci", Role.OPERATOR, caller=caller(), expires_at=clock.now() + 30 * DAY
    )
    clock.advance(10 * DAY.total_seconds())
    new = await access.rotate("ci", overlap=DAY, caller=caller())
    assert ("ci", Role.OPERATOR, clock.now() + 30 * DAY) == (
        new.key.name, new.key.role, new.key.expires_at
    )  # fmt: skip
    assert old.text != new.text
    for text in (old.text, new.text):
        await access.authenticate(text)
    clock.advance(DAY.total_seconds())
    await _why_refused(access, old.text)
    await access.authenticate(new.text)
    assert new.key.id == (await access.find("ci")).id


async def test_rotating_at_once(access, clock):
    """Without an overlap the old one is over."""
    old = await access.create("ci", Role.OPERATOR, caller=caller())
    new = await access.rotate(old.key.id, caller=caller())
    assert new.key.expires_at is None
    await _why_refused(access, old.text)
    with pytest.raises(InvalidInputError):
        await access.rotate("ci", overlap=-DAY, caller=caller())
    await access.revoke("ci", caller=caller())
    with pytest.raises(AccessKeyNotFoundError, match="revoked"):
        await access.rotate(new.key.id, caller=caller())


async def test_finding(access):
    """By id, by name, by the key itself; a name of two is asked back."""
    issued = await access.create("deployer", Role.VIEWER, caller=caller())
    for reference in (issued.key.id, "deployer", issued.text):
        assert issued.key == await access.find(reference)
    await access.rotate("deployer", overlap=DAY, caller=caller())
    with pytest.raises(InvalidInputError, match="2 keys") as caught:
        await access.find("deployer")
    assert issued.key.id in str(caught.value.hint)
    unknown = "jjm_zzzzzzzz_" + issued.text[13:]
    for reference in ("nobody", unknown):
        with pytest.raises(AccessKeyNotFoundError) as missing:
            await access.find(reference)
        assert issued.text[13:] not in missing.value.message


@pytest.mark.parametrize(
    "name",
    ["", " ", "x" * 65, "jjm", "System", "a\x1b[31m", "a\u202eb", "jjm_abcdefgh", "\ud800",
     "Anonymous", "cli:ada", "CLI: ada", "\uff43\uff4c\uff49\uff1aada"],
)  # fmt: skip
async def test_names_that_nobody_may_have(access, name):
    """They would be shown as actors."""
    with pytest.raises(InvalidInputError):
        await access.create(name, Role.VIEWER, caller=caller())


async def test_names_are_taken_while_their_key_works(access, clock):
    """Two actors of one name could not be told apart."""
    await access.create("ci", Role.VIEWER, caller=caller())
    with pytest.raises(InvalidInputError, match="named 'ci'"):
        await access.create(" ci ", Role.VIEWER, caller=caller())
    await access.revoke("ci", caller=caller())
    await access.create("ci", Role.VIEWER, caller=caller())


async def test_a_key_in_the_past_is_refused(access, clock):
    """It would never work."""
    with pytest.raises(InvalidInputError, match="expire"):
        await access.create("ci", Role.VIEWER, caller=caller(), expires_at=clock.now())


async def test_scopes_beyond_the_role_are_refused(access):
    """They would be without any effect, and look as if they had one."""
    with pytest.raises(InvalidInputError, match="keys:manage"):
        await access.create(
            "ci", Role.VIEWER, scopes=frozenset({Permission.KEYS_MANAGE}), caller=caller()
        )


async def test_nobody_gives_more_than_they_have(access):
    """A key that may only manage keys cannot make itself an admin, nor rotate one."""
    await access.create("root", Role.ADMIN, caller=caller())
    narrow = caller(scopes=frozenset({Permission.KEYS_MANAGE, Permission.TASKS_READ}))
    for role in (Role.VIEWER, Role.ADMIN):
        with pytest.raises(AccessDeniedError, match="more than they may"):
            await access.create("x", role, caller=narrow)
    with pytest.raises(AccessDeniedError):
        await access.rotate("root", caller=narrow)
    scopes = frozenset({Permission.TASKS_READ})
    assert await access.create("x", Role.ADMIN, scopes=scopes, caller=narrow)


async def test_everything_is_in_the_audit_log(access, store):
    """Who, what, from where, before and after; and never a secret."""
    asked = Caller(principal=caller().principal, request_id="r1", address="10.0.0.1")
    issued = await access.create("ci", Role.VIEWER, caller=asked)
    new = await access.rotate("ci", caller=asked)
    await access.revoke(new.key.id, caller=asked)
    await access.revoke(new.key.id, caller=asked)
    entries = await store.audit.read()
    assert ["key.create", "key.rotate", "key.revoke"] == [entry.operation for entry in entries]
    assert {("ada", "local", "r1", "10.0.0.1")} == {
        (e.actor, e.kind, e.request_id, e.address) for e in entries
    }
    assert ("active", "revoked") == (entries[2].before["state"], entries[2].after["state"])
    assert f"key:{issued.key.id}" == entries[0].resource
    for text in (issued.text, issued.key.digest, new.text[13:]):
        assert text not in str(entries)


async def test_a_key_is_remembered_for_a_moment(store, clock):
    """What is revoked here stops at once, what is revoked elsewhere a moment later, what ends in time."""
    here, elsewhere = [
        AccessService(store=store.access, clock=clock, remember_seconds=5) for _ in range(2)
    ]
    first, second = [await here.create(name, Role.VIEWER, caller=caller()) for name in "ab"]
    ending = await here.create(
        "c", Role.VIEWER, caller=caller(), expires_at=clock.now() + timedelta(seconds=2)
    )
    for issued in (first, second, ending):
        await here.authenticate(issued.text)
    await here.revoke("a", caller=caller())
    await _why_refused(here, first.text)
    rotated = await here.create("d", Role.VIEWER, caller=caller())
    await here.authenticate(rotated.text)
    await here.rotate("d", caller=caller())
    await _why_refused(here, rotated.text)
    await here.authenticate(second.text)
    await here.authenticate(second.text)
    await elsewhere.revoke("b", caller=caller())
    clock.advance(4)
    await here.authenticate(second.text)
    await _why_refused(here, ending.text)
    clock.advance(1)
    await _why_refused(here, second.text)


async def test_use_of_a_remembered_key_is_noted(store, clock):
    """Once a minute, as ever."""
    access = AccessService(store=store.access, clock=clock, remember_seconds=3600)
    issued = await access.create("ci", Role.VIEWER, caller=caller())
    await access.authenticate(issued.text)
    clock.advance(61)
    await access.authenticate(issued.text)
    assert clock.now() == (await access.find("ci")).last_used_at


async def test_the_first_admins_key_is_in_a_file(store, clock, tmp_path):
    """Which only its owner can read, and which is written once."""
    made = await asyncio.gather(*(save_first_admin(store, clock, tmp_path) for _ in range(3)))
    (path,) = [found for found in made if found is not None]
    assert [path] == list(tmp_path.glob("*.key"))
    assert 0o600 == path.stat().st_mode & 0o777
    who = await AccessService(store=store.access, clock=clock).authenticate(path.read_text())
    assert ("first-admin", Role.ADMIN) == (who.name, who.role)
    assert await save_first_admin(store, clock, tmp_path) is None


async def test_without_a_file_there_is_no_key(store, clock, tmp_path):
    """A key that nobody can read would keep the next start from making one."""
    with pytest.raises(ConfigurationError, match="cannot be written"):
        await save_first_admin(store, clock, tmp_path / "missing")
    assert [] == list(await store.access.keys.list_keys())
