"""The storage commands as users type them."""

from __future__ import annotations

import json
import sqlite3

import pytest
from tests.servers import postgresql

from jules_job_manager.adapters.storage.revision import HEAD

pytestmark = pytest.mark.integration


def test_moving_there_and_back(jjm, tmp_path):
    """A task goes into a JSON file and back into SQLite, and the counts are told."""
    task_id = jjm("create", "--repo", "octo/sample", "--description", "Add it").stdout.strip()
    to_json = ("storage", "migrate", "--from", "sqlite", "--to", "json", "--leave-audit")
    would = jjm(*to_json, "--dry-run")
    assert not (tmp_path / "home" / "tasks.json").exists()
    moved = jjm(*to_json)
    assert would.stdout == moved.stdout
    assert "tasks\t1\t" in moved.stdout
    assert "jjm config set storage.backend json" in moved.stderr
    shown = jjm("list", "--cached", "--ids", JJM_STORAGE__BACKEND="json").stdout
    assert f"{task_id}\n" == shown
    back = jjm("storage", "migrate", "--from", "json", "--to", f"sqlite:{tmp_path / 'new.db'}")
    assert moved.stdout == back.stdout
    assert f"jjm config set storage.data_path {tmp_path / 'new.db'}" in back.stderr
    assert "data_path" not in moved.stderr
    again = jjm(*to_json, expect=1)
    assert "holds data already" in again.stderr
    assert "Traceback" not in again.stderr
    assert [{"id": task_id}] == json.loads(jjm("list", "--cached", "--json", "id").stdout)


def test_wrong_places(jjm):
    """What is no store is told in one sentence."""
    for words, said in (
        (["--from", "mysql:x", "--to", "json"], "not a store"),
        (["--from", "sqlite", "--to", "postgresql"], "no address"),
        (["--from", "json", "--to", "sqlite:other.db"], "There is no store"),
        (["--from", "json"], "--to"),
    ):
        done = jjm("storage", "migrate", *words, expect=1)
        assert said in done.stderr
        assert "Traceback" not in done.stderr


def test_the_schema_goes_back_and_forth(jjm, tmp_path):
    """Going back needs a person's word; a dry run changes nothing; the newest is the default."""
    assert "There is no store" in jjm("storage", "upgrade", expect=1).stderr
    jjm("storage", "status")
    assert f"at {HEAD} already" in jjm("storage", "upgrade").stderr
    assert "--yes" in jjm("storage", "upgrade", "--to", "base", expect=1).stderr
    would = jjm("storage", "upgrade", "--to", "base", "--dry-run")
    assert f"would go from {HEAD} to base" in would.stderr
    assert f"{HEAD}\n" == would.stdout
    assert "base\n" == jjm("storage", "upgrade", "--to", "base", "--yes").stdout
    assert "0001\n" == jjm("storage", "upgrade", "--to", "0001").stdout
    assert f"{HEAD}\n" == jjm("storage", "upgrade").stdout
    assert (
        "Known are: base, 0001, 0002, 0003"
        in jjm("storage", "upgrade", "--to", "7", expect=1).stderr
    )
    environ = {"JJM_STORAGE__BACKEND": "json"}
    assert "nothing to do" in jjm("storage", "upgrade", **environ).stderr


def test_databases_of_others_are_left_alone(jjm, tmp_path):
    """A SQLite file with tables like ours, but not ours, is not touched."""
    (tmp_path / "home").mkdir()
    with sqlite3.connect(tmp_path / "home" / "jjm.db") as connection:
        connection.execute("CREATE TABLE tasks (name)")
    connection.close()
    before = (tmp_path / "home" / "jjm.db").read_bytes()
    assert "another program" in jjm("list", "--cached", expect=1).stderr
    assert "another program" in jjm("storage", "upgrade", expect=1).stderr
    with sqlite3.connect(tmp_path / "home" / "jjm.db") as connection:
        names = {row[0] for row in connection.execute("SELECT name FROM sqlite_master")}
        assert {"tasks"} == names
        connection.execute("DROP TABLE tasks")
        connection.execute("CREATE TABLE alembic_version (version_num TEXT)")
        connection.execute("INSERT INTO alembic_version VALUES ('9999')")
    connection.close()
    assert before
    assert "newer version" in jjm("storage", "upgrade", expect=1).stderr
    assert "newer version" in jjm("list", "--cached", expect=1).stderr


def test_merging_needs_postgresql(jjm):
    """The fallback belongs to PostgreSQL alone."""
    assert "Only PostgreSQL" in jjm("storage", "merge-fallback", expect=1).stderr


def test_postgresql_from_the_command_line(jjm, tmp_path):
    """The whole life of a fallback, with a real server: away, working locally, back and merged."""
    with postgresql() as address:
        if address is None:
            pytest.skip(
                "no PostgreSQL: neither the wheel's nor Debian's binaries are here, or this user has no name"
            )
        there = {"JJM_STORAGE__BACKEND": "postgresql", "DATABASE_URL": address}
        away = {**there, "DATABASE_URL": "postgresql://u@127.0.0.1:1/x"}
        assert "cannot be reached" in jjm("list", "--cached", expect=1, **away).stderr
        local = {**away, "JJM_STORAGE__FALLBACK": "local"}
        created = jjm("create", "--repo", "octo/sample", "--description", "Add it", **local)
        assert "Working in the local store" in created.stderr
        assert "merge-fallback" in jjm("storage", "status", **there).stderr
        assert "tasks\t1\n" in jjm("storage", "merge-fallback", "--dry-run", **there).stdout
        assert "tasks\t1\n" in jjm("storage", "merge-fallback", **there).stdout
        assert "nothing to merge" in jjm("storage", "merge-fallback", **there).stderr
        assert created.stdout == jjm("list", "--cached", "--ids", **there).stdout
        assert f"at {HEAD} already" in jjm("storage", "upgrade", **there).stderr
        to_json = ("storage", "migrate", "--from", "postgresql", "--to", "json")
        assert "--leave-audit" in jjm(*to_json, expect=1, **there).stderr  # `create` is in the log
        moved = jjm(*to_json, "--leave-audit", **there)
        assert "tasks\t1\t" in moved.stdout
        nobody = address.replace("jjm@", "nobody-here@")
        refused = jjm("list", "--cached", expect=1, **{**there, "DATABASE_URL": nobody}).stderr
        assert "refuses the user" in refused
        assert "DATABASE_URL" in refused
        nowhere = address.rpartition("/")[0] + "/nowhere"
        missing = jjm("list", "--cached", expect=1, **{**there, "DATABASE_URL": nowhere}).stderr
        assert "There is no database" in missing
        assert "createdb" in missing
    assert "no DATABASE_URL" in jjm(
        "storage", "upgrade", expect=1, JJM_STORAGE__BACKEND="postgresql"
    ).stderr  # fmt: skip
