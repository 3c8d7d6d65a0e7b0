"""The queue as a state machine: random graphs, crashes, clocks and faults, and what must always hold.

No job is lost, no job has two tasks at work, no dependent starts early, no create is refused for
the quota, messages are bounded, and every event is told once.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from tests.queue_world import REPOSITORY, QueueWorld

from jules_job_manager.adapters.storage.opening import open_sqlite
from jules_job_manager.domain.event import EventType
from jules_job_manager.domain.job import Job, JobFile, JobStatus, Priority
from jules_job_manager.domain.orchestration import Policy
from jules_job_manager.services.accounts import PlanChoice
from jules_job_manager.services.queue_admin import QueueAdmin

pytestmark = [pytest.mark.integration, pytest.mark.slow]

KINDS = {
    "plain": {},
    "rejected": {"rounds": [{"files": {"other.txt": "1"}}, {"files": {"promised.txt": "1"}}]},
    "never-right": {"rounds": [{"files": {"other.txt": "2"}}]},
    "question": {"question": "Which port?"},
    "stalls": {"outcome": "stall"},
    "silent": {"outcome": "silence"},
    "fails": {"outcome": "failed"},
    "revives": {"revives_after": 120.0},
    "late-push": {"late_push_after": 300.0},
    "new-plan": {"plan_changes_after": 30.0, "revised_plan": ["Another way"]},
}
"""What the pretend Jules does with a job whose prompt names the kind."""
PROMISES = {"rejected", "never-right"}
LOSSES = st.fixed_dictionaries(
    {
        "lose_create_answers": st.sampled_from([0, 2, 0.4]),
        "cut_create_answers": st.sampled_from([0, 1]),
        "lose_message_answers": st.sampled_from([0, 0.4]),
        "lose_approve_answers": st.sampled_from([0, 0.4]),
        "fail_reads": st.sampled_from([0, 3, 0.1]),
    }
)
REFUSALS = st.fixed_dictionaries(
    {
        "throttle_creates": st.sampled_from([0, 2, 0.3]),
        "refuse_creates": st.sampled_from([0, 2]),
        "precondition_though_created": st.sampled_from([0, 2]),
        "throttle_reads": st.sampled_from([0, 0.1]),
    }
)
LAGS = st.fixed_dictionaries(
    {
        "state_lags_seconds": st.sampled_from([0.0, 15.0]),
        "list_lags_seconds": st.sampled_from([0.0, 5.0]),
        "session_404_seconds": st.sampled_from([0.0, 5.0]),
    }
)
DAY, AT_ONCE = 6, 3
POLICY = Policy(
    concurrency=0, approve="policy", answer="Go on.", max_feedback_rounds=2, max_attempts=2,
    max_nudges=2, max_answers=3, settle_grace=timedelta(seconds=30),
)  # fmt: skip
MOST_MESSAGES = 3 + 2 * 2 + 2 + 3  # answers, feedback (perhaps sent again), nudges; some slack
_EMPTY: list[Path] = []
EXAMPLES = int(os.environ.get("JJM_MACHINE_EXAMPLES", "4"))
"""More than the everyday number are worth their time after a change of the queue."""


def _empty_store() -> Path:
    """Return the file of an empty store, made once: making one takes long."""
    if not _EMPTY:
        path = Path(tempfile.mkdtemp(prefix="jjm-machine-")) / "empty.db"

        async def make() -> None:
            await (await open_sqlite(path)).aclose()

        asyncio.run(make())
        _EMPTY.append(path)
    return _EMPTY[0]


class QueueMachine(RuleBasedStateMachine):
    """A world, and what a person, time and bad luck do to it."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.folder = Path(tempfile.mkdtemp(prefix="jjm-machine-"))
        self.keys: list[str] = []
        self.refuses = False

    def _do(self, work: Any) -> Any:
        return self.loop.run_until_complete(work)

    @initialize(
        losses=LOSSES, refusals=REFUSALS, lags=LAGS, refuses=st.booleans(), seed=st.integers(0, 99)
    )
    def begin(self, losses, refusals, lags, refuses, seed):
        """Jules has its ways, and the program starts."""
        shutil.copy(_empty_store(), self.folder / "jjm.db")
        self.refuses = refuses
        scenario = {
            "quota": {"tasks_per_day": DAY, "concurrent": AT_ONCE},
            "faults": {**losses, **(refusals if refuses else {})},
            "deviations": {"progress_patches": False, **lags},
            "task": [{"match": kind, **what} for kind, what in KINDS.items()],
        }
        self.store = self._do(open_sqlite(self.folder / "jjm.db"))
        plan = PlanChoice(plan="none", per_day=DAY, at_once=AT_ONCE)
        self.world = QueueWorld(self.store, scenario, policy=POLICY, plan=plan, seed=seed)
        self.admin = QueueAdmin(store=self.store, clock=self.world.clock, ageing=timedelta(days=1))
        self._do(self.world.open())

    @rule(
        kind=st.sampled_from(sorted(KINDS)), priority=st.sampled_from(Priority),
        needs=st.sets(st.integers(0, 9), max_size=2), shared=st.booleans(),
        best_of=st.sampled_from([1, 1, 1, 2]),
    )  # fmt: skip
    def add(self, kind, priority, needs, shared, best_of):
        """A job comes into the queue."""
        if len(self.keys) >= 8:
            return
        key = f"J{len(self.keys)}"
        files = (JobFile(path="promised.txt", action="create"),) if kind in PROMISES else ()
        files += (JobFile(path="shared.txt", action="modify"),) if shared else ()
        depends = tuple(sorted({self.keys[n] for n in needs if n < len(self.keys)}))
        self.keys.append(key)
        job = Job(key=key, title=key, prompt=f"Do {kind}.", priority=priority, depends_on=depends,
                  files=files, best_of=best_of)  # fmt: skip
        self._do(self.world.add(job))

    @rule(minutes=st.sampled_from([1, 1, 5, 20]))
    def work(self, minutes):
        """Time passes, and the program looks and acts."""
        every = 10.0 if minutes == 1 else 60.0
        self._do(self.world.run_for(minutes * 60, every=every))

    @rule(hours=st.sampled_from([1, 7, 25]))
    def sleep(self, hours):
        """The machine was asleep."""
        self.world.time.advance(hours * 3600)
        self._do(self.world.tick())

    @rule(seconds=st.integers(-60, 60))
    def clock_jumps(self, seconds):
        """Our clock is set, a minute off at most."""
        self.world.clock.skew = timedelta(seconds=seconds)

    @rule(left=st.integers(0, 25), after=st.booleans())
    def crash(self, left, after):
        """The program is killed before or after one of its next effects, and started again."""
        self.world.point.arm(left, after=after)
        self._do(self.world.run_for(60))
        self.world.point.left = None

    @rule(
        number=st.integers(0, 7), what=st.sampled_from(["hold", "release", "cancel", "skip", "pin"])
    )
    def person(self, number, what):
        """A person changes a job."""
        if number >= len(self.keys):
            return
        job = self._do(self.store.jobs.get_job(self.keys[number]))
        changes = {
            "hold": lambda: self.admin.hold(job, "by you"),
            "release": lambda: self.admin.release(job),
            "cancel": lambda: self.admin.cancel(job),
            "skip": lambda: self.admin.skip(job),
            "pin": lambda: self.admin.pin(job, pinned=True),
        }
        allowed = {
            "hold": not job.status.is_final, "release": bool(job.held),
            "cancel": not job.status.is_final, "pin": not job.status.is_final,
            "skip": job.status in {JobStatus.READY, JobStatus.BLOCKED, JobStatus.FAILED},
        }  # fmt: skip
        if allowed[what]:
            self._do(changes[what]())
            if what == "cancel":
                for attempt in self._do(self.store.jobs.list_attempts(job.key)):
                    if attempt.task_id:
                        self.world.simulator.set_archived(attempt.task_id, archived=True)

    def _sessions_by_job(self) -> dict[str, list[dict[str, Any]]]:
        found: dict[str, list[dict[str, Any]]] = {}
        for session in self.world.sessions():
            key = session["title"].split("] ", 1)[1].partition(":")[0]
            found.setdefault(key, []).append(session)
        return found

    @invariant()
    def no_job_is_lost(self):
        """Every job that came is there."""
        if self.keys:
            assert set(self.keys) == {j.key for j in self._do(self.store.jobs.list_jobs())}

    @invariant()
    def no_second_live_attempt(self):
        """Each mark has one session that is not put away, and each lane one that works."""
        if not self.keys:
            return
        attempts = self._do(self.store.jobs.list_attempts())
        for session_list in self._sessions_by_job().values():
            marks = Counter(s["title"].split("]", 1)[0] for s in session_list if not s["archived"])
            assert not marks or max(marks.values()) == 1, session_list
        live = Counter((a.job_key, a.lane) for a in attempts if a.state.is_live)
        assert not live or max(live.values()) == 1

    @invariant()
    def no_dependent_starts_early(self):
        """The commit a session started from holds the merges of all that its job needs."""
        if not self.keys:
            return
        jobs = {job.key: job for job in self._do(self.store.jobs.list_jobs())}
        for key, sessions in self._sessions_by_job().items():
            for needed in (jobs[name] for name in jobs[key].depends_on):
                assert needed.status is JobStatus.DONE or needed.skipped, (key, needed)
                for session in sessions if needed.merge_commit else ():
                    assert self.world.git.is_ancestor(needed.merge_commit, session["base"])

    @invariant()
    def no_quota_refusal(self):
        """As long as Jules refuses nothing of itself, no create is refused."""
        if self.keys and not self.refuses:
            assert [] == self.world.refused

    @invariant()
    def messages_are_bounded(self):
        """No task is told more than the policy allows."""
        for session in self.world.sessions() if self.keys else ():
            activities = self.world.simulator.activities_of(session["id"])
            told = sum("userMessaged" in activity["kind"] for activity in activities)
            assert told <= MOST_MESSAGES, activities

    @invariant()
    def every_event_once(self):
        """Attempts, reviews and merges are each told once."""
        if not self.keys:
            return
        events = self._do(self._events())
        begun = Counter(e.data["mark"] for e in events if e.type == EventType.ATTEMPT_STARTED)
        merged = Counter(e.subject for e in events if e.type == EventType.MERGED)
        reviewed = Counter(
            (e.data["mark"], e.data["delivered_commit"], e.data["base_commit"])
            for e in events if e.type == EventType.REVIEW_FINISHED
        )  # fmt: skip
        seen = Counter(e.data["activity_id"] for e in events if "activity_id" in e.data)
        for counts in (begun, merged, reviewed, seen):
            assert not counts or max(counts.values()) == 1, counts.most_common(2)

    async def _events(self) -> list[Any]:
        found: list[Any] = []
        while page := await self.store.events.read(
            after_id=found[-1].id if found else 0, limit=1000
        ):
            found += page
        return found

    def teardown(self):
        """Left alone for some days, everything comes to an end or waits for a person."""
        if hasattr(self, "world") and self.keys:
            self.world.clock.skew = timedelta()
            for _ in range(8):
                self._do(self.world.run_for(900, every=60))
                self.world.time.advance(24 * 3600)
            for name in ("no_job_is_lost", "no_second_live_attempt", "no_dependent_starts_early",
                         "no_quota_refusal", "messages_are_bounded", "every_event_once"):  # fmt: skip
                getattr(self, name)()
            self._nothing_hangs()
        if hasattr(self, "world"):
            self.world.close()
            self._do(self.store.aclose())
        self.loop.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _nothing_hangs(self):
        jobs = {job.key: job for job in self._do(self.store.jobs.list_jobs())}
        for job in jobs.values():
            needed = [jobs[key] for key in job.depends_on]
            waits = job.held or any(
                n.status is not JobStatus.DONE and not n.skipped for n in needed
            )
            ended = job.status in {
                JobStatus.DONE,
                JobStatus.FAILED,
                JobStatus.CANCELLED,
                JobStatus.NEEDS_YOU,
            }
            # A task that waits for a person keeps its slot and its files.
            stuck = [j for j in jobs.values() if j.status is JobStatus.NEEDS_YOU]
            assert ended or waits or stuck, (job, self.world.said[-20:])
            if job.merge_commit:
                head = self.world.git.refs[REPOSITORY]["main"]
                assert self.world.git.is_ancestor(job.merge_commit, head)


QueueMachine.TestCase.settings = settings(
    max_examples=EXAMPLES, stateful_step_count=12, deadline=None,
    suppress_health_check=list(HealthCheck),
)  # fmt: skip
TestQueueMachine = pytest.mark.timeout(600)(QueueMachine.TestCase)


def test_replaced(tmp_path):
    """A task that stays silent is nudged twice, then replaced by one that is given its work so far."""

    async def check() -> None:
        shutil.copy(_empty_store(), tmp_path / "jjm.db")
        store = await open_sqlite(tmp_path / "jjm.db")
        scenario = {"task": [{"match": "x", "outcome": "silence", "chance": 1.0}]}
        world = QueueWorld(store, scenario, policy=replace(POLICY, approve="always", max_nudges=0))
        await world.open()
        await world.add(Job(key="a", title="a", prompt="x"))
        await world.run_for(3600, every=60)
        first, second = await store.jobs.list_attempts("a")
        assert ("replaced", first.mark) == (first.state.value, second.carries)
        newest = world.sessions()[0]
        assert "```diff\ndiff --git" in newest["prompt"]
        world.close()
        await store.aclose()

    asyncio.run(check())
