"""Watching the tasks of an account: what it costs, what is noticed, and when."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from tests.clocks import FakeClock

from jules_job_manager.domain.activity import Activity, ActivityKind
from jules_job_manager.domain.clockwork import to_rfc3339
from jules_job_manager.domain.event import EventType
from jules_job_manager.domain.task import JulesTask, TaskStatus
from jules_job_manager.errors import BackendConnectionError, TaskNotFoundError
from jules_job_manager.ports.backend import Capability
from jules_job_manager.services.observer import INTERVALS, LIST_ALL_EVERY, MOST_LISTED, Observer
from jules_job_manager.services.tasks import LAST_LOOK_NOTE, TaskService

pytestmark = pytest.mark.integration
START = datetime(2026, 11, 24, tzinfo=UTC)
WORKING, DONE = TaskStatus.IN_PROGRESS, TaskStatus.COMPLETED


class Jules:
    """One account of a pretend Jules that counts what it is asked."""

    def __init__(self, clock: FakeClock, *, name: str = "rest", without=()) -> None:
        self.name, self.clock = name, clock
        self.capabilities = frozenset(Capability) - set(without)
        self.tasks: dict[str, JulesTask] = {}
        self.told: dict[str, list[Activity]] = {}
        self.pages = 0
        self.read: list[str] = []
        self.asked: list[str] = []
        self.cursors: list[str | None] = []
        self.away = False

    def put(self, task_id: str, status: TaskStatus = WORKING, *, made: datetime | None = None):
        """Make a task, or change it as something happens in it."""
        known, now = self.tasks.get(task_id), self.clock.now()
        made = made or (known.created_at if known else now)
        self.tasks[task_id] = JulesTask(
            id=task_id, status=status, raw_state=status.value, created_at=made, updated_at=now
        )

    def tell(self, task_id: str, name: str, *, at: datetime | None = None, kind=None) -> None:
        """Let something happen in a task that changes no word of its list entry."""
        at = at or self.clock.now()
        kind = kind or ActivityKind.PROGRESS_UPDATED
        told = Activity(id=name, task_id=task_id, kind=kind, message=name, created_at=at,
                        created_at_raw=at.isoformat())  # fmt: skip
        self.told.setdefault(task_id, []).append(told)

    async def iter_tasks(self, *, include_archived=False):
        if self.away:
            raise BackendConnectionError("Jules is away.")
        newest = sorted(self.tasks.values(), key=lambda t: (t.created_at, t.id), reverse=True)
        for number, task in enumerate(newest):
            self.pages += number % 100 == 0
            yield task

    async def get_task(self, task_id):
        self.asked.append(task_id)
        if task_id not in self.tasks:
            raise TaskNotFoundError(task_id)
        return self.tasks[task_id]

    async def list_activities(self, task_id, *, after=None):
        self.read.append(task_id)
        self.cursors.append(after)
        if task_id not in self.tasks:
            raise TaskNotFoundError(task_id)
        return [a for a in self.told.get(task_id, []) if not after or a.created_at_raw > after]


class Watch:
    """An observer, the account it looks at, and the store."""

    def __init__(self, store, *, clock=None, name="rest", without=(), **options) -> None:
        self.store, self.clock = store, clock or FakeClock(START)
        self.jules = Jules(self.clock, name=name, without=without)
        tasks = TaskService(backend=self.jules, store=store, clock=self.clock)
        self.observer = Observer(
            backend=self.jules, tasks=tasks, store=store, clock=self.clock, **options
        )

    async def look(self, *watched: str, since=None):
        """Look once; forget what was asked before."""
        self.jules.pages, self.jules.read, self.jules.asked = 0, [], []
        return await self.observer.look(watched, since=since or {})

    async def events(self, kind: EventType):
        return [e for e in await self.store.events.read(limit=1000) if e.type == kind]


@pytest.fixture
def watch(store):
    return Watch(store)


async def test_one_list_call_for_every_hundred_tasks(watch):
    """Sixty watched tasks among 250 of the day cost three pages, and no call for each."""
    for number in range(250):
        watch.jules.put(f"{number:03}")
    watched = [f"{number:03}" for number in range(60)]
    await watch.look(*watched)
    look = await watch.look(*watched)
    assert (3, [], []) == (watch.jules.pages, watch.jules.read, watch.jules.asked)
    assert (60, 250, 250) == (len(look.tasks), len(look.starts), look.at_work)


async def test_lists_are_read_no_further_than_they_matter(watch):
    """Once everything watched and the whole window were seen, older pages are left alone."""
    for number in range(450):
        watch.jules.put(f"{number:03}", DONE, made=START - timedelta(days=2, minutes=number))
    watch.jules.put("new")
    first = await watch.look("new")
    second = await watch.look("new")
    assert (True, False, 1) == (first.is_complete, second.is_complete, watch.jules.pages)
    watch.clock.advance(LIST_ALL_EVERY.total_seconds())
    assert (await watch.look("new")).is_complete
    assert 5 == watch.jules.pages


async def test_no_more_than_the_newest_thousand_are_listed(watch):
    """A watched task further back is asked for by itself."""
    for number in range(MOST_LISTED + 150):
        watch.jules.put(f"{number:04}", made=START - timedelta(seconds=number))
    look = await watch.look("1100")
    assert (10, ["1100"], ["1100"]) == (watch.jules.pages, watch.jules.asked, watch.jules.read)
    assert WORKING is look.tasks["1100"].status


async def test_activities_are_read_only_of_tasks_that_changed(watch):
    """A task whose list entry is the same as before costs nothing."""
    for task_id in ("a", "b", "c"):
        watch.jules.put(task_id)
    await watch.look("a", "b", "c")
    assert ["a", "b", "c"] == watch.jules.read
    watch.clock.advance(10)
    watch.jules.put("b")
    watch.jules.put("other")
    await watch.look("a", "b", "c")
    assert ["b"] == watch.jules.read


async def test_what_was_sent_to_a_task_has_it_read_at_the_next_look(watch):
    """A message of ours is seen in the conversation without waiting for the list to change."""
    watch.jules.put("a")
    await watch.look("a")
    watch.observer.touched("a")
    await watch.look("a")
    assert ["a"] == watch.jules.read
    await watch.look("a")
    assert [] == watch.jules.read


@pytest.mark.parametrize("status", sorted(INTERVALS))
async def test_a_task_that_seems_unchanged_is_read_after_its_interval(watch, status):
    """The list may lag, so each status has a longest time without a look at the task itself."""
    watch.jules.put("a", status)
    await watch.look("a")
    watch.clock.advance(INTERVALS[status].total_seconds() - 1)
    watch.jules.tell("a", "unlisted")
    await watch.look("a")
    assert [] == watch.jules.read
    watch.clock.advance(1)
    await watch.look("a")
    assert ["a"] == watch.jules.read
    assert ["unlisted"] == [a.id for a in await watch.store.tasks.list_activities("a")]


async def test_only_what_is_later_than_the_cursor_is_asked_for_and_told_once(watch):
    """What is known already is not asked for again, and each thing gives one event."""
    watch.jules.put("a")
    for seconds in range(50):
        watch.jules.tell("a", f"n{seconds}", at=START + timedelta(seconds=seconds))
    await watch.look("a")
    for seconds in (60, 70):
        watch.clock.advance(10)
        watch.jules.tell("a", f"n{seconds}", at=START + timedelta(seconds=seconds))
        watch.jules.put("a")
        await watch.look("a")
    assert watch.jules.cursors[-1] is not None
    assert watch.jules.cursors[-1] > (START + timedelta(seconds=48)).isoformat()
    seen = [event.data["activity_id"] for event in await watch.events(EventType.ACTIVITY_SEEN)]
    assert [*(f"n{number}" for number in range(50)), "n60", "n70"] == seen


async def test_things_of_one_moment_are_all_seen_and_once(watch):
    """One that appears after the look, with the very time of the newest known, is not lost."""
    watch.jules.put("a")
    watch.jules.tell("a", "before", at=START - timedelta(seconds=5))
    watch.jules.tell("a", "one", at=START)
    await watch.look("a")
    watch.jules.tell("a", "two", at=START)
    watch.clock.advance(10)
    watch.jules.put("a")
    await watch.look("a")
    watch.clock.advance(10)
    watch.jules.put("a")
    await watch.look("a")
    seen = [event.data["activity_id"] for event in await watch.events(EventType.ACTIVITY_SEEN)]
    assert ["before", "one", "two"] == seen


async def test_a_thing_that_is_told_twice_gives_one_event(watch):
    """A page may repeat what the last one held."""
    watch.jules.put("a")
    watch.jules.tell("a", "one")
    watch.jules.told["a"] *= 2
    await watch.look("a")
    assert 1 == len(await watch.events(EventType.ACTIVITY_SEEN))


async def test_a_finished_task_that_revives_is_at_work_again(watch):
    """COMPLETED is not the end: a changed list entry has the task read, and the event says so."""
    watch.jules.put("a", DONE)
    assert 0 == (await watch.look("a")).at_work
    watch.clock.advance(30)
    watch.jules.put("a", WORKING)
    look = await watch.look("a")
    assert (1, WORKING) == (look.at_work, look.tasks["a"].status)
    (event,) = await watch.events(EventType.TASK_STATE_CHANGED)
    assert ("completed", "in_progress") == (event.data["before"], event.data["after"])


async def test_a_state_that_lags_behind_its_activities_is_seen_when_it_arrives(watch):
    """Nothing is called finished before Jules calls it so, and then at the very next look."""
    watch.jules.put("a")
    await watch.look("a")
    watch.clock.advance(10)
    watch.jules.tell("a", "end", kind=ActivityKind.SESSION_COMPLETED)
    assert WORKING is (await watch.look("a")).tasks["a"].status
    unchanged = watch.jules.tasks["a"]
    watch.jules.tasks["a"] = replace(unchanged, status=DONE, raw_state="COMPLETED")
    assert DONE is (await watch.look("a")).tasks["a"].status


async def test_a_change_is_published_once_whoever_looks(store):
    """Two programs that watch one account with one store tell each change once."""
    one = Watch(store)
    two = Watch(store, clock=one.clock)
    two.jules.tasks, two.jules.told = one.jules.tasks, one.jules.told
    one.jules.put("a")
    await one.look("a")
    await two.look("a")
    one.clock.advance(10)
    one.jules.put("a", DONE)
    one.jules.tell("a", "end")
    await one.look("a")
    await two.look("a")
    assert 1 == len(await one.events(EventType.TASK_STATE_CHANGED))
    assert 1 == len(await one.events(EventType.ACTIVITY_SEEN))


async def test_a_deleted_task_counts_as_cancelled_and_in_the_quota(watch):
    """It is gone for its job, but Jules counts it for the rest of its 24 hours."""
    watch.jules.put("a")
    await watch.look("a")
    watch.clock.advance(120)
    del watch.jules.tasks["a"]
    look = await watch.look("a", since={"a": START})
    assert (TaskStatus.CANCELLED, "deleted") == (
        look.tasks["a"].status, look.tasks["a"].raw_state,
    )  # fmt: skip
    assert ({"a"}, 0) == (set(look.starts), look.at_work)
    watch.clock.advance(86_400)
    assert {} == (await watch.look()).starts


async def test_tasks_deleted_while_nobody_looked_still_count(store):
    """A program that starts anew takes the creation times that the store kept."""
    before = Watch(store)
    before.jules.put("a")
    await before.look("a")
    after = Watch(store, clock=before.clock)
    assert {"a": START} == (await after.look()).starts


async def test_the_store_learns_that_a_task_was_deleted(watch):
    """Whoever reads the store alone does not take it for one at work; what it did is kept."""
    watch.jules.put("a")
    watch.jules.put("web")
    watch.jules.tell("a", "one")
    await watch.look("a")
    watch.clock.advance(120)
    watch.jules.tasks.clear()
    await watch.look("a", since={"a": START})
    await watch.look("a", since={"a": START})
    for task_id in ("a", "web"):
        stored = await watch.store.tasks.get_task(task_id)
        assert (TaskStatus.CANCELLED, "deleted", START) == (
            stored.status, stored.raw_state, stored.created_at,
        )  # fmt: skip
    assert ["one"] == [a.id for a in await watch.store.tasks.list_activities("a")]
    changed = [event.subject for event in await watch.events(EventType.TASK_STATE_CHANGED)]
    assert ["task:a", "task:web"] == sorted(changed)


async def test_tasks_deleted_between_two_runs_are_noticed(store):
    """The first look of a run compares the store with the whole list, but for the youngest."""
    before = Watch(store)
    before.jules.put("a")
    await before.look()
    before.clock.advance(120)
    before.jules.put("young")
    await before.look()
    after = Watch(store, clock=before.clock)
    assert 0 == (await after.look()).at_work
    statuses = await store.tasks.statuses(["a", "young"])
    assert (TaskStatus.CANCELLED, WORKING) == (statuses["a"].status, statuses["young"].status)


async def test_a_task_that_is_listed_again_is_at_work_again(watch):
    """A list that left it out once does no harm."""
    watch.jules.put("web")
    await watch.look()
    watch.clock.advance(120)
    kept = watch.jules.tasks.pop("web")
    await watch.look()
    watch.jules.tasks["web"] = kept
    watch.clock.advance(60)
    assert 1 == (await watch.look()).at_work
    assert WORKING is (await watch.store.tasks.get_task("web")).status


async def test_a_young_task_that_is_not_found_is_waited_for(watch):
    """Just after its creation Jules may not know a task; it counts as deleted a minute later."""
    since = {"a": watch.clock.now()}
    assert {} == (await watch.look("a", since=since)).tasks
    watch.clock.advance(59)
    assert {} == (await watch.look("a", since=since)).tasks
    watch.jules.put("a")
    assert WORKING is (await watch.look("a", since=since)).tasks["a"].status
    del watch.jules.tasks["a"]
    watch.clock.advance(121)
    assert TaskStatus.CANCELLED is (await watch.look("a", since=since)).tasks["a"].status


async def test_what_exceeds_the_budget_is_postponed_and_not_forgotten(store):
    """Five lists a minute for twelve tasks: the rest waits its turn, those unread longest first."""
    watch = Watch(store, per_minute=5)
    names = [f"{number:02}" for number in range(12)]
    for name in names:
        watch.jules.put(name)
    read, postponed = [], []
    for _ in range(3):
        look = await watch.look(*names)
        postponed.append(look.postponed)
        read += watch.jules.read
        watch.clock.advance(60)
        for name in names[:5]:
            watch.jules.put(name)
    assert [7, 7, 2] == postponed
    assert names == read[:12]


async def test_within_the_budget_over_any_stretch_of_time(store):
    """Tasks that change all the time cost no more than the budget, and a full one after a rest."""
    watch = Watch(store, per_minute=10)
    names = [f"{number:02}" for number in range(30)]
    total = 0
    for _ in range(60):
        for name in names:
            watch.jules.put(name)
        await watch.look(*names)
        total += len(watch.jules.read)
        watch.clock.advance(10)
    assert 100 <= total <= 110


async def test_a_look_that_fails_is_an_error_and_loses_nothing(watch):
    """The failure is not told as "no change", and the next look sees what happened meanwhile."""
    watch.jules.put("a")
    await watch.look("a")
    watch.jules.away = True
    watch.jules.put("a", DONE)
    with pytest.raises(BackendConnectionError, match="away"):
        await watch.look("a")
    watch.jules.away = False
    assert DONE is (await watch.look("a")).tasks["a"].status


async def test_two_accounts_are_watched_apart(store):
    """Each has its own tasks, counts and budget."""
    one = Watch(store, per_minute=1)
    two = Watch(store, clock=one.clock, name="rest:two", per_minute=1)
    one.jules.put("1")
    two.jules.put("2")
    two.jules.put("3", DONE)
    first, second = await one.look("1"), await two.look("2")
    assert ({"1"}, 1, 0) == (set(first.starts), first.at_work, first.postponed)
    assert ({"2", "3"}, 1, 0) == (set(second.starts), second.at_work, second.postponed)
    fresh = Watch(store, clock=one.clock, name="rest:two")
    assert {"2", "3"} == set((await fresh.look()).starts)


async def test_a_backend_whose_lists_tell_no_status_has_each_task_read_at_every_look(store):
    """Nothing is gained from its lists, so each watched task is asked for, within the budget."""
    watch = Watch(store, without={Capability.LIST_STATUS, Capability.ACTIVITIES}, per_minute=2)
    watch.jules.put("a")
    look = await watch.look("a")
    assert (0, ["a"], 1) == (watch.jules.pages, watch.jules.asked, look.at_work)
    await watch.look("a")
    assert ["a"] == watch.jules.asked
    assert 1 == (await watch.look("a")).postponed
    assert [] == watch.jules.asked


async def test_a_person_who_watches_shares_the_budget(store):
    """Without a call left, what is stored stands for the activities; how it stands is asked."""
    watch = Watch(store, per_minute=2)
    watch.jules.put("1001")
    for _ in range(3):
        assert (await watch.observer.look_at("1001")).id == "1001"
    assert (["1001"] * 3, ["1001"] * 2) == (watch.jules.asked, watch.jules.read)
    watch.clock.advance(30)
    await watch.observer.look_at("1001")
    assert ["1001"] * 3 == watch.jules.read


async def test_what_a_worker_has_just_listed_is_not_asked_again(store):
    """Beside a running worker only the activities are read; its old list counts for nothing."""
    watch = Watch(store)
    watch.jules.put("1001")
    await watch.look("1001")
    await store.set_note(LAST_LOOK_NOTE, f"{to_rfc3339(watch.clock.now())} rest")
    watch.clock.advance(20)
    await watch.observer.look_at("1001", fresh_seconds=30)
    assert [] == watch.jules.asked
    watch.clock.advance(20)
    await watch.observer.look_at("1001", fresh_seconds=30)
    assert ["1001"] == watch.jules.asked
    await store.set_note(LAST_LOOK_NOTE, f"{to_rfc3339(watch.clock.now())} rest:other")
    await watch.observer.look_at("1001", fresh_seconds=30)
    assert ["1001"] * 2 == watch.jules.asked
