"""The drivers' errors in our words, each with what to do.

Source: sqlite.org/rescode.html and postgresql.org/docs/current/errcodes-appendix.html, read 2026-11.
"""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

import sqlalchemy as sa

from jules_job_manager.errors import DamagedStoreError, StoreError, StoreUnavailableError

_RIGHTS = "Make its folder writable, or set JJM_HOME to another one."
_ROOM = "Free some space, or raise the limit, and try again; what was kept is unharmed."
_LEAST_ROOM_BYTES = 65536
_BY_SQLITE_NAME = {
    "SQLITE_FULL": (StoreError, "There is no room to write the store {where}.", _ROOM),
    "SQLITE_IOERR": (
        StoreError,
        "The system failed to read or write the store {where} ({cause}).",
        "See whether the disk is full or failing (df), or a limit on file sizes is reached (ulimit -f).",
    ),
    "SQLITE_READONLY": (StoreError, "The store {where} cannot be written ({cause}).", _RIGHTS),
    "SQLITE_CANTOPEN": (StoreError, "The store {where} cannot be opened ({cause}).", _RIGHTS),
    "SQLITE_PERM": (StoreError, "The store {where} cannot be opened ({cause}).", _RIGHTS),
    "SQLITE_BUSY": (
        StoreUnavailableError,
        "The store {where} is busy with another program.",
        "Try again in a moment.",
    ),
    "SQLITE_NOTADB": (
        DamagedStoreError,
        "The store {where} is damaged; it was left as it is.",
        "Move it away and restore a copy, or start anew; Jules itself keeps your tasks.",
    ),
}
_BY_SQLITE_NAME["SQLITE_CORRUPT"] = _BY_SQLITE_NAME["SQLITE_NOTADB"]
_LOGIN = (
    StoreError,
    "The database {where} refuses the user or password ({cause}).",
    "Correct DATABASE_URL: postgresql://USER:PASSWORD@host:5432/name",
)
_CONFLICT = (
    StoreUnavailableError,
    "The database {where} gave way to another program ({cause}).",
    "Try again in a moment.",
)
_BY_SQLSTATE = {
    "28000": _LOGIN,
    "28P01": _LOGIN,
    "3D000": (
        StoreError,
        "There is no database {where}.",
        "Make it with createdb, or correct DATABASE_URL.",
    ),
    "42501": (
        StoreError,
        "The database {where} does not allow it ({cause}).",
        "Let the user of DATABASE_URL own the database, or grant it its tables.",
    ),
    "25006": (
        StoreError,
        "The database {where} only lets itself be read ({cause}).",
        "Name the primary server in DATABASE_URL.",
    ),
    "53100": (StoreError, "The database {where} has no room left ({cause}).", _ROOM),
    "40001": _CONFLICT,
    "40P01": _CONFLICT,
}
_AWAY_CLASSES = ("08", "57", "53")
"""Connection lost, server shutting down or starting, too many connections."""


def translated(exc: sa.exc.DBAPIError, where: str) -> StoreError:
    """Return the error to raise for a driver's; `where` is the store, fit to be shown."""
    name = _sqlite_name(exc)
    if name == "SQLITE_IOERR" and not _has_room(where):
        name = "SQLITE_FULL"  # what a full disk does to the files beside the store
    found = _BY_SQLITE_NAME.get(name)
    state = str(getattr(exc.orig, "sqlstate", None) or "")
    found = found or _BY_SQLSTATE.get(state)
    if found is not None:
        cls, message, hint = found
        known = cls(message.format(where=where, cause=cause_of(exc)), hint=hint)
        known.outside = message.replace(" {where}", "").replace(" ({cause})", "")
        return known
    is_lost = exc.connection_invalidated or isinstance(
        exc, sa.exc.InterfaceError | sa.exc.OperationalError
    )
    if is_lost or state.startswith(_AWAY_CLASSES):
        return away(where, exc)
    unknown = StoreError(
        f"The store {where} failed: {cause_of(exc)}.",
        hint="See `jjm doctor`; with --debug the command shows where it failed.",
    )
    unknown.outside = "The store failed."
    return unknown


def is_held(exc: sa.exc.DBAPIError) -> bool:
    """Return whether another transaction kept its lock for longer than `lock_timeout`."""
    return getattr(exc.orig, "sqlstate", None) == "55P03"


def away(where: str, exc: BaseException) -> StoreUnavailableError:
    """Return the error to raise when the database does not answer."""
    error = StoreUnavailableError(
        f"The database {where} cannot be reached ({cause_of(exc)}).",
        hint="Start it. Where one machine alone uses it, storage.fallback = local goes on in a file meanwhile.",
    )
    error.outside = "The database cannot be reached."
    return error


def cause_of(exc: BaseException) -> str:
    """Return the first line of what the driver said."""
    origin = getattr(exc, "orig", None) or exc
    text = str(origin).strip() or type(origin).__name__
    return text.splitlines()[0]


def _has_room(where: str) -> bool:
    try:
        return shutil.disk_usage(Path(where).parent).free >= _LEAST_ROOM_BYTES
    except OSError:
        return True


def _sqlite_name(exc: sa.exc.DBAPIError) -> str:
    """Return the primary result code's name (`SQLITE_IOERR` for `SQLITE_IOERR_WRITE`), or nothing."""
    cause: BaseException | None = exc.orig
    while cause is not None and not isinstance(cause, sqlite3.Error):
        cause = cause.__cause__
    name = getattr(cause, "sqlite_errorname", None) or ""
    return "_".join(name.split("_")[:2])
