"""One JSON document in a file: locked, replaced in one step, checked when read.

The form is that of ticket JJM-005, `{"tasks": [...]}`, with members beside it for what else is
kept. A file with nothing but tasks is read too.
"""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from jules_job_manager.adapters.private_paths import narrow
from jules_job_manager.adapters.storage.private_files import make_private, refused
from jules_job_manager.domain.activity import Activity
from jules_job_manager.domain.artifact import artifact_from_dict
from jules_job_manager.domain.clockwork import from_rfc3339
from jules_job_manager.domain.event import Event, NewEvent
from jules_job_manager.domain.plan import Plan
from jules_job_manager.domain.task import JulesTask
from jules_job_manager.errors import DamagedStoreError, StoreError, StoreUnavailableError
from jules_job_manager.ports.clock import Clock
from jules_job_manager.ports.event_log import Listener

VERSION = 1
BUSY_SECONDS = 30.0
"""Longest wait for another program that writes."""
_MEMBERS = {"tasks": list, "activities": dict, "plans": dict, "patches": dict, "events": list, "notes": dict}  # fmt: skip


@dataclass(kw_only=True, slots=True)
class Contents:
    """What the file holds, as JSON values except for the tasks and events, which are checked."""

    tasks: dict[str, JulesTask] = field(default_factory=dict)
    activities: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    plans: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    patches: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    notes: dict[str, str] = field(default_factory=dict)

    def copied(self) -> Contents:
        """Return the same, whose dicts and lists may be changed; what is in them stays shared."""
        return Contents(
            tasks={**self.tasks}, events=[*self.events], notes={**self.notes},
            activities=_lists_of(self.activities), plans=_lists_of(self.plans),
            patches=_lists_of(self.patches),
        )  # fmt: skip

    def to_dict(self) -> dict[str, Any]:
        """Return the whole as JSON values."""
        return {
            "version": VERSION,
            "tasks": [task.to_dict() for task in self.tasks.values()],
            "activities": self.activities,
            "plans": self.plans,
            "patches": self.patches,
            "events": [event.to_dict() for event in self.events],
            "notes": self.notes,
        }


def _lists_of(found: dict[str, list[dict[str, Any]]]) -> dict[str, list[dict[str, Any]]]:
    return {name: [*items] for name, items in found.items()}


class JsonFile:
    """The file. Readers need no lock, because it is only ever replaced whole."""

    def __init__(self, path: Path, clock: Clock) -> None:
        """Name the file; `clock` names the copy of a damaged one."""
        self.path = path
        self._clock = clock
        self._read: tuple[tuple[int, int, int], Contents] | None = None
        self.listeners: list[Listener] = []
        """Who is told of events that were written through this object."""

    def create(self) -> None:
        """Make the file and its folder when missing, and look whether it can be read.

        Raises:
            StoreError: it cannot be made, or a newer version wrote it.
            DamagedStoreError: it was damaged and is now kept under another name.
        """
        with self._locked():
            if not self.path.exists():
                make_private(self.path)
                self._replace(Contents())
            narrow(self.path)
            self._load()

    def look(self) -> Contents:
        """Return what is there now, and leave the file as it is whatever it holds.

        Raises:
            StoreError: there is none, or it cannot be read.
        """
        if not self.path.exists():
            raise StoreError(f"There is no store {self.path}.")
        return self._load(put_aside=False)

    def read(self) -> Contents:
        """Return what is there now. The caller must not change it.

        Raises:
            StoreError, DamagedStoreError: it cannot be read.
        """
        try:
            return self._load(put_aside=False)
        except DamagedStoreError:  # put aside by one program at a time
            with self._locked():
                return self._load()

    @contextlib.contextmanager
    def changing(self) -> Iterator[Contents]:
        """Yield what is there for changing, under the lock; it is written when the block ends well.

        Raises:
            StoreError, DamagedStoreError: it cannot be read or written.
            StoreUnavailableError: another program does not let go of it.
        """
        with self._locked():
            contents = self._load().copied()  # others are reading what was loaded
            before = len(contents.events)
            yield contents
            self._replace(contents)
        self._tell(contents.events[before:])

    def _tell(self, events: Sequence[Event]) -> None:
        if not events:
            return
        written = [
            NewEvent(type=e.type, subject=e.subject, at=e.at, actor=e.actor, data=e.data)
            for e in events
        ]
        for listener in self.listeners:
            listener(written)

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            lock = FileLock(f"{self.path}.lock", mode=0o600)
            lock.acquire(timeout=BUSY_SECONDS)
        except Timeout as exc:
            raise StoreUnavailableError(
                f"The store {self.path} is busy with another program.",
                hint="Try again in a moment.",
            ) from exc
        except OSError as exc:
            raise refused(self.path, exc) from exc
        try:
            yield
        finally:
            lock.release()

    def _load(self, *, put_aside: bool = True) -> Contents:
        try:
            found = self.path.stat()
            stamp = (found.st_ino, found.st_mtime_ns, found.st_size)
            if self._read is not None and self._read[0] == stamp:
                return self._read[1]
            text = self.path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return Contents()
        except OSError as exc:
            raise StoreError(
                f"The store {self.path} cannot be read: {exc.strerror}.",
                hint="Make it readable, or set JJM_HOME to another folder.",
            ) from exc
        except UnicodeDecodeError as exc:
            raise self._damaged("it is not UTF-8 text", put_aside=put_aside) from exc
        try:
            contents = _checked(json.loads(text), self.path)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as exc:
            raise self._damaged(_words(exc), put_aside=put_aside) from exc
        self._read = (stamp, contents)
        return contents

    def _damaged(self, why: str, *, put_aside: bool) -> DamagedStoreError:
        if not put_aside:
            return DamagedStoreError(f"The store {self.path} is damaged ({why}).")
        stamp = f"{self._clock.now():%Y%m%dT%H%M%S%f}"
        aside = self.path.with_name(f"{self.path.name}.damaged-{stamp}")
        try:
            self.path.rename(aside)
        except OSError as exc:
            return DamagedStoreError(
                f"The store {self.path} is damaged ({why}) and cannot be put aside: {exc.strerror}."
            )
        return DamagedStoreError(
            f"The store {self.path} was damaged ({why}); it is kept as {aside}.",
            hint="The next command begins a new store; mend the old one and put it back to go on with it.",
        )

    def _replace(self, contents: Contents) -> None:
        temporary: Path | None = None
        try:
            handle, name = tempfile.mkstemp(dir=self.path.parent, prefix=f".{self.path.name}.")
            temporary = Path(name)
            with os.fdopen(handle, "w", encoding="ascii") as stream:
                json.dump(contents.to_dict(), stream, separators=(",", ":"))
                stream.flush()
                os.fsync(stream.fileno())
            temporary.replace(self.path)
            temporary = None
            _sync_folder(self.path.parent)
        except OSError as exc:
            raise refused(self.path, exc) from exc
        finally:
            if temporary is not None:
                with contextlib.suppress(OSError):
                    temporary.unlink()


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _checked(data: Any, path: Path) -> Contents:
    if not isinstance(data, dict) or "tasks" not in data:
        raise ValueError("it has no list of tasks")
    version = data.get("version", VERSION)
    if isinstance(version, int) and version > VERSION:
        raise StoreError(
            f"The store {path} was made by a newer version (form {version}).",
            hint="Update jjm, or set JJM_HOME to another folder.",
        )
    for name, kind in _MEMBERS.items():
        if not isinstance(data.get(name, kind()), kind):
            raise TypeError(f"{name} is not a {'list' if kind is list else 'mapping'}")
    tasks = [JulesTask.from_dict(item) for item in data["tasks"]]
    contents = Contents(
        tasks={task.id: task for task in tasks},
        activities=data.get("activities", {}),
        plans=data.get("plans", {}),
        patches=data.get("patches", {}),
        events=[_event(item) for item in data.get("events", [])],
        notes=data.get("notes", {}),
    )
    if len(contents.tasks) != len(tasks):
        raise ValueError("two tasks have one id")
    _check_parts(contents)
    return contents


def _check_parts(contents: Contents) -> None:
    for kept, read in (
        (contents.activities, Activity.from_dict),
        (contents.plans, Plan.from_dict),
        (contents.patches, artifact_from_dict),
    ):
        for items in kept.values():
            for item in items:
                read(item)
    patches = [item for items in contents.patches.values() for item in items]
    if any(item.get("kind") != "change_set" for item in patches):
        raise ValueError("a patch is no change set")
    if any(not isinstance(value, str) for value in contents.notes.values()):
        raise TypeError("a note is not a text")
    ids = [event.id for event in contents.events]
    if ids != sorted(set(ids)):
        raise ValueError("the events are out of order")


def _event(item: dict[str, Any]) -> Event:
    return Event(
        id=int(item["id"]),
        type=str(item["type"]),
        subject=str(item["subject"]),
        at=from_rfc3339(item["at"]),
        actor=str(item["actor"]),
        data=dict(item["data"]),
    )


def _words(exc: Exception) -> str:
    if isinstance(exc, json.JSONDecodeError):
        return f"it is not JSON at line {exc.lineno}"
    if isinstance(exc, KeyError):
        return f"{exc} is missing"
    if isinstance(exc, AttributeError | RecursionError):
        return "a part of it has the wrong form"
    return str(exc).splitlines()[0]
