"""Two kinds of store go through the same random history and never differ."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from tests.contract.stores.filling import NOW
from tests.strategies import activities, tasks

from jules_job_manager.adapters.storage.json_store import open_json
from jules_job_manager.adapters.storage.opening import open_sqlite
from jules_job_manager.adapters.system_clock import SystemClock
from jules_job_manager.domain.artifact import ChangeSet, PullRequest
from jules_job_manager.domain.event import NewEvent
from jules_job_manager.domain.plan import Plan, PlanStep
from jules_job_manager.domain.task import TaskStatus
from jules_job_manager.errors import StoreError
from jules_job_manager.ports.task_store import TaskQuery

pytestmark = pytest.mark.integration

ids = st.sampled_from(["1", "1\0"])
# Few different values, so that the same comes again.
plans = st.none() | st.sampled_from([Plan(id="p"), Plan(id="p", steps=(PlanStep(title="s"),))])
patches = st.lists(
    st.sampled_from([ChangeSet(unidiff_patch="x"), ChangeSet(unidiff_patch="x", base_commit_id="b"),
                     ChangeSet(), PullRequest(url="u")]), max_size=2).map(tuple)  # fmt: skip
moments = st.none() | st.sampled_from([NOW, NOW + timedelta(seconds=1)])
some_tasks = st.builds(
    replace, tasks, plan=plans, outputs=patches, updated_at=moments, created_at=moments, seen_at=moments,
    status=st.sampled_from([TaskStatus.FAILED, TaskStatus.PENDING]), archived=st.booleans(),
)  # fmt: skip
some_activities = st.builds(
    replace, activities, id=st.sampled_from(["a", "b", "b\0"]), plan=plans, artifacts=patches, created_at=moments
)  # fmt: skip
events = st.lists(
    st.builds(NewEvent, type=st.sampled_from("ab"), subject=st.sampled_from("xy"), at=st.just(NOW)),
    max_size=2,
)


class TwoStores(RuleBasedStateMachine):
    """A JSON file and a SQLite database, told the same."""

    template: tempfile.TemporaryDirectory[str] | None = None

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.folder = Path(tempfile.mkdtemp())
        if TwoStores.template is not None:  # making an empty store takes longer than all else
            shutil.copy(Path(TwoStores.template.name) / "jjm.db", self.folder)
        self.json = self.wait(open_json(self.folder / "tasks.json", SystemClock()))
        self.sql = self.wait(open_sqlite(self.folder / "jjm.db"))

    def wait(self, work):
        return self.loop.run_until_complete(work)

    def same(self, work):
        """Do `work` with both stores; what it returns or refuses is the same."""
        found = []
        for store in (self.json, self.sql):
            try:
                found.append(self.wait(work(store)))
            except StoreError as exc:
                found.append(exc.message)
        assert found[0] == found[1]
        return found[0]

    @rule(task=some_tasks, task_id=ids, given_events=events)
    def save(self, task, task_id, given_events):
        self.same(lambda store: store.tasks.save_tasks([replace(task, id=task_id)], given_events))

    @rule(task_id=ids, found=st.lists(some_activities, max_size=3), given_events=events)
    def add_activities(self, task_id, found, given_events):
        self.same(lambda store: store.tasks.add_activities(task_id, found, given_events))

    @rule(task_id=ids, given_events=events)
    def delete(self, task_id, given_events):
        self.same(lambda store: store.tasks.delete_task(task_id, given_events))

    @initialize(first=some_tasks, second=some_tasks)
    def begin(self, first, second):
        self.save(replace(first, id="1"), "1", [])
        self.save(replace(second, id="1\0"), "1\0", [])

    @rule(name=ids, value=st.text(max_size=3))
    def note(self, name, value):
        self.same(lambda store: store.set_note(name, value))
        self.same(lambda store: store.get_note(name))

    @rule(
        status=st.none() | st.just(TaskStatus.FAILED),
        archived=st.booleans(),
        limit=st.integers(1, 3),
    )
    def pages(self, status, archived, limit):
        cursor = None
        for _ in range(5):
            query = TaskQuery(status=status, include_archived=archived, limit=limit, after=cursor)
            cursor = self.same(lambda store, query=query: store.tasks.list_tasks(query)).next_cursor
            if cursor is None:
                return
        raise AssertionError("the pages never end")

    @rule(prefix=st.sampled_from(["", "1", "x\0", "%", "_"]))
    def by_beginning(self, prefix):
        self.same(lambda store: store.tasks.find_task_ids(prefix))

    @invariant()
    def all_is_the_same(self):
        self.same(_events)
        for task_id in ("1", "1\0"):
            self.same(lambda store, key=task_id: store.tasks.get_task(key))
            self.same(lambda store, key=task_id: _lists(store, key))

    def teardown(self) -> None:
        self.wait(self.sql.aclose())
        if TwoStores.template is None:
            TwoStores.template = tempfile.TemporaryDirectory()
            self.wait(_make(Path(TwoStores.template.name) / "jjm.db"))
        self.loop.close()
        shutil.rmtree(self.folder)


async def _make(path: Path) -> None:
    await (await open_sqlite(path)).aclose()


async def _events(store):
    return [list(await store.events.read(limit=1000)), list(await store.events.read(subject="x", type="a"))]  # fmt: skip


async def _lists(store, key):
    return [
        list(await store.tasks.list_activities(key)), list(await store.tasks.list_plans(key)),
        list(await store.tasks.list_patches(key)),
    ]  # fmt: skip


TestTwoStores = TwoStores.TestCase
TestTwoStores.settings = settings(
    max_examples=25, stateful_step_count=12, deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # to shrink takes minutes with real files
)  # fmt: skip
