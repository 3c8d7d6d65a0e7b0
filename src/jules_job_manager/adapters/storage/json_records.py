"""Records of a JSON file store."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence

from jules_job_manager.adapters.storage.json_file import Contents
from jules_job_manager.adapters.storage.patches import patch_digest
from jules_job_manager.adapters.storage.records import BATCH, Record
from jules_job_manager.domain.activity import Activity
from jules_job_manager.domain.artifact import ChangeSet, artifact_from_dict
from jules_job_manager.domain.clockwork import from_rfc3339
from jules_job_manager.domain.event import Event
from jules_job_manager.domain.plan import Plan
from jules_job_manager.domain.task import JulesTask
from jules_job_manager.domain.text import storable_text

_PARTS = {"chat_messages": ("chat_history", "message"), "source_files": ("source_files", "file")}
_KEPT = {"activities": "activity", "plans": "plan", "patches": "change_set"}
_OF_TASK = ("id", "repository", "branch", "url", "raw_state", "working_branch", "backend")


class JsonRecords:
    """The RecordSource and RecordTarget of contents in memory; the caller writes the file."""

    def __init__(self, contents: Contents, location: str) -> None:
        """Use contents that only the caller changes."""
        self.contents = contents
        self.location = location

    async def read(self, table: str) -> AsyncIterator[list[Record]]:
        """Yield the table's records in batches."""
        records = list(self._records(table))
        for start in range(0, len(records), BATCH):
            yield records[start : start + BATCH]

    def _records(self, table: str) -> Iterator[Record]:
        contents = self.contents
        if table == "tasks":
            yield from (_task_record(task) for task in contents.tasks.values())
        elif table in _PARTS:
            member, column = _PARTS[table]
            for task in contents.tasks.values():
                for place, item in enumerate(task.to_dict()[member]):
                    yield {"task_id": storable_text(task.id), "position": place, column: item}
        elif table in _KEPT:
            for task_id, items in getattr(contents, table).items():
                if task_id in contents.tasks:
                    yield from _kept_records(table, storable_text(task_id), items)
        elif table == "task_events":
            yield from (_event_record(event) for event in contents.events)
        elif table == "notes":
            yield from (
                {"name": storable_text(name), "value": storable_text(value)}
                for name, value in contents.notes.items()
            )

    async def write(self, table: str, records: Sequence[Record]) -> None:
        """Add records to the table."""
        for record in records:
            self._write(table, record)

    def _write(self, table: str, record: Record) -> None:
        contents = self.contents
        if table == "tasks":
            contents.tasks[record["id"]] = JulesTask.from_dict(record)
        elif table in _PARTS:
            member, column = _PARTS[table]
            data = contents.tasks[record["task_id"]].to_dict()
            data[member].append(record[column])
            contents.tasks[record["task_id"]] = JulesTask.from_dict(data)
        elif table in _KEPT:
            kept = getattr(contents, table)
            kept.setdefault(record["task_id"], []).append(record[_KEPT[table]])
        elif table == "task_events":
            contents.events.append(Event(**{**record, "at": from_rfc3339(record["at"])}))
        elif table == "notes":
            contents.notes[record["name"]] = record["value"]
        else:
            raise ValueError(f"a JSON file keeps no {table}")


def _task_record(task: JulesTask) -> Record:
    record = task.to_dict()
    for member in ("chat_history", "source_files"):
        del record[member]
    return {**record, **{name: storable_text(record[name]) for name in _OF_TASK}}


def _kept_records(table: str, task_id: str, items: Sequence[Record]) -> Iterator[Record]:
    seen: set[str] = set()
    for item in items:
        name, key = _identity(table, item)
        if key not in seen:  # a file made by hand may repeat itself
            yield {"task_id": task_id, name: key, "position": len(seen), _KEPT[table]: item}
            seen.add(key)


def _identity(table: str, item: Record) -> tuple[str, str]:
    if table == "activities":
        return "id", storable_text(Activity.from_dict(item).id)
    if table == "plans":
        return "fingerprint", Plan.from_dict(item).fingerprint
    patch = artifact_from_dict(item)
    assert isinstance(patch, ChangeSet)
    return "sha256", patch_digest(patch)


def _event_record(event: Event) -> Record:
    record = event.to_dict()
    return {
        **record,
        **{name: storable_text(record[name]) for name in ("type", "subject", "actor")},
    }
