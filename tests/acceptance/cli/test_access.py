"""Keys, sign-in links and the audit log, as a person at a command line uses them."""

from __future__ import annotations

import csv
import io
import json
import re
import sqlite3

import pytest

pytestmark = pytest.mark.integration
KEY = r"jjm_[a-z2-7]{8}_[A-Za-z0-9_-]{43}\n"


def test_there_is_no_key(jjm):
    """It says how to make one."""
    assert "Make one with" in jjm("key", "list").stderr


@pytest.mark.both_ways
def test_the_life_of_a_key(jjm):
    """Made, listed, rotated, revoked; the key alone is on stdout, once."""
    made = jjm("key", "create", "ci", "--role", "operator")
    assert re.fullmatch(KEY, made.stdout)
    assert "shown this once" in made.stderr
    assert (
        "There is a key named 'ci'"
        in jjm("key", "create", "ci", "--role", "viewer", expect=1).stderr
    )
    key = made.stdout[4:12]
    assert [[key, "ci", "operator", "all of the role", "active", "-", "-"]] == _rows(
        jjm("key", "list")
    )
    new = jjm("key", "rotate", "ci", "--overlap-hours", "1", "--json", "id,name,key,state")
    new = json.loads(new.stdout)
    assert ("ci", "active") == (new["name"], new["state"])
    assert re.fullmatch(KEY, new["key"] + "\n")
    ambiguous = jjm("key", "revoke", "ci", expect=1)
    assert f"{key}, {new['id']}" in ambiguous.stderr
    assert f"{new['id']} of ci is revoked\n" == jjm("key", "revoke", new["id"]).stdout
    jjm("key", "revoke", made.stdout.strip())  # who finds a key somewhere may paste it whole
    assert ["revoked", "revoked"] == [row[4] for row in _rows(jjm("key", "list"))]
    assert [] == _rows(jjm("key", "list", "--active"))


def _rows(done) -> list[list[str]]:
    """Return the cells, without the key that the service made for the test itself."""
    rows = [line.split("\t") for line in done.stdout.splitlines()]
    return [row for row in rows if "first-admin" not in row]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("key", "create", "x"), "--role"),
        (("key", "create", "x", "--role", "boss"), "invalid choice"),
        (("key", "create", "", "--role", "viewer"), "1 to 64 characters"),
        (("key", "create", "x\x1b[31m", "--role", "viewer"), "cannot be shown"),
        (("key", "create", "x", "--role", "viewer", "--scope", "x"), "no scope 'x'"),
        (("key", "create", "x", "--role", "viewer", "--scope", "keys:manage"), "cannot have the scope"),
        (("key", "create", "x", "--role", "viewer", "--expires-days", "0"), "above 0"),
        (("key", "create", "x", "--role", "viewer", "--expires-days", "nan"), "above 0"),
        (("key", "revoke",), "Name a key"),
        (("key", "revoke", "x", "--person", "y"), "Name a key"),
        (("key", "revoke", "nobody"), "no key 'nobody'"),
        (("key", "rotate", "nobody"), "no key 'nobody'"),
        (("key", "rotate", "x", "--overlap-hours", "-1"), "--overlap-hours"),
        (("key", "link", "jjm", "--role", "viewer"), "calls itself"),
        (("audit", "query", "--since", "yesterday"), "not a time"),
        (("audit", "query", "--limit", "0"), "1 to 1000"),
        (("audit", "verify", "--expect-head", "x"), "no head"),
    ],
)  # fmt: skip
def test_what_cannot_be_used(jjm, words, said):
    """One clear sentence, and nothing is done."""
    done = jjm(*words, expect=1)
    assert said in done.stderr
    assert "\x1b" not in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.both_ways
def test_a_link(jjm):
    """Alone on stdout, to the address that browsers know."""
    done = jjm("key", "link", "Ada", "--role", "viewer")
    assert re.fullmatch(r"http://127.0.0.1:\d+/sign-in\?token=" + KEY, done.stdout)
    made = json.loads(
        jjm("key", "link", "Ada", "--role", "viewer", "--json", "name,url,role").stdout
    )
    assert ("Ada", "viewer") == (made["name"], made["role"])
    out = jjm("key", "revoke", "--person", "Ada").stdout
    assert "Ada: 0 sessions and 2 unused links ended\n" == out
    nobody = jjm("key", "revoke", "--person", "Ada", expect=1)
    assert "Nobody named 'Ada' is signed in or has a sign-in link." in nobody.stderr


@pytest.mark.both_ways
def test_the_audit_log(jjm, tmp_path):
    """Who did what, filtered, exported, proved; and found out when somebody changed it."""
    before = int(jjm("audit", "verify").stdout.split("\t")[1].split()[0])
    assert "No entry fits" in jjm("audit", "query", "--actor", "nobody").stderr
    jjm("key", "create", "=cmd()", "--role", "viewer")
    jjm("key", "link", "Ada", "--role", "viewer")
    jjm("key", "revoke", "=cmd()")
    rows = [line.split("\t") for line in jjm("audit", "query", "--limit", "3").stdout.splitlines()]
    assert ["key.revoke", "sign_in.link", "key.create"] == [row[3] for row in rows]
    found = jjm("audit", "query", "--operation", "key", "--json", "operation,after", "--limit", "1")
    (entry,) = json.loads(found.stdout)
    assert ("key.revoke", "revoked") == (entry["operation"], entry["after"]["state"])
    assert "" == jjm("audit", "query", "--actor", "nobody").stdout
    lines = [json.loads(line) for line in jjm("audit", "export").stdout.splitlines()]
    assert lines == json.loads(jjm("audit", "export", "--format", "json").stdout)
    assert [] == json.loads(jjm("audit", "export", "--format", "json", "--actor", "x").stdout)
    table = list(csv.DictReader(io.StringIO(jjm("audit", "export", "--format", "csv").stdout)))
    assert [line["hash"] for line in lines] == [row["hash"] for row in table]
    assert not [cell for row in table for cell in row.values() if cell.startswith("=")]

    ok, count, head = jjm("audit", "verify").stdout.strip().split("\t")
    last = before + 3
    assert ("ok", f"{last} entries", f"{last}:{lines[-1]['hash']}") == (ok, count, head)
    jjm("audit", "verify", "--expect-head", head)
    database = sqlite3.connect(tmp_path / "home" / "jjm.db")
    with pytest.raises(sqlite3.IntegrityError, match="only added to"):
        database.execute(f"DELETE FROM audit_log WHERE number = {last}")
    database.execute("DROP TRIGGER audit_log_no_delete")
    database.execute(f"DELETE FROM audit_log WHERE number = {last}")
    database.commit()
    database.close()
    assert f"ok\t{last - 1} entries" in jjm("audit", "verify").stdout
    cut = jjm("audit", "verify", "--expect-head", head, expect=1)
    assert "newest entries were removed" in cut.stdout
    whole = json.loads(
        jjm("audit", "verify", "--expect-head", head, "--json", "ok,problems", expect=1).stdout
    )
    assert (False, "head") == (whole["ok"], whole["problems"][0]["kind"])


def test_a_json_store_keeps_none_of_it(jjm):
    """It says what to do."""
    for words in (("key", "list"), ("audit", "verify"), ("key", "link", "a", "--role", "viewer")):
        done = jjm(*words, expect=1, JJM_STORAGE__BACKEND="json")
        assert "need a database" in done.stderr
        assert "sqlite" in done.stderr
