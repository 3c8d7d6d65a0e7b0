"""Keys, what may be redeemed once, and sessions: the same on both databases."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from jules_job_manager.adapters.storage.opening import open_store
from jules_job_manager.domain.access import (
    ApiKey,
    EndedSignIns,
    Permission,
    Role,
    SignInToken,
    WebSession,
)
from jules_job_manager.domain.audit import NewAuditEntry
from jules_job_manager.errors import StoreError, UnsupportedOperationError

pytestmark = pytest.mark.integration

NOW = datetime(2026, 11, 24, 12, 0, 0, 123456, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
KEY = ApiKey(
    id="aaaaaaaa", name="ci", role=Role.OPERATOR, digest="d", created_at=NOW, created_by="me",
    scopes=frozenset({Permission.TASKS_READ, Permission.QUEUE_READ}),
)  # fmt: skip
SAID = NewAuditEntry(at=NOW, actor="me", kind="local", operation="key.create")


async def test_a_key_comes_back_as_it_was_kept(sql_store):
    """All of it, with what it says in the audit log beside it."""
    keys = sql_store.access.keys
    assert await keys.add(KEY, audit=[SAID])
    assert KEY == await keys.get(KEY.id)
    assert [KEY] == list(await keys.list_keys())
    assert await keys.get("other") is None
    assert ["key.create"] == [entry.operation for entry in await sql_store.audit.read()]


async def test_nothing_is_said_of_a_key_that_was_not_kept(sql_store):
    """Key and audit entry are one transaction."""
    keys = sql_store.access.keys
    await keys.add(KEY)
    with pytest.raises(StoreError):
        await keys.add(KEY, audit=[SAID])
    assert [] == list(await sql_store.audit.read())


async def test_of_two_starts_one_makes_the_first_admin(sql_arguments):
    """Ten programs begin at once on one database; there is one key."""
    stores = [await open_store(**sql_arguments) for _ in range(10)]
    made = await asyncio.gather(
        *(
            store.access.keys.add(
                replace(KEY, id=f"key{number}", role=Role.ADMIN), audit=[SAID], if_no_admin=True
            )
            for number, store in enumerate(stores)
        )
    )
    assert 1 == sum(made)
    assert 1 == len(await stores[0].access.keys.list_keys())
    assert 1 == len(await stores[0].audit.read())
    for store in stores:
        await store.aclose()


async def test_a_revoked_admin_is_not_replaced(sql_store):
    """A key that was taken away on purpose does not make the next start give a new one."""
    keys = sql_store.access.keys
    await keys.add(replace(KEY, role=Role.ADMIN))
    await keys.end(KEY.id, revoked_at=NOW)
    assert not await keys.add(replace(KEY, id="b", role=Role.ADMIN), if_no_admin=True)


async def test_an_end_is_never_put_off(sql_store):
    """The earliest moment stands."""
    keys = sql_store.access.keys
    await keys.add(KEY)
    assert await keys.end(KEY.id, revoked_at=LATER, expires_at=LATER)
    assert await keys.end(KEY.id, revoked_at=NOW, audit=[SAID])
    assert await keys.end(KEY.id, revoked_at=LATER)
    assert replace(KEY, revoked_at=NOW, expires_at=LATER) == await keys.get(KEY.id)
    assert not await keys.end("other", revoked_at=NOW, audit=[SAID])
    assert 1 == len(await sql_store.audit.read())


async def test_replacing(sql_store):
    """The new key is there and the old one ends; a revoked key has no successor."""
    keys = sql_store.access.keys
    await keys.add(KEY)
    new = replace(KEY, id="bbbbbbbb")
    assert await keys.replace(KEY.id, new, old_ends_at=LATER)
    assert [replace(KEY, expires_at=LATER), new] == list(await keys.list_keys())
    await keys.end(KEY.id, revoked_at=NOW)
    assert not await keys.replace(KEY.id, replace(KEY, id="c"), old_ends_at=LATER, audit=[SAID])
    assert 2 == len(await keys.list_keys())
    assert [] == list(await sql_store.audit.read())


async def test_use_is_written_seldom(sql_store):
    """A use that was noted a moment ago is not noted again."""
    keys = sql_store.access.keys
    await keys.add(KEY)
    minute = timedelta(minutes=1)
    assert await keys.note_use(KEY.id, NOW, unless_after=NOW - minute)
    soon = NOW + timedelta(seconds=59)
    assert not await keys.note_use(KEY.id, soon, unless_after=soon - minute)
    assert replace(KEY, last_used_at=NOW) == await keys.get(KEY.id)
    assert await keys.note_use(KEY.id, NOW + minute, unless_after=NOW)


async def test_a_token_is_taken_once(sql_store):
    """Of many that ask at once, one gets it."""
    sign_ins = sql_store.access.sign_ins
    token = SignInToken(digest="d", kind="link", expires_at=LATER, data={"name": "Ada"})
    await sign_ins.add_token(token)
    assert await sign_ins.take_token("d", "oidc", NOW) is None
    assert token == await sign_ins.look_at_token("d", "link", NOW)
    taken = await asyncio.gather(*(sign_ins.take_token("d", "link", NOW) for _ in range(5)))
    assert [token] == [found for found in taken if found is not None]


async def test_an_expired_token_is_none(sql_store):
    """At the very moment it ends."""
    sign_ins = sql_store.access.sign_ins
    await sign_ins.add_token(SignInToken(digest="d", kind="link", expires_at=NOW))
    assert await sign_ins.look_at_token("d", "link", NOW) is None
    assert await sign_ins.take_token("d", "link", NOW) is None


async def test_sessions(sql_store):
    """Kept, noted as seen, ended one by one or all of a person."""
    sign_ins = sql_store.access.sign_ins
    ada = WebSession(
        digest="1", name="Ada", role=Role.VIEWER, origin="link", created_at=NOW, seen_at=NOW, expires_at=LATER
    )  # fmt: skip
    others = [replace(ada, digest="2"), replace(ada, digest="3", name="Bob")]
    for session in (ada, *others):
        await sign_ins.add_session(session, audit=[SAID])
    await sign_ins.note_seen("1", LATER)
    await sign_ins.note_seen("1", NOW)
    assert replace(ada, seen_at=LATER) == await sign_ins.get_session("1")
    assert 1 == await sign_ins.end_session("2", audit=[SAID])
    assert 0 == await sign_ins.end_session("2", audit=[SAID])
    assert EndedSignIns(sessions=1) == await sign_ins.end_person("Ada", now=NOW)
    assert others[1:] == list(await sign_ins.list_sessions())
    assert 4 == len(await sql_store.audit.read())


async def test_a_token_becomes_one_session(sql_store):
    """Of several that ask, one gets it; the others leave neither a session nor an entry."""
    sign_ins = sql_store.access.sign_ins
    token = SignInToken(digest="d", kind="link", expires_at=LATER)
    await sign_ins.add_token(token)
    session = WebSession(
        digest="0", name="Ada", role=Role.VIEWER, origin="link", created_at=NOW, seen_at=NOW, expires_at=LATER
    )  # fmt: skip
    kept = await asyncio.gather(
        *(
            sign_ins.add_session(replace(session, digest=str(n)), redeems=token, audit=[SAID])
            for n in range(4)
        )
    )
    assert [False, False, False, True] == sorted(kept)
    assert 1 == len(await sign_ins.list_sessions())
    assert 1 == len(await sql_store.audit.read())


async def test_a_person_is_ended_with_their_links(sql_store):
    """Those of others stay, and so does what was begun at a provider; nothing ended leaves no entry."""
    sign_ins = sql_store.access.sign_ins
    ada = SignInToken(digest="a", kind="link", expires_at=LATER, data={"name": "Ada"})
    for token in (
        ada, replace(ada, digest="old", expires_at=NOW), replace(ada, digest="begun", kind="oidc"),
        replace(ada, digest="bob", data={"name": "Bob"}),
    ):  # fmt: skip
        await sign_ins.add_token(token)
    assert EndedSignIns(links=1) == await sign_ins.end_person("Ada", now=NOW, audit=[SAID])
    assert not await sign_ins.end_person("Ada", now=NOW, audit=[SAID])
    assert await sign_ins.look_at_token("a", "link", NOW) is None
    assert await sign_ins.look_at_token("bob", "link", NOW) is not None
    assert await sign_ins.look_at_token("begun", "oidc", NOW) is not None
    assert 1 == len(await sql_store.audit.read())


async def test_sweeping(sql_store):
    """What expired is forgotten, the rest stays."""
    sign_ins = sql_store.access.sign_ins
    for digest, moment in (("old", NOW), ("new", LATER)):
        await sign_ins.add_token(SignInToken(digest=digest, kind="oidc", expires_at=moment))
        await sign_ins.add_session(
            WebSession(digest=digest, name="Ada", role=Role.ADMIN, origin="oidc",
                       created_at=NOW, seen_at=NOW, expires_at=moment)
        )  # fmt: skip
    assert 2 == await sign_ins.sweep(NOW)
    assert ["new"] == [session.digest for session in await sign_ins.list_sessions()]
    assert await sign_ins.take_token("new", "oidc", NOW) is not None


async def test_a_json_file_keeps_none_of_it(make_arguments):
    """It says so, and what to do."""
    store = await open_store(**await make_arguments("json"))
    for name in ("access", "audit", "idempotency"):
        with pytest.raises(UnsupportedOperationError, match="need a database") as caught:
            getattr(store, name)
        assert "sqlite" in str(caught.value.hint)
    await store.aclose()
