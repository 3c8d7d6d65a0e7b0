"""What is cleaned up and what is kept, with the pretend Jules, real git and a real store."""

from __future__ import annotations

import subprocess

import pytest

from jules_job_manager.adapters.backends.rest.backend import open_rest_backend
from jules_job_manager.adapters.backends.simulator.clock import SimulatedClock
from jules_job_manager.adapters.backends.simulator.engine import Simulator
from jules_job_manager.adapters.backends.simulator.rest_face import in_process_transport
from jules_job_manager.adapters.backends.simulator.scenario import scenario_from
from jules_job_manager.adapters.forges.local import LocalGitForge
from jules_job_manager.domain.job import Attempt, AttemptState, Job, JobStatus
from jules_job_manager.domain.task import NewTask
from jules_job_manager.services.accounts import Account
from jules_job_manager.services.cleaning import Cleaning, Fate
from jules_job_manager.services.observer import Observer
from jules_job_manager.services.tasks import TaskService

pytestmark = pytest.mark.integration
REPO = "octo/demo"
PERSON = ["-c", "user.name=T", "-c", "user.email=t@example.com"]
SCENARIO = {
    "task": [
        {"match": "alpha", "branch": "b", "rounds": [
            {"files": {"a.py": "a = 1\n"}}, {"files": {"a.py": "a = 1\nb = 2\n"}}
        ]},
        {"match": "beta", "branch": "b", "rounds": [{"files": {"b.py": "b = 1\n"}}]},
        {"match": "patch", "outputs": ["change_set"], "rounds": [{"files": {"p.py": "p\n"}}]},
        {"match": "broken", "outcome": "failed"},
    ]
}  # fmt: skip


class World:
    """A repository, a Jules at work on it, and the queue's rows."""

    def __init__(self, root, store) -> None:
        self.store, self.clock = store, SimulatedClock()
        self.bare, self.clone = root / "demo.git", root / "clone"
        subprocess.run(["git", "init", "-q", "--bare", "-b", "main", self.bare], check=True)
        subprocess.run(
            ["git", "clone", "-q", self.bare, self.clone], check=True, capture_output=True
        )
        self.git("checkout", "-q", "-b", "main")
        self.git("commit", "-q", "--allow-empty", "-m", "root")
        self.git("push", "-q", "origin", "main")
        self.simulator = Simulator.open(
            None, scenario=scenario_from(SCENARIO), seed=1, speed=1,
            repositories={REPO: str(self.bare)}, clock=self.clock,
        )  # fmt: skip
        self.backend = open_rest_backend(
            base_url="http://127.0.0.1/v1alpha", api_key="k", timeout_seconds=5, max_tries=1,
            clock=self.clock, name="simulator", transport=in_process_transport(self.simulator),
        )  # fmt: skip
        self.tasks = TaskService(backend=self.backend, store=store, clock=self.clock)
        observer = Observer(backend=self.backend, tasks=self.tasks, store=store, clock=self.clock)
        account = Account(name="default", backend=self.backend, tasks=self.tasks, observer=observer)
        self.cleaning = lambda: Cleaning(
            store=store, accounts={"default": account}, clock=self.clock,
            forge=LocalGitForge(cache=root / "cache", remotes={REPO: str(self.bare)}),
        )  # fmt: skip

    def git(self, *arguments: str) -> str:
        command = ["git", "-C", str(self.clone), *PERSON, *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    async def task(self, prompt: str) -> str:
        """Return the id of a task that has ended."""
        made = await self.tasks.create_task(NewTask(description=prompt, repository=REPO))
        self.wait()
        return made.id

    def wait(self) -> None:
        self.clock.advance(900)
        self.simulator.present()

    def land(self, task_id: str, *, how: str = "--no-ff") -> str:
        """Merge the task's branch into main and push; return the branch's commit."""
        self.git("fetch", "-q", "origin")
        branch = f"origin/b-{task_id}"
        self.git("merge", "-q", how, *(["-m", "merge"] if how == "--no-ff" else []), branch)
        if how == "--squash":
            self.git("commit", "-q", "-m", "squashed")
        self.git("push", "-q", "origin", "main")
        return self.git("rev-parse", branch)

    async def job(self, *attempts: tuple[AttemptState, str, str], **members) -> None:
        """Store a job that is done with these attempts: state, task, delivered commit."""
        values = {"status": JobStatus.DONE, "merge_commit": self.git("rev-parse", "origin/main")}
        values |= {"repository": REPO, **members}
        job = Job(key="J-1", base_branch="main", **values)
        await self.store.jobs.save_jobs([job])
        for number, (state, task_id, commit) in enumerate(attempts, start=1):
            await self.store.jobs.save_attempt(
                Attempt(mark=f"m{number}", job_key="J-1", number=number, state=state,
                        task_id=task_id, delivered_commit=commit)
            )  # fmt: skip

    async def clean(self, **options) -> dict[str, tuple[Fate, str]]:
        steps = [step async for step in self.cleaning().steps(**options)]
        assert not any(step.failed for step in steps), steps
        self.done = {step.task_id for step in steps if step.done}
        return {step.task_id: (step.fate, step.reason) for step in steps}

    async def left(self) -> set[str]:
        return {task.id for task in await self.backend.list_tasks()}

    def writes(self) -> dict[str, int]:
        """Return how often each request that changes something was made."""
        asked = self.simulator.stats()["requests"]
        return {name: n for name, n in asked.items() if not name.endswith((".list", ".get"))}


@pytest.fixture
async def world(tmp_path, store):
    made = World(tmp_path, store)
    yield made
    await made.backend.aclose()
    made.simulator.close()


@pytest.mark.parametrize("how", ["--no-ff", "--squash"])
async def test_a_merged_task_is_archived_and_one_that_was_replaced_too(world, how):
    """The replaced one has work of its own; its job is merged without it."""
    kept, replaced = await world.task("alpha"), await world.task("beta")
    commit = world.land(kept, how=how)
    await world.job((AttemptState.REPLACED, replaced, ""), (AttemptState.ACCEPTED, kept, commit))
    found = await world.clean()
    squashed = " (another way than by a merge of its branch)" if how == "--squash" else ""
    assert (Fate.ARCHIVE, f"its work is in main{squashed}") == found[kept]
    assert (Fate.ARCHIVE, "replaced, and its job is merged without it") == found[replaced]
    assert {kept, replaced} == world.done
    assert set() == await world.left()
    assert {} == await world.clean()


async def test_a_dry_run_says_the_same_and_changes_nothing(world):
    """Jules is only read: no request but lists and gets, and no task is put away."""
    kept, replaced = await world.task("alpha"), await world.task("beta")
    commit = world.land(kept)
    await world.job((AttemptState.REJECTED, replaced, ""), (AttemptState.ACCEPTED, kept, commit))
    before = world.writes()
    assert before
    for delete in (False, True):
        found = await world.clean(dry_run=True, delete=delete)
        wanted = Fate.DELETE if delete else Fate.ARCHIVE
        assert [wanted, Fate.ARCHIVE] == [found[kept][0], found[replaced][0]]
    assert before == world.writes()
    assert set() == world.done
    assert {kept, replaced} == await world.left()


async def test_work_that_came_after_the_merge_keeps_the_task(world):
    """A task revived after its merge has a branch that the base does not hold."""
    task = await world.task("alpha")
    commit = world.land(task)
    await world.job((AttemptState.ACCEPTED, task, commit))
    await world.tasks.send_message(task, "one more thing")
    fate, reason = (await world.clean(delete=True))[task]
    assert (Fate.KEEP, True) == (fate, reason.startswith("it is "))
    world.wait()
    fate, reason = (await world.clean(delete=True))[task]
    assert (Fate.KEEP, True) == (fate, reason.endswith("is not in main"))
    assert {task} == await world.left()
    world.land(task, how="--squash")
    assert Fate.ARCHIVE is (await world.clean())[task][0]


async def test_delete_takes_only_what_is_proved_to_be_merged(world):
    """The replaced task's work is nowhere else, so it is archived; the store keeps all patches."""
    kept, replaced = await world.task("alpha"), await world.task("beta")
    commit = world.land(kept)
    await world.job((AttemptState.ABANDONED, replaced, ""), (AttemptState.ACCEPTED, kept, commit))
    found = await world.clean(delete=True)
    assert [Fate.DELETE, Fate.ARCHIVE] == [found[kept][0], found[replaced][0]]
    every = {
        task.id: task.archived for task in await world.backend.list_tasks(include_archived=True)
    }
    assert {replaced: True} == every
    stored = await world.store.tasks.get_task(kept)
    assert stored is not None
    assert stored.archived
    assert await world.store.tasks.list_patches(kept)
    assert {replaced: Fate.KEEP} == {k: f for k, (f, _) in (await world.clean(delete=True)).items()}


async def test_nothing_is_put_away_for_a_merge_that_is_gone(world):
    """The base was set back: neither the merged task nor the one it replaced is touched."""
    kept, replaced = await world.task("alpha"), await world.task("beta")
    commit = world.land(kept)
    await world.job((AttemptState.REPLACED, replaced, ""), (AttemptState.ACCEPTED, kept, commit))
    world.git("push", "-q", "-f", "origin", "main~1:main")
    found = await world.clean()
    assert [Fate.KEEP, Fate.KEEP] == [found[kept][0], found[replaced][0]]
    assert {kept, replaced} == await world.left()


@pytest.mark.parametrize("status", [JobStatus.RUNNING, JobStatus.FAILED, JobStatus.CANCELLED])
async def test_jobs_that_are_not_done_keep_their_tasks(world, status):
    """Neither what is at work nor what was given up is judged."""
    live, rejected = await world.task("alpha"), await world.task("beta")
    world.land(live)
    world.land(rejected)
    await world.job(
        (AttemptState.REJECTED, rejected, ""), (AttemptState.LIVE, live, ""), status=status
    )
    assert {} == await world.clean()
    assert {rejected: Fate.ARCHIVE} == {
        k: fate for k, (fate, _) in (await world.clean(all_tasks=True)).items()
    }


async def test_tasks_of_no_job_are_judged_when_asked(world):
    """By branch or by patch; what made no change or is not merged stays."""
    merged, away = await world.task("alpha"), await world.task("beta")
    patch, failed = await world.task("patch"), await world.task("broken")
    world.land(merged, how="--squash")
    (world.clone / "p.py").write_text("p\n")
    world.git("add", "p.py")
    world.git("commit", "-q", "-m", "by hand")
    world.git("push", "-q", "origin", "main")
    assert {} == await world.clean()
    found = {k: fate for k, (fate, _) in (await world.clean(all_tasks=True)).items()}
    assert {merged: Fate.ARCHIVE, patch: Fate.ARCHIVE, away: Fate.KEEP, failed: Fate.KEEP} == found
    assert {away, failed} == await world.left()


async def test_a_repository_that_cannot_be_reached_keeps_its_tasks(world):
    """The command has failed then; it does not say that there is nothing to do."""
    task = await world.task("alpha")
    commit = world.land(task)
    await world.job((AttemptState.ACCEPTED, task, commit), repository="octo/elsewhere")
    steps = [step async for step in world.cleaning().steps()]
    assert [(Fate.KEEP, True)] == [(step.fate, step.failed) for step in steps]
    assert "No git address is known for octo/elsewhere" in steps[0].reason
    assert {task} == await world.left()
