"""Which delivery is taken, what is checked, and what a review is worth later."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from tests.clocks import ImpatientClock
from tests.review_corpus.memory_change import make_change

from jules_job_manager.adapters.checks.test_reports import FileReportReader
from jules_job_manager.domain.artifact import ChangeSet, PullRequest
from jules_job_manager.domain.job import Attempt, Job
from jules_job_manager.domain.review import CheckResult, Conclusion, Delivery, Verdict
from jules_job_manager.domain.review_plan import CommandCheck, ReviewPlan
from jules_job_manager.domain.task import JulesTask
from jules_job_manager.errors import ConfigurationError, ForgeError
from jules_job_manager.ports.forge import MergeCandidate, Merged
from jules_job_manager.services.check_suite import CheckSuite
from jules_job_manager.services.feedback import feedback_for
from jules_job_manager.services.review import (
    MOST_PLANS,
    Reviewer,
)

pytestmark = pytest.mark.integration

JOB = Job(key="Task 1", title="t", prompt="p", repository="o/n", base_branch="main", branch="piece")
ATTEMPT = Attempt(mark="m1", job_key="Task 1", number=1, task_id="77")
TASK = JulesTask(id="77")
MAKE_TEST = CommandCheck(command="make test")
PATCH = ChangeSet(unidiff_patch="diff", base_commit_id="b")


class FakeForge:
    """Branches by name, and commits that are known, with whether the base holds them."""

    def __init__(self, **branches: str) -> None:
        self.branches = {name.replace("__", "-"): commit for name, commit in branches.items()}
        self.held: dict[str, bool] = {}
        self.conflicts: tuple[str, ...] = ()
        self.patches = 0
        self.pushed: list[str] = []
        self.worktree = None
        self.files: dict[tuple[str, str], bytes] = {}

    async def read_file(self, repository, commit, path):
        return self.files.get((commit, path))

    async def fetch(self, repository):
        assert "o/n" == repository

    async def list_branches(self, repository):
        return list(self.branches)

    async def head_commit(self, repository, branch):
        return self.branches.get(branch)

    async def contains(self, repository, branch, commit):
        return self.held.get(commit)

    async def change(self, repository, *, job, base, head):
        return make_change({}, {"a.txt": "1\n"}, job)

    async def merge_base(self, repository, one, other):
        return None

    async def deliver_patch(self, repository, change_set, message):
        self.patches += 1
        commit = f"patch{self.patches}"
        self.held[commit] = False
        return Delivery(commit=commit)

    @asynccontextmanager
    async def merged(self, repository, *, base_branch, delivery, message):
        base = self.branches[base_branch]
        if self.conflicts:
            yield MergeCandidate(base_commit=base, conflicts=self.conflicts)
        else:
            self.held[f"merge-{base}"] = False
            yield MergeCandidate(base_commit=base, commit=f"merge-{base}", worktree=self.worktree)

    async def push_merge(self, repository, *, job, base_branch, delivery, candidate):
        self.pushed.append(candidate.commit)
        return Merged(commit=candidate.commit)


class FakeRunner:
    """Commands that end as a test says."""

    def __init__(self, conclusion: Conclusion = Conclusion.SUCCESS) -> None:
        self.conclusion = conclusion
        self.reached: list[str] = []
        """Commands that had the network."""

    async def run(
        self, command, *, folder, timeout_seconds, output_limit_bytes=65536, network=False
    ):
        self.reached += [command] if network else []
        return CheckResult(name=command, conclusion=self.conclusion, exit_code=0)

    @asynccontextmanager
    async def copied(self, folder):
        yield folder


def reviewer(store, forge, runner=None, **plan) -> Reviewer:
    suite = CheckSuite(forge=forge, runner=runner or FakeRunner(), reports=FileReportReader())
    return Reviewer(
        forge=forge, suite=suite, store=store, clock=ImpatientClock(),
        plan=ReviewPlan(**{"checks": (MAKE_TEST,), "rules": {"all": "off"}, **plan}),
    )  # fmt: skip


async def test_the_branch_that_is_taken(store):
    """The pull request's, Jules' own, one with the task's id, the job's; never the base itself."""
    forge = FakeForge(main="c0", pr="c1", work="c2", x__77="c3", piece="c4")
    asked = replace(TASK, working_branch="work", outputs=(PullRequest(url="u", head_ref="pr"),))

    async def taken(task: JulesTask) -> str:
        found = await reviewer(store, forge).find_delivery(JOB, task, None)
        return "" if found is None else found.branch

    assert "pr" == await taken(asked)
    forge.branches.pop("pr")
    assert "work" == await taken(asked)
    assert "x-77" == await taken(replace(TASK, working_branch="main"))
    forge.branches.pop("x-77")
    assert "piece" == await taken(TASK)
    forge.branches["piece"] = ""
    assert "" == await taken(TASK)
    forge.branches.pop("piece")
    assert "" == await taken(TASK)


async def test_a_patch_becomes_one_commit(store):
    """The same patch is the same delivery again, as long as its commit is still there."""
    forge = FakeForge(main="c0")
    found = [await reviewer(store, forge).find_delivery(JOB, TASK, PATCH) for _ in range(2)]
    assert ["patch1", "patch1"] == [delivery.commit for delivery in found]
    forge.held.clear()
    again = await reviewer(store, forge).find_delivery(JOB, TASK, PATCH)
    assert "patch2" == again.commit
    assert await reviewer(store, forge).find_delivery(JOB, TASK, ChangeSet()) is None


async def test_a_review_stands_for_its_base_and_its_checks(store, tmp_path):
    """Another base or other checks need another review; a merge that is there already needs none."""
    await store.jobs.save_jobs([JOB])
    forge = FakeForge(main="c0")
    forge.worktree = tmp_path
    mine = reviewer(store, forge)
    assert "c0" == await mine.base_commit(JOB)
    review = await mine.review(JOB, ATTEMPT, Delivery(commit="d"))
    assert (Verdict.ACCEPT, "merge-c0") == (review.verdict, review.merge_commit)
    await store.jobs.save_review(review)
    assert review == await mine.usable_review(JOB, ATTEMPT, "d", "c0")
    assert await mine.usable_review(JOB, ATTEMPT, "other", "c0") is None
    assert await mine.usable_review(JOB, ATTEMPT, "d", "c1") is None
    assert await reviewer(store, forge, checks=()).usable_review(JOB, ATTEMPT, "d", "c0") is None
    forge.held["merge-c0"] = True
    assert review == await mine.usable_review(JOB, ATTEMPT, "d", "c1")


async def test_a_merge_is_pushed_once_and_only_on_its_base(store, tmp_path):
    """A base that moved refuses it; one that holds it already is left alone."""
    await store.jobs.save_jobs([JOB])
    forge = FakeForge(main="c0")
    forge.worktree = tmp_path
    mine = reviewer(store, forge)
    review = await mine.review(JOB, ATTEMPT, Delivery(commit="d"))
    forge.branches["main"] = "c1"
    assert await mine.merge(JOB, review) is None
    assert [] == forge.pushed
    forge.branches["main"] = "c0"
    assert Merged(commit="merge-c0") == await mine.merge(JOB, review)
    forge.held["merge-c0"] = True
    assert Merged(commit="merge-c0") == await mine.merge(JOB, review)
    assert ["merge-c0"] == forge.pushed


class FakeRequests:
    """A code host whose pull requests are merged as a test says, by branch."""

    def __init__(self) -> None:
        self.merged: dict[str, str] = {}
        self.failure: Exception | None = None

    async def merged_as(self, job, delivery):
        if self.failure is not None:
            raise self.failure
        return self.merged.get(delivery.branch)


async def test_a_squashed_merge_that_was_not_recorded_is_found(store, tmp_path):
    """The review stands though the base moved, and the merge is what the forge says it was."""
    await store.jobs.save_jobs([JOB])
    forge, requests = FakeForge(main="c0"), FakeRequests()
    forge.worktree = tmp_path
    mine = reviewer(store, forge)
    mine.pull_requests = requests
    review = await mine.review(JOB, ATTEMPT, Delivery(commit="d"))
    await store.jobs.save_review(review)
    forge.branches["main"] = "squashed"
    assert await mine.usable_review(JOB, ATTEMPT, "d", "squashed", branch="w") is None
    assert await mine.merge(JOB, review, branch="w") is None
    requests.merged["w"] = "squashed"
    assert review == await mine.usable_review(JOB, ATTEMPT, "d", "squashed", branch="w")
    assert Merged(commit="merge-c0") == await mine.merge(JOB, review, branch="w")
    requests.failure = ForgeError("away")
    assert await mine.usable_review(JOB, ATTEMPT, "d", "squashed", branch="w") is None


async def test_a_merged_delivery_whose_branch_was_deleted(store, tmp_path):
    """It is still that delivery, while the code host can be asked; else the patch is taken."""
    await store.jobs.save_jobs([JOB])
    forge, requests = FakeForge(main="c0", piece="d"), FakeRequests()
    forge.worktree = tmp_path
    mine = reviewer(store, forge)
    mine.pull_requests = requests
    await store.jobs.save_review(await mine.review(JOB, ATTEMPT, Delivery(commit="d")))
    forge.branches.pop("piece")
    assert await mine.find_delivery(JOB, TASK, None) is None
    requests.merged["piece"] = "squashed"
    assert Delivery(commit="d", branch="piece") == await mine.find_delivery(JOB, TASK, None)
    requests.failure = ForgeError("away")
    assert Delivery(commit="patch1") == await mine.find_delivery(JOB, TASK, PATCH)


async def test_conflicts_and_failing_checks_reject(store, tmp_path):
    """Nothing is run on what does not merge; the names of the files are the output."""
    await store.jobs.save_jobs([JOB])
    forge = FakeForge(main="c0")
    forge.conflicts = ("a.py", "b.py")
    review = await reviewer(store, forge).review(JOB, ATTEMPT, Delivery(commit="d"))
    assert Verdict.REJECT is review.verdict
    assert "- a.py\n- b.py" in review.checks[0].output
    forge.conflicts, forge.worktree = (), tmp_path
    late = reviewer(store, forge, FakeRunner(Conclusion.TIMED_OUT))
    review = await late.review(JOB, ATTEMPT, Delivery(commit="d"))
    assert (Verdict.REJECT, ["make test"]) == (review.verdict, [c.name for c in review.checks])


class BrokenOnce(FakeRunner):
    """Fails the first time, then passes."""

    async def run(
        self, command, *, folder, timeout_seconds, output_limit_bytes=65536, network=False
    ):
        result = await super().run(command, folder=folder, timeout_seconds=timeout_seconds)
        now, self.conclusion = self.conclusion, Conclusion.SUCCESS
        return replace(result, conclusion=now)


async def test_the_base_branch_adds_checks(store, tmp_path):
    """Its file is read from the base; a review without its checks is not enough any more."""
    await store.jobs.save_jobs([JOB])
    forge = FakeForge(main="c0")
    forge.worktree = tmp_path
    plain = await reviewer(store, forge).review(JOB, ATTEMPT, Delivery(commit="d"))
    await store.jobs.save_review(plain)
    forge.files["c0", ".jjm.toml"] = (
        b"[[checks]]\nname = 'style'\ncommand = 'ruff .'\nrequired = false\n"
    )
    mine = reviewer(store, forge, FakeRunner(Conclusion.FAILURE))
    assert await mine.usable_review(JOB, ATTEMPT, "d", "c0") is None
    review = await mine.review(JOB, ATTEMPT, Delivery(commit="d"))
    assert [("make test", True), ("style", False)] == [
        (c.name, c.is_required) for c in review.checks
    ]
    forge.files["c1", ".jjm.toml"] = b"[[check]]"
    with pytest.raises(ConfigurationError, match="unknown members: check"):
        await mine.usable_review(JOB, ATTEMPT, "d", "c1")
    forge.files["c2", ".jjm.toml"] = b"="
    with pytest.raises(ConfigurationError, match="is no TOML"):
        await mine.usable_review(JOB, ATTEMPT, "d", "c2")


async def test_only_set_up_reaches_the_network(store, tmp_path):
    """And only where the settings or the base branch say so; a check of the same words does not."""
    await store.jobs.save_jobs([JOB])
    forge, runner = FakeForge(main="c0"), FakeRunner()
    forge.worktree = tmp_path
    mine = reviewer(store, forge, runner, setup=("make test",))
    await mine.review(JOB, ATTEMPT, Delivery(commit="d"))
    assert [] == runner.reached
    forge.branches["main"] = "c1"
    forge.files["c1", ".jjm.toml"] = b"[review]\nsetup_network = true\n"
    await mine.review(JOB, ATTEMPT, Delivery(commit="d"))
    assert ["make test"] == runner.reached


async def test_plans_of_old_bases_are_forgotten(store):
    """A worker that runs for months meets a new base with every merge."""
    forge = FakeForge(main="c0")
    mine = reviewer(store, forge)
    for number in range(3 * MOST_PLANS):
        await mine._plan_at("o/n", f"c{number}")
    assert len(mine._plans) <= MOST_PLANS


async def test_set_up_comes_first_and_a_flaky_check_is_shown(store, tmp_path):
    """Without its set-up nothing else is run; one that passes when run again counts as passed."""
    await store.jobs.save_jobs([JOB])
    forge = FakeForge(main="c0")
    forge.worktree = tmp_path
    twice = CommandCheck(command="make test", retries=1)
    flaky = reviewer(store, forge, BrokenOnce(Conclusion.FAILURE), checks=(twice,))
    review = await flaky.review(JOB, ATTEMPT, Delivery(commit="d"))
    assert (Verdict.ACCEPT, [True]) == (review.verdict, [c.is_flaky for c in review.checks])
    bare = reviewer(store, forge, BrokenOnce(Conclusion.FAILURE), setup=("pip install .",))
    review = await bare.review(JOB, ATTEMPT, Delivery(commit="d"))
    assert (Verdict.REJECT, ["set-up: pip install ."]) == (
        review.verdict, [c.name for c in review.checks],
    )  # fmt: skip


def test_the_feedback_names_what_failed_and_how():
    """Only failures are told; a fence in the output cannot end ours; nothing at all has its words."""
    checks = [
        CheckResult(name="fine", conclusion=Conclusion.SUCCESS),
        CheckResult(name="slow", conclusion=Conclusion.TIMED_OUT),
        CheckResult(name="bad", conclusion=Conclusion.FAILURE, exit_code=2, output="a\n```\nb"),
    ]
    text = feedback_for(checks, mark="m1", number=2)
    assert "fine" not in text
    assert (
        "Check ran out of time: slow\n\nCheck failed: bad (exit code 2)\n\n```\na\n'''\nb\n```"
        in text
    )
    assert "[jjm:m1#2]" in text
    assert "without delivering" in feedback_for([], mark="m1", number=1)


async def test_what_passed_other_checks_did_not_pass_before(store, tmp_path):
    """Only by the very checks of this base is a delivery spared a review of its own."""
    await store.jobs.save_jobs([JOB])
    forge = FakeForge(main="c0")
    forge.worktree = tmp_path
    mine = reviewer(store, forge)
    await store.jobs.save_review(await mine.review(JOB, ATTEMPT, Delivery(commit="d")))
    assert await mine.passed_before(JOB, "d", "c1")
    assert not await mine.passed_before(JOB, "other", "c1")
    more = reviewer(store, forge, checks=(MAKE_TEST, CommandCheck(command="make lint")))
    assert not await more.passed_before(JOB, "d", "c1")
