"""Moves everything from one store into another, empty one, and proves that it arrived."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from jules_job_manager.adapters.storage.json_file import Contents, JsonFile
from jules_job_manager.adapters.storage.json_records import JsonRecords
from jules_job_manager.adapters.storage.records import (
    ACCESS_TABLES,
    QUEUE_TABLES,
    TABLES,
    Extent,
    RecordSource,
    RecordTarget,
    extents,
)
from jules_job_manager.errors import InvalidInputError, StoreError
from jules_job_manager.ports.clock import Clock


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """Where a store is. `address` is a file, or the address of a PostgreSQL database."""

    kind: str
    address: str


def place_from(text: str, *, sqlite: str, json: str, postgresql: str) -> Place:
    """Read what a person writes for a store.

    Args:
        text: `json:FILE`, `sqlite:FILE`, `postgresql://…`, or a kind alone for the usual place.
        sqlite: The usual SQLite file.
        json: The usual JSON file.
        postgresql: The configured address; may be empty.

    Raises:
        InvalidInputError: it is none of these.
    """
    if text.startswith(("postgresql://", "postgres://")):
        return Place(kind="postgresql", address=text)
    kind, _, path = text.partition(":")
    usual = {"sqlite": sqlite, "json": json, "postgresql": postgresql}
    if kind not in usual or (kind == "postgresql" and path):
        raise InvalidInputError(
            f"{text!r} is not a store.",
            hint="Write json:FILE, sqlite:FILE or postgresql://USER@host/name, or json, sqlite or postgresql for the usual place.",
        )
    address = path or usual[kind]
    if not address:
        raise InvalidInputError(
            "There is no address of a PostgreSQL database.",
            hint="Set DATABASE_URL, or write postgresql://USER@host/name.",
        )
    return Place(kind=kind, address=address if kind == "postgresql" else str(_resolved(address)))


async def look(
    source: Place, target: Place, *, clock: Clock, leave_audit: bool = False
) -> Mapping[str, Extent]:
    """Return what `move` would move, by table; nothing is opened for writing.

    Raises:
        InvalidInputError, StoreError: as `move`, as far as the source alone tells.
    """
    if source == target:
        raise InvalidInputError("The two stores are one and the same.")
    async with _source(source, clock) as sender:
        sent = _moved(await extents(sender), target, leave_audit)
    _refuse_losses(sent, target)
    return sent


async def move(
    source: Place,
    target: Place,
    *,
    clock: Clock,
    report: Callable[[str], None],
    leave_audit: bool = False,
) -> Mapping[str, Extent]:
    """Copy everything, compare counts and contents, and only then keep it.

    The source is read as it stands at one instant and is not changed. The target is filled in one
    transaction: when this is ended at any instant, it is as empty as before.

    Args:
        source: A store of the newest schema.
        target: A store without any data; it is made when missing.
        clock: For stores that are opened.
        report: Told the name of each table before it is copied.
        leave_audit: Let the audit log stay behind where the target, a JSON file, keeps none.

    Returns:
        What was moved, by table.

    Raises:
        InvalidInputError: both are one store, or the target holds data.
        StoreError: a store cannot be opened, the target cannot hold what there is, or what
            arrived is not what was sent. Nothing was changed then.
    """
    if source == target:
        raise InvalidInputError("The two stores are one and the same.")
    async with _source(source, clock) as sender:
        sent = _moved(await extents(sender), target, leave_audit)
        _refuse_losses(sent, target)
        async with _target(target, clock) as receiver:
            for table in TABLES:
                if not sent[table].count:
                    continue
                report(table)
                async for records in sender.read(table):
                    await receiver.write(table, records)
            _require_equal(sent, await extents(receiver), receiver.location)
    return sent


def _moved(found: Mapping[str, Extent], target: Place, leave_audit: bool) -> Mapping[str, Extent]:
    if target.kind != "json" or not leave_audit:
        return found
    return {**found, "audit_log": Extent(count=0, digest=0)}


def _refuse_losses(sent: Mapping[str, Extent], target: Place) -> None:
    count = sum(sent[table].count for table in QUEUE_TABLES)
    if target.kind == "json" and count:
        jobs, endpoints = sent["jobs"].count, sent["webhook_endpoints"].count
        webhooks = f", and {endpoints} webhook endpoints" if endpoints else ""
        raise StoreError(
            f"A JSON file keeps no jobs, and {jobs} would be lost{webhooks}.",
            hint="Move to sqlite or postgresql, or remove the jobs first.",
        )
    if target.kind == "json" and any(sent[table].count for table in ACCESS_TABLES):
        keys, entries = (sent[table].count for table in ACCESS_TABLES)
        raise StoreError(
            f"A JSON file keeps no keys and no audit log: {keys} keys and {entries} entries would be lost.",
            hint="Move to sqlite or postgresql."
            + ("" if keys else " Or add --leave-audit: the log stays in the old store."),
        )


def _require_equal(
    sent: Mapping[str, Extent], arrived: Mapping[str, Extent], location: str
) -> None:
    wrong = [table for table in TABLES if sent[table] != arrived[table]]
    if wrong:
        raise StoreError(
            f"What arrived in {location} is not what was sent ({', '.join(wrong)}); nothing was kept.",
            hint="Report this; the source is unharmed.",
        )


@asynccontextmanager
async def _source(place: Place, clock: Clock) -> AsyncIterator[RecordSource]:
    if place.kind == "json":
        file = JsonFile(Path(place.address), clock)
        yield JsonRecords(await asyncio.to_thread(file.look), place.address)
        return
    from jules_job_manager.adapters.storage.opening import engine_of_existing
    from jules_job_manager.adapters.storage.sql.records import reading

    engine = await engine_of_existing(place.kind, place.address)
    try:
        async with reading(engine) as records:
            yield records
    finally:
        await engine.dispose()


@asynccontextmanager
async def _target(place: Place, clock: Clock) -> AsyncIterator[RecordTarget]:
    if place.kind == "json":
        async with _json_target(place, clock) as records:
            yield records
        return
    from jules_job_manager.adapters.storage.opening import open_postgresql, open_sqlite
    from jules_job_manager.adapters.storage.sql.records import writing

    if place.kind == "sqlite":
        store = await open_sqlite(Path(place.address))
    else:
        store = await open_postgresql(place.address)
    try:
        async with writing(store.engine) as records:
            if not await records.is_empty():
                raise _not_empty(store.location)
            yield records
    finally:
        await store.aclose()


@asynccontextmanager
async def _json_target(place: Place, clock: Clock) -> AsyncIterator[RecordTarget]:
    file = JsonFile(Path(place.address), clock)
    await asyncio.to_thread(file.create)
    contents = Contents()
    yield JsonRecords(contents, place.address)
    await asyncio.to_thread(_write_if_empty, file, contents)
    again = await asyncio.to_thread(JsonFile(file.path, clock).look)
    if again != contents:
        raise StoreError(
            f"What was written to {file.path} does not read the same; do not use it.",
            hint="Report this; the source is unharmed.",
        )


def _write_if_empty(file: JsonFile, contents: Contents) -> None:
    with file.changing() as there:
        if there != Contents():
            raise _not_empty(str(file.path))
        for name in ("tasks", "activities", "plans", "patches", "events", "notes"):
            setattr(there, name, getattr(contents, name))


def _not_empty(location: str) -> InvalidInputError:
    return InvalidInputError(
        f"The store {location} holds data already; nothing was moved.",
        hint="Name an empty or new one.",
    )


def _resolved(path: str) -> Path:
    return Path(path).expanduser().resolve()
