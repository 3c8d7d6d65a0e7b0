"""Roles, permissions, and the texts of keys."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jules_job_manager.domain.access import (
    PERMISSIONS,
    ApiKey,
    Permission,
    Principal,
    PrincipalKind,
    Role,
    WebSession,
    csrf_token,
    digest_of,
    is_same,
    parts_of,
    scopes_from,
    secret_text,
)
from jules_job_manager.domain.masking import MASK, masked

NOW = datetime(2026, 11, 24, tzinfo=UTC)
KEY = ApiKey(
    id="abcdefgh", name="ci", role=Role.VIEWER, digest="d", created_at=NOW, created_by="me"
)
WRITES = {"tasks:write", "queue:write", "reviews:write", "backlogs:write"}


def test_what_each_role_may_do():
    """Written out, so that a change of it is seen."""
    viewer = {"tasks:read", "queue:read", "reviews:read", "events:read", "backlogs:read",
              "health:read", "metrics:read"}  # fmt: skip
    operator = viewer | WRITES | {"settings:read"}
    admin = operator | {"webhooks:manage", "keys:manage", "audit:read"}
    assert {Role.VIEWER: viewer, Role.OPERATOR: operator, Role.ADMIN: admin} == PERMISSIONS


@given(st.sampled_from(Role), st.frozensets(st.sampled_from(Permission)))
def test_scopes_never_widen(role, scopes):
    """Whatever the scopes, nobody may do more than the role; no scopes are all of it."""
    who = Principal(name="a", kind=PrincipalKind.KEY, role=role, scopes=scopes)
    assert who.permissions <= PERMISSIONS[role]
    assert all(
        who.may(p) == (p in PERMISSIONS[role] and (p in scopes or not scopes)) for p in Permission
    )


@given(st.binary(min_size=40, max_size=40))
def test_a_key_is_read_back(random_bytes):
    """Id and digest of every key that can be made; and logs show none of it."""
    text = secret_text(random_bytes)
    identity, digest = parts_of(text)
    assert (8, 43) == (len(identity), len(text) - len(f"jjm_{identity}_"))
    assert digest == digest_of(text[13:])
    assert f"Bearer {MASK}" == masked(f"Bearer {text}")
    assert f"see {MASK}" == masked(f"see {text}")


@given(st.text())
def test_what_is_no_key(text):
    """Any text is either a key or none, without an error."""
    assert parts_of(text) is None


@pytest.mark.parametrize("end", ["\n", "=", "x", " "])
def test_a_key_with_something_behind_it_is_none(end):
    """Nothing may follow."""
    assert parts_of(secret_text(bytes(40)) + end) is None


def test_too_few_random_bytes_are_refused():
    """A weak key is never made."""
    with pytest.raises(ValueError, match="40 bytes"):
        secret_text(b"1234")


def test_different_bytes_make_different_keys():
    """Nothing of the secret is lost on the way to the text."""
    keys = {secret_text(bytes(8) + number.to_bytes(32)) for number in range(100)}
    assert 100 == len(keys)


@given(st.text(), st.text())
def test_comparing(one, other):
    """It compares, also texts outside ASCII."""
    good = "surrogatepass"
    one, other = (t.encode("utf-8", good).decode("utf-8", "replace") for t in (one, other))
    assert (one == other) == is_same(one, other)


def test_states_of_a_key():
    """At the very moment it ends, it has ended."""
    day = timedelta(days=1)
    ending = ApiKey(**{**_members(KEY), "expires_at": NOW + day})
    revoked = ApiKey(**{**_members(ending), "revoked_at": NOW + 2 * day})
    assert "active" == KEY.state(NOW)
    assert ("active", "expired") == (ending.state(NOW), ending.state(NOW + day))
    assert ("expired", "revoked") == (revoked.state(NOW + day), revoked.state(NOW + 2 * day))


def _members(key):
    return {name: getattr(key, name) for name in ApiKey.__dataclass_fields__}


def test_a_key_as_json_has_no_digest():
    """Not even the hash leaves the store."""
    assert not {"digest", "secret"} & set(KEY.to_dict(NOW))


def test_times_without_a_zone_are_refused():
    """As everywhere."""
    with pytest.raises(ValueError, match="time zone"):
        ApiKey(**{**_members(KEY), "expires_at": datetime(2026, 1, 1)})


def test_sessions_end():
    """By age and by being unused."""
    session = WebSession(
        digest="123456789", name="Ada", role=Role.OPERATOR, origin="link", created_at=NOW, seen_at=NOW,
        expires_at=NOW + timedelta(hours=10),
    )  # fmt: skip
    idle = timedelta(hours=1)
    assert session.is_live(NOW + timedelta(minutes=59), idle)
    assert not session.is_live(NOW + idle, idle)
    assert not session.is_live(NOW + timedelta(hours=10), timedelta(days=1))
    assert "12345678" == session.principal().key_id


def test_the_token_of_a_page_is_bound_to_its_session():
    """Another session has another, and it does not give the session away."""
    assert csrf_token("one") == csrf_token("one") != csrf_token("two")
    assert "one" not in csrf_token("one")


def test_scopes_by_their_words():
    """And what is none is an error."""
    assert frozenset({Permission.TASKS_READ}) == scopes_from(["tasks:read"])
    with pytest.raises(ValueError, match="nope"):
        scopes_from(["nope"])
