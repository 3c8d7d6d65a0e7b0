"""While PostgreSQL is away a local store stands in; what it holds is merged back, once and whole."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from tests.contract.stores.filling import (
    NOW,
    event,
    fill,
    fill_access,
    fill_queue,
    some_tasks,
)

from jules_job_manager.adapters.storage.fallback import fallback_path
from jules_job_manager.adapters.storage.opening import open_sqlite, open_store
from jules_job_manager.adapters.storage.sql import merging
from jules_job_manager.domain.access import ApiKey, Role
from jules_job_manager.domain.activity import Activity, ActivityKind
from jules_job_manager.domain.audit import NewAuditEntry, Verification
from jules_job_manager.domain.event import EventType, NewEvent
from jules_job_manager.domain.job import Attempt, AttemptState, Job, JobStatus
from jules_job_manager.domain.task import ChatMessage, JulesTask, TaskStatus
from jules_job_manager.errors import StoreError, StoreUnavailableError
from jules_job_manager.ports.task_store import TaskQuery

pytestmark = pytest.mark.integration

AWAY = "postgresql://jjm:hunter2@127.0.0.1:1/jjm"


@pytest.fixture
async def there(make_arguments):
    """What opens the database, with the fallback on."""
    return {**await make_arguments("postgresql"), "fallback": "local"}


@pytest.fixture
async def away(there):
    """What opens the fallback of the same database."""
    return {**there, "database_url": AWAY}


async def test_the_way_there_and_back(there, away):
    """Every command says where it works; the first that reaches the database merges, once."""
    store = await open_store(**away)
    assert "hunter2" not in store.warning
    assert str(fallback_path(there["data_path"])) in store.warning
    await fill(store, jobs=True)
    await store.aclose()
    store = await open_store(**there)
    assert "1204 tasks" in store.warning
    assert "9 task_events" in store.warning
    assert 9 == len(await store.events.read())
    assert 5 == len(await store.tasks.list_activities("x\0")) + len(await store.tasks.list_activities("00001"))  # fmt: skip
    assert 6 == len(await store.tasks.list_plans("x\0"))
    assert (3, 2, 1) == (
        len(await store.jobs.list_jobs()),
        len(await store.jobs.list_attempts()),
        len(await store.jobs.list_reviews("a")),
    )
    assert ("1", "2") == (await store.get_note("b"), await store.get_note("a\0"))
    await store.aclose()
    again = await open_store(**there)
    assert "" == again.warning
    assert 9 == len(await again.events.read())
    await again.aclose()


async def test_both_sides_are_kept(there, away):
    """A task both have takes the later state, and the words, activities and plans of both."""
    store = await open_store(**there)
    whole = some_tasks(0)[-1]
    said = ChatMessage(content="before", timestamp=NOW)
    await store.tasks.save_tasks([replace(whole, chat_history=(said,)), JulesTask(id="2", seen_at=NOW + timedelta(hours=1), title="later")])  # fmt: skip
    known = Activity(id="known", task_id=whole.id, kind=ActivityKind.UNKNOWN)
    await store.tasks.add_activities(whole.id, [known])
    await store.aclose()

    store = await open_store(**away)
    answer = ChatMessage(content="while away", timestamp=NOW + timedelta(minutes=1))
    later = replace(
        whole, status=TaskStatus.COMPLETED, seen_at=NOW + timedelta(minutes=2),
        chat_history=(said, answer, answer), plan=None, source_files=(), outputs=(),
    )  # fmt: skip
    await store.tasks.save_tasks([later, JulesTask(id="2", seen_at=NOW, title="earlier")])
    new = replace(known, id="new")
    await store.tasks.add_activities(whole.id, [known, new])
    await store.aclose()

    store = await open_store(**there)
    task = await store.tasks.get_task(whole.id)
    assert task is not None
    assert (TaskStatus.COMPLETED, (said, answer, answer)) == (task.status, task.chat_history)
    assert (whole.plan, whole.source_files) == (task.plan, task.source_files)
    assert ["known", "new"] == [a.id for a in await store.tasks.list_activities(whole.id)]
    assert 1 == len(await store.tasks.list_patches(whole.id))
    assert "later" == getattr(await store.tasks.get_task("2"), "title", None)
    await store.aclose()


async def test_what_was_deleted_stays_deleted(there, away):
    """A task deleted while the database was away goes there too, unless it came back."""
    store = await open_store(**there)
    await store.tasks.save_tasks([JulesTask(id="1"), JulesTask(id="2")])
    await store.aclose()
    store = await open_store(**away)
    deleted = [NewEvent(type=EventType.TASK_DELETED, subject=f"task:{n}", at=NOW) for n in (1, 2)]
    await store.events.append(deleted)
    await store.tasks.save_tasks([JulesTask(id="2")])
    await store.aclose()
    store = await open_store(**there)
    page = await store.tasks.list_tasks(TaskQuery())
    assert ["2"] == [task.id for task in page.tasks]
    await store.aclose()


async def test_jobs_that_both_sides_began(there, away):
    """Attempts of both are kept; two tasks at work for one job wait for a person."""
    store = await open_store(**there)
    await store.jobs.save_jobs([Job(key="a"), Job(key="b", title="as it was"), Job(key="c")])
    for key in "ac":
        await store.jobs.save_attempt(Attempt(mark=f"t{key}", job_key=key, number=1))
    await store.aclose()
    store = await open_store(**away)
    await fill_queue(store, "ab")
    await store.jobs.save_attempt(
        Attempt(mark="mb", job_key="b", number=1, state=AttemptState.LIVE)
    )
    await store.jobs.save_jobs([Job(key="c", title="only imported")])
    await store.aclose()
    store = await open_store(**there)
    jobs = {job.key: job for job in await store.jobs.list_jobs()}
    assert JobStatus.NEEDS_YOU is jobs["a"].status
    assert "also begun as task 00001" in jobs["a"].reason
    assert "t\0" == jobs["b"].title  # begun only while away
    assert "" == jobs["c"].title  # begun only before
    attempts = await store.jobs.list_attempts("a")
    assert [("m1ab", 2, "failed"), ("m2ab", 3, "abandoned"), ("ta", 1, "intended")] == sorted(
        (a.mark, a.number, a.state.value) for a in attempts
    )
    assert ["mb"] == [a.mark for a in await store.jobs.list_attempts("b")]
    await store.aclose()


@pytest.mark.parametrize("where", ["before", "after"])
async def test_a_merge_that_is_cut_off_is_repeated(there, away, monkeypatch, where):
    """Cut off before or after the database committed, the next merge loses and doubles nothing."""
    store = await open_store(**away)
    await fill(store, jobs=True)
    await store.aclose()

    async def cut(*_args):
        raise StoreError("cut off")

    with monkeypatch.context() as patch:
        target = (merging, "_take_away") if where == "after" else (merging._Merge, "_merge_notes")
        patch.setattr(*target, cut)
        with pytest.raises(StoreError, match="cut off"):
            await open_store(**there)
    plain = await open_store(**{**there, "fallback": "error"})
    assert "jjm storage merge-fallback" in plain.warning
    assert (9 if where == "after" else 0) == len(await plain.events.read())
    await plain.aclose()
    store = await open_store(**there)
    assert 9 == len(await store.events.read())
    assert (3, 2, 1) == (
        len(await store.jobs.list_jobs()),
        len(await store.jobs.list_attempts()),
        len(await store.jobs.list_reviews("a")),
    )
    assert 3 == len(getattr(await store.tasks.get_task("x\0"), "chat_history", ()))
    await store.aclose()


async def test_a_second_absence(there, away):
    """A store that was merged is used again; only what is new in it is merged."""
    for number in range(3):
        store = await open_store(**away)
        await store.events.append([event(number)])
        await store.aclose()
        store = await open_store(**there)
        assert "1 task_events" in store.warning
        assert number + 1 == len(await store.events.read())
        await store.aclose()


async def test_a_program_that_still_writes_locally(there, away):
    """What is written to the local store after a merge is merged the next time."""
    still = await open_store(**away)
    await still.events.append([event(1)])
    await (await open_store(**there)).aclose()
    await still.events.append([event(2)])
    await still.aclose()
    store = await open_store(**there)
    assert ["task:1", "task:2"] == [found.subject for found in await store.events.read()]
    await store.aclose()


async def test_without_the_fallback_nothing_is_merged_by_itself(there, away):
    """The default stays a clear error, and a warning while something waits to be merged."""
    with pytest.raises(StoreUnavailableError):
        await open_store(**{**away, "fallback": "error"})
    store = await open_store(**away)
    await store.aclose()
    quiet = await open_store(**{**there, "fallback": "error"})
    assert "" == quiet.warning
    await quiet.aclose()
    local = await open_sqlite(fallback_path(there["data_path"]))
    await local.events.append([event(1)])
    await local.aclose()
    warned = await open_store(**{**there, "fallback": "error"})
    assert "merge it with" in warned.warning
    await warned.aclose()


async def test_keys_and_the_audit_log_come_back(there, away):
    """Keys once, an end that was made here too; entries at the end of the chain, once, and it stays whole."""
    store = await open_store(**there)
    await store.access.keys.add(
        ApiKey(id="key0", name="n", role=Role.VIEWER, digest="d", created_at=NOW, created_by="me"),
        audit=[NewAuditEntry(at=NOW, actor="before", kind="local", operation="key.create")],
    )
    await store.aclose()
    for round_number in (1, 2):
        store = await open_store(**away)
        if round_number == 1:
            await fill_access(store)
            await store.access.keys.end("key0", revoked_at=NOW)
        else:
            await store.audit.append(
                [NewAuditEntry(at=NOW, actor="later", kind="local", operation="x.y")]
            )
        await store.aclose()
        store = await open_store(**there)
        assert "audit_log" in store.warning
        await store.aclose()
        again = await open_store(**there)
        assert "" == again.warning
        entries = await again.audit.read()
        actors = ["before", "me", "me", "later"][: 2 + round_number]
        assert actors == [entry.actor for entry in entries]
        chain = Verification()
        for entry in entries:
            chain = chain.after(entry)
        assert () == chain.ended().problems
        keys = {key.id: key for key in await again.access.keys.list_keys()}
        assert ({"key0", "key1"}, NOW) == (set(keys), keys["key0"].revoked_at)
        await again.aclose()
