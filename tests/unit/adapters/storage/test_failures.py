"""Every failure of a driver that is known by name has a sentence and a next step."""

from __future__ import annotations

import shutil
import sqlite3
from types import SimpleNamespace

import pytest
import sqlalchemy as sa

from jules_job_manager.adapters.private_paths import narrow
from jules_job_manager.adapters.storage.private_files import alone, make_private, refused
from jules_job_manager.adapters.storage.sql.failures import translated
from jules_job_manager.errors import DamagedStoreError, StoreError, StoreUnavailableError


def _sqlite(name: str) -> sa.exc.DBAPIError:
    cause = sqlite3.OperationalError("it failed\nsecond line")
    cause.sqlite_errorname = name
    wrapper = Exception("wrapped")
    wrapper.__cause__ = cause
    return sa.exc.OperationalError("SELECT 1", {}, wrapper)


class _PostgresError(Exception):
    def __init__(self, sqlstate: str) -> None:
        super().__init__("the server said so")
        self.sqlstate = sqlstate


def _postgresql(state: str) -> sa.exc.DBAPIError:
    return sa.exc.DBAPIError("SELECT 1", {}, _PostgresError(state))


@pytest.mark.parametrize(
    ("error", "kind", "said"),
    [
        (_sqlite("SQLITE_FULL"), StoreError, "no room"),
        (_sqlite("SQLITE_IOERR_WRITE"), StoreError, "failed to read or write"),
        (_sqlite("SQLITE_READONLY_DIRECTORY"), StoreError, "cannot be written"),
        (_sqlite("SQLITE_CANTOPEN"), StoreError, "cannot be opened"),
        (_sqlite("SQLITE_PERM"), StoreError, "cannot be opened"),
        (_sqlite("SQLITE_BUSY_SNAPSHOT"), StoreUnavailableError, "busy with another program"),
        (_sqlite("SQLITE_NOTADB"), DamagedStoreError, "damaged"),
        (_sqlite("SQLITE_CORRUPT_INDEX"), DamagedStoreError, "damaged"),
        (_postgresql("28000"), StoreError, "refuses the user or password"),
        (_postgresql("28P01"), StoreError, "refuses the user or password"),
        (_postgresql("3D000"), StoreError, "no database"),
        (_postgresql("42501"), StoreError, "does not allow it"),
        (_postgresql("25006"), StoreError, "only lets itself be read"),
        (_postgresql("53100"), StoreError, "no room left"),
        (_postgresql("40001"), StoreUnavailableError, "gave way"),
        (_postgresql("40P01"), StoreUnavailableError, "gave way"),
        (_postgresql("57P03"), StoreUnavailableError, "cannot be reached"),
        (_postgresql("08006"), StoreUnavailableError, "cannot be reached"),
        (_postgresql("53300"), StoreUnavailableError, "cannot be reached"),
        (_postgresql("42P01"), StoreError, "failed: the server said so."),
    ],
)
def test_a_sentence_and_a_next_step(error, kind, said, tmp_path):
    """The kind says whether trying again may help; nothing but the first line is quoted."""
    found = translated(error, str(tmp_path / "jjm.db"))
    assert type(found) is kind
    assert said in found.message
    assert "\n" not in found.message
    assert found.hint


def test_what_a_full_disk_does_to_the_files_beside_a_store(tmp_path, monkeypatch):
    """SQLite calls a full disk an input/output error when it is another file that does not fit."""
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=100))
    found = translated(_sqlite("SQLITE_IOERR_SHMSIZE"), str(tmp_path / "jjm.db"))
    assert "no room" in found.message


def test_a_folder_that_is_gone(tmp_path):
    """A store in a folder that is not there any more is an input/output error as it is."""
    found = translated(_sqlite("SQLITE_IOERR_WRITE"), str(tmp_path / "gone" / "jjm.db"))
    assert "failed to read or write" in found.message


@pytest.mark.parametrize(("number", "said"), [(28, "no room"), (27, "no room"), (13, "cannot be")])
def test_errors_of_the_file_system(tmp_path, number, said):
    """No room and no rights are told apart."""
    error = refused(tmp_path / "x", OSError(number, "reason"))
    assert said in error.message
    assert error.hint


def test_private_files(tmp_path):
    """A missing file is no reason to fail when rights are taken away; a file in the way is."""
    narrow(tmp_path / "none")
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="cannot be made"):
        make_private(tmp_path / "file" / "x")


async def test_a_lock_that_cannot_be_made(tmp_path):
    """A folder that is none has no place for a lock, and that is said."""
    (tmp_path / "none").touch()
    with pytest.raises(StoreError, match="cannot be written"):
        async with alone(tmp_path / "none" / "jjm.db"):
            pass
    async with alone(tmp_path / "jjm.db"):
        assert (tmp_path / "jjm.db.lock").exists()
