"""The chain of the audit log: whatever is done to it shows."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from jules_job_manager.domain.audit import (
    FIRST_LINK,
    MASK,
    NewAuditEntry,
    Verification,
    anchor,
    csv_cell,
    hash_of,
    linked,
)

NOW = datetime(2026, 11, 24, tzinfo=UTC)
TEXTS = st.text(st.characters(codec=None), max_size=8)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)
ENTRIES = st.builds(
    NewAuditEntry, at=st.just(NOW), actor=TEXTS, kind=st.just("key"), operation=TEXTS, resource=TEXTS,
    before=JSON, after=JSON,
)  # fmt: skip


def chain_of(news):
    found = []
    for new in news:
        found.append(linked(new, found[-1] if found else None))
    return found


def verified(entries, head="", number=0):
    chain = Verification(expected_head=head, expected_number=number)
    for entry in entries:
        chain = chain.after(entry)
    return chain.ended()


def kinds(entries, head=""):
    return {problem.kind for problem in verified(entries, head).problems}


CHAINS = st.lists(ENTRIES, min_size=2, max_size=6).map(chain_of)


@given(CHAINS)
def test_what_was_not_touched_is_whole(entries):
    """Any entries, with any contents; and the head is found, wherever it is."""
    assert FIRST_LINK == entries[0].previous_hash
    for entry in entries:
        assert set() == kinds(entries, entry.hash)


@given(CHAINS, st.data())
def test_a_change_shows(entries, data):
    """Of any member of any entry, even when its own hash is worked out again."""
    place = data.draw(st.integers(0, len(entries) - 2))
    name = data.draw(st.sampled_from(["actor", "operation", "resource", "result", "address"]))
    before = entries[place]
    changed = replace(
        before, **{name: data.draw(TEXTS.filter(lambda t: t != getattr(before, name)))}
    )
    entries[place] = changed
    assert {"changed"} == kinds(entries)
    entries[place] = replace(changed, hash=hash_of(changed))
    assert {"changed"} == kinds(entries)


@given(CHAINS, st.data())
def test_a_removal_shows(entries, data):
    """At the beginning and within; at the end only to who knows the head."""
    place = data.draw(st.integers(0, len(entries) - 1))
    head = entries[-1].hash
    del entries[place]
    assert ({"missing"} if place < len(entries) else {"head"}) == kinds(entries, head)


@given(CHAINS, ENTRIES, st.data())
def test_an_insertion_shows(entries, new, data):
    """Even one that is linked to the entry before it."""
    place = data.draw(st.integers(1, len(entries) - 1))
    entries.insert(place, linked(new, entries[place - 1]))
    assume(entries[place] != entries[place + 1])
    assert set() != kinds(entries)


@given(CHAINS, st.data())
def test_another_order_shows(entries, data):
    """Numbers that are swapped with their entries, and numbers that stay in their place."""
    first, second = sorted(
        data.draw(st.sets(st.integers(0, len(entries) - 1), min_size=2, max_size=2))
    )
    swapped = list(entries)
    swapped[first], swapped[second] = entries[second], entries[first]
    assert "order" in kinds(swapped)
    swapped[first] = replace(swapped[first], number=first + 1)
    swapped[second] = replace(swapped[second], number=second + 1)
    assert "changed" in kinds(swapped)


@given(CHAINS, st.lists(ENTRIES, max_size=3), st.data())
def test_retention_is_no_removal(entries, later, data):
    """The oldest are gone after an anchor, and everything that is left is still proved."""
    place = data.draw(st.integers(0, len(entries) - 1))
    entries.append(
        linked(anchor(at=NOW, actor="jjm", kind="local", last=entries[place]), entries[-1])
    )
    for new in later:
        entries.append(linked(new, entries[-1]))
    removed, kept = entries[: place + 1], entries[place + 1 :]
    assert set() == kinds(kept, removed[-1].hash)
    assert set() == kinds(kept, kept[-1].hash)
    if len(kept) > 2:
        assert {"missing"} == kinds(kept[1:])
    assert verified(kept, removed[0].hash, 1).is_head_too_old == (place > 0)


def test_a_forged_anchor_does_not_cover_more():
    """An anchor stands for those it names, and no others."""
    entries = chain_of([NewAuditEntry(at=NOW, actor="a", kind="k", operation="o")] * 5)
    entries.append(linked(anchor(at=NOW, actor="jjm", kind="local", last=entries[1]), entries[-1]))
    assert set() == kinds(entries[2:])
    assert {"missing"} == kinds(entries[3:])


def test_nothing_is_whole():
    """An empty log has no problem, unless something was expected."""
    assert set() == kinds([])
    assert {"head"} == kinds([], "a" * 64)


def test_secrets_are_masked():
    """By their names at any depth, and by their form in any text."""
    key = "jjm_abcdefgh_" + "x" * 43
    entry = linked(
        NewAuditEntry(
            at=NOW, actor=f"me {key}", kind="key", operation="o", before={"a": [{"API_KEY": "1"}]},
            after={"password": ["p"], "url": "redis://:pa55@h/0", "token": None, "n": {"x": key}},
        ),
        None,
    )  # fmt: skip
    assert f"me {MASK}" == entry.actor
    assert {"a": [{"API_KEY": MASK}]} == entry.before
    assert {
        "password": [MASK], "url": f"redis://{MASK}@h/0", "token": None, "n": {"x": MASK},
    } == entry.after  # fmt: skip


def test_a_long_detail_is_kept_as_its_hash():
    """The log does not grow with what people send."""
    entry = linked(
        NewAuditEntry(at=NOW, actor="a", kind="k", operation="o", after=["x"] * 9999), None
    )
    assert {"too_long_bytes", "sha256"} == set(entry.after)


def test_a_time_without_a_zone_is_refused():
    """As everywhere."""
    with pytest.raises(ValueError, match="time zone"):
        linked(NewAuditEntry(at=datetime(2026, 1, 1), actor="a", kind="k", operation="o"), None)


def test_many_problems_are_cut():
    """A log that is wholly wrong is told in a hundred lines."""
    entries = chain_of(
        [NewAuditEntry(at=NOW + timedelta(1), actor="a", kind="k", operation="o")] * 300
    )
    assert 100 == len(verified([replace(entry, actor="b") for entry in entries]).problems)


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\t=1", "\r=1", "\n=1", "＝1"])
def test_formulas_are_made_text(text):
    """What a spreadsheet would run has an apostrophe in front."""
    assert f"'{text}" == csv_cell(text)


def test_other_cells_stay():
    """Numbers, plain texts, nothing, and values."""
    cells = [csv_cell(value) for value in (-1, "a=1", "", None, {"b": 1}, True)]
    assert ["-1", "a=1", "", "", '{"b": 1}', "true"] == cells
