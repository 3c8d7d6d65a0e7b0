"""Finding what an attempt delivered, checking it merged into the base, and merging it."""

from __future__ import annotations

import contextlib
import hashlib
import tomllib
from collections.abc import Sequence
from typing import Any

from jules_job_manager.domain.artifact import ChangeSet
from jules_job_manager.domain.change import Change
from jules_job_manager.domain.job import Attempt, Job
from jules_job_manager.domain.report import FileDiff
from jules_job_manager.domain.review import (
    MOST_PATHS,
    CheckResult,
    Conclusion,
    Delivery,
    Review,
    Verdict,
    verdict_of,
)
from jules_job_manager.domain.review_plan import REVIEW_FILE, ReviewPlan, with_commands, with_file
from jules_job_manager.domain.scans import rule_ids
from jules_job_manager.domain.task import JulesTask
from jules_job_manager.errors import ConfigurationError, ForgeError
from jules_job_manager.ports.clock import Clock
from jules_job_manager.ports.forge import Forge, MergeCandidate, Merged, MergeOutcome
from jules_job_manager.ports.pull_requests import PullRequests
from jules_job_manager.ports.store import Store
from jules_job_manager.services.check_suite import CheckSuite, Tell, tell_nobody
from jules_job_manager.services.conflicts import conflict_text
from jules_job_manager.services.judging import Judge, judged_by

MERGES = "merges into the base"
MOST_PLANS = 100
"""Plans of base commits that are remembered: a worker meets a new base with every merge."""


class Reviewer:
    """Reviews deliveries of one forge."""

    def __init__(
        self, *, forge: Forge, suite: CheckSuite, store: Store, clock: Clock, plan: ReviewPlan,
        judges: Sequence[Judge] = (), pull_requests: PullRequests | None = None,
    ) -> None:  # fmt: skip
        """Run the checks of `plan`, and those that the base branch adds, on merges made by `forge`.

        Args:
            forge: Where deliveries are.
            suite: Runs rules and commands on them.
            store: Where reviews are kept.
            clock: For the time of a review.
            plan: What is checked, before the base branch adds to it.
            judges: Asked after the checks, one after the other.
            pull_requests: Where deliveries are also pull requests; None: nowhere.
        """
        self._judges = judges
        self._forge = forge
        self._suite = suite
        self.pull_requests = pull_requests
        self._store = store
        self._clock = clock
        self._plan = plan
        self._fetched: set[str] = set()
        self._plans: dict[tuple[str, str], ReviewPlan] = {}
        """By repository and base commit."""
        self._trees: dict[tuple[str, str], str] = {}
        """By repository and commit."""

    def begin_look(self) -> None:
        """Let each repository be fetched once more."""
        self._fetched.clear()

    async def _fetch(self, repository: str) -> None:
        if repository not in self._fetched:
            await self._forge.fetch(repository)
            self._fetched.add(repository)

    async def base_holds(self, job: Job, commit: str) -> bool:
        """Return whether the job's base branch holds the commit.

        Raises:
            ForgeError: git failed.
        """
        await self._fetch(job.repository)
        return bool(await self._holds(job, commit))

    async def base_commit(self, job: Job) -> str:
        """Return the commit of the job's base branch on the forge; empty when there is none."""
        await self._fetch(job.repository)
        return await self._forge.head_commit(job.repository, job.base_branch) or ""

    async def find_delivery(
        self, job: Job, task: JulesTask, change_set: ChangeSet | None
    ) -> Delivery | None:
        """Return what the finished task hands over, or None when there is nothing.

        In this order: the pull request's branch, the branch Jules says it works on, a branch
        ending in the task's id, the branch the job names, the patch.

        Raises:
            ForgeError: git failed, or the patch does not apply.
        """
        await self._fetch(job.repository)
        branches = await self._forge.list_branches(job.repository)
        request = task.pull_request
        wanted = ["" if request is None else request.head_ref, task.working_branch]
        wanted += [branch for branch in branches if branch.endswith(f"-{task.id}")]
        wanted.append(job.branch)
        for branch in wanted:
            if branch and branch != job.base_branch and branch in branches:
                commit = await self._forge.head_commit(job.repository, branch)
                if commit:
                    return Delivery(commit=commit, branch=branch)
        gone = [
            b for b in dict.fromkeys(wanted) if b and b != job.base_branch and b not in branches
        ]
        merged = await self._merged_delivery(job, gone)
        if merged is not None:
            return merged
        if change_set is None or not change_set.unidiff_patch:
            return None
        message = change_set.suggested_commit_message or f"{job.key}: {job.title}"
        return await patch_delivery(self._forge, self._store, job.repository, change_set, message)

    async def _merged_delivery(self, job: Job, gone: Sequence[str]) -> Delivery | None:
        """Return an accepted delivery that was merged and whose branch was deleted after that."""
        if self.pull_requests is None or not gone:
            return None
        reviews = await self._store.jobs.list_reviews(job.key)
        accepted = {r.delivered_commit for r in reviews if r.verdict is Verdict.ACCEPT}
        with contextlib.suppress(ForgeError):  # then it is looked for elsewhere
            for delivery in [Delivery(commit=c, branch=b) for c in accepted for b in gone]:
                if await self.pull_requests.merged_as(job, delivery) is not None:
                    return delivery
        return None

    async def delivery_of_request(self, job: Job, number: int) -> Delivery | None:
        """Return what a pull request brings as it is now, or None when there is none of that number.

        Raises:
            ForgeError: git failed.
        """
        await self._fetch(job.repository)
        commit = await self._forge.request_head(job.repository, number)
        return None if commit is None else Delivery(commit=commit)

    async def delivery_of_branch(self, job: Job) -> Delivery | None:
        """Return the job's branch as it is now, or None when there is none.

        Raises:
            ForgeError: git failed.
        """
        await self._fetch(job.repository)
        commit = await self._forge.head_commit(job.repository, job.branch)
        return None if commit is None else Delivery(commit=commit, branch=job.branch)

    async def commands(
        self, job: Job, candidate: MergeCandidate, tell: Tell = tell_nobody
    ) -> list[CheckResult]:
        """Run the commands alone on what is no delivery of Jules: a revert, say.

        Raises:
            ForgeError: git failed.
        """
        plan = await self._plan_of(job, candidate.base_commit)
        return await self._suite.commands(job, candidate, plan, tell)

    async def diffs(self, job: Job, review: Review) -> tuple[FileDiff, ...]:
        """Return what the reviewed merge changes, file by file; none where its commits are not here."""
        if not review.merge_commit:
            return ()
        try:
            return await self._forge.diffs(job.repository, review.base_commit, review.merge_commit)
        except ForgeError:
            return ()

    async def usable_review(
        self, job: Job, attempt: Attempt, delivered: str, base: str, *, branch: str = ""
    ) -> Review | None:
        """Return the stored review that stands for this delivery now, or None.

        That is one on this base with these checks; or an accepted one whose merge the base
        already holds, because a run ended between pushing it and writing that down.
        """
        plan: ReviewPlan | None = None
        for review in await self._store.jobs.list_reviews(attempt.job_key):
            if review.delivered_commit != delivered:
                continue
            if plan is None:
                plan = await self._plan_of(job, base)
            accepted = review.verdict is Verdict.ACCEPT
            held = await self._holds(job, review.merge_commit) if accepted else False
            if accepted and not held and review.base_commit != base:
                with contextlib.suppress(ForgeError):  # then it is reviewed on the new base
                    held = await self._landed(job, delivered, branch) or held
            if held is None and review.base_commit == base:
                held = await self._remade(job, attempt, review)
            on_base = review.base_commit == base and review.check_set == plan.digest
            if (accepted and held) or (on_base and held is not None):
                return review
        return None

    async def _remade(self, job: Job, attempt: Attempt, review: Review) -> bool | None:
        """Make here the merge that another machine checked; None when it is not the very same."""
        delivery = Delivery(commit=review.delivered_commit)
        async with self._forge.merged(
            job.repository, base_branch=job.base_branch, delivery=delivery,
            message=_merge_message(job, attempt),
        ) as candidate:  # fmt: skip
            return False if candidate.commit == review.merge_commit else None

    async def passed_before(self, job: Job, delivered: str, base: str) -> bool:
        """Return whether the delivery was accepted on some base, by what is checked on this one.

        Raises:
            ConfigurationError: the repository's file on this base cannot be used.
        """
        accepted = {
            review.check_set
            for review in await self._store.jobs.list_reviews(job.key)
            if review.delivered_commit == delivered and review.verdict is Verdict.ACCEPT
        }
        return bool(accepted) and (await self._plan_of(job, base)).digest in accepted

    def merges_what_it_judged(self, repository: str) -> bool:
        """Return whether the very commit that was judged is pushed, so that others build on it."""
        return self.pull_requests is None or not self.pull_requests.covers(repository)

    async def goes_in_circles(self, job: Job, attempt: Attempt, delivered: str) -> bool:
        """Return whether the delivery holds the very files of one that this attempt was sent back.

        Raises:
            ForgeError: git failed.
        """
        before = {
            review.delivered_commit
            for review in await self._store.jobs.list_reviews(job.key)
            if review.mark == attempt.mark and review.verdict is Verdict.REJECT
        } - {delivered}
        if not before:
            return False
        tree = await self._tree(job.repository, delivered)
        return tree in {await self._tree(job.repository, commit) for commit in before}

    async def _tree(self, repository: str, commit: str) -> str:
        place = (repository, commit)
        if place not in self._trees:
            if len(self._trees) >= MOST_PLANS:
                self._trees.clear()
            known = await self._forge.contains(repository, "", commit)
            # What was dropped since is like nothing else.
            self._trees[place] = (
                commit if known is None else await self._forge.tree(repository, commit)
            )
        return self._trees[place]

    async def _holds(self, job: Job, commit: str) -> bool | None:
        if not commit:
            return None
        return await self._forge.contains(job.repository, job.base_branch, commit)

    async def review(
        self, job: Job, attempt: Attempt, delivery: Delivery, tell: Tell = tell_nobody
    ) -> Review:
        """Merge the delivery into the base in a scratch worktree and run every check; nothing is kept.

        `tell` hears of each result as soon as it is there.

        Raises:
            ForgeError: git failed.
        """
        await self._fetch(job.repository)
        message = _merge_message(job, attempt)
        async with self._forge.merged(
            job.repository, base_branch=job.base_branch, delivery=delivery, message=message
        ) as candidate:
            plan = await self._plan_of(job, candidate.base_commit)
            change = await self._change(job, candidate)
            checks = await self._checks(job, candidate, plan, change, delivery.commit, tell)
            if change is not None:
                checks += await judged_by(self._judges, job, candidate, plan, checks)
        return Review(
            job_key=job.key,
            mark=attempt.mark,
            delivered_commit=delivery.commit,
            base_commit=candidate.base_commit,
            verdict=verdict_of(checks),
            checks=tuple(checks),
            merge_commit=candidate.commit,
            at=self._clock.now(),
            check_set=plan.digest,
            **_size(change),
        )

    async def review_together(
        self, parts: Sequence[tuple[Job, Attempt, Delivery]], tell: Tell = tell_nobody
    ) -> list[Review]:
        """Merge deliveries of one repository and base branch in turn, and check what comes of it.

        The rules look at each, the commands run once, on all of them.

        Returns:
            A review of each, on the merge of the one before it, if all of them are accepted; else
            none: which one is to blame is not known.

        Raises:
            ForgeError: git failed.
        """
        first = parts[0][0]
        await self._fetch(first.repository)
        deliveries = [(delivery, _merge_message(job, attempt)) for job, attempt, delivery in parts]
        async with self._forge.merged_in_turn(
            first.repository, base_branch=first.base_branch, deliveries=deliveries
        ) as candidates:
            if candidates[-1].conflicts:
                return []
            base = candidates[0].base_commit
            plans = [await self._plan_of(job, base) for job, _, _ in parts]
            every = [check.command for plan in plans for check in plan.checks]
            plan = with_commands(plans[0], every)
            changes = [
                await self._forge.change(
                    first.repository, job=job, base=candidate.base_commit, head=candidate.commit
                )
                for (job, _, _), candidate in zip(parts, candidates, strict=True)
            ]
            results = await self._suite.results_together(changes, candidates[-1], plan, tell)
            for (job, _, _), candidate, checks in zip(parts, candidates, results, strict=True):
                checks.extend(await judged_by(self._judges, job, candidate, plan, checks))
        reviews = [
            Review(
                job_key=job.key, mark=attempt.mark, delivered_commit=delivery.commit,
                base_commit=candidate.base_commit, verdict=verdict_of(checks),
                checks=tuple(checks), merge_commit=candidate.commit, at=self._clock.now(),
                check_set=own.digest, **_size(change),
            )
            for (job, attempt, delivery), candidate, change, checks, own in zip(
                parts, candidates, changes, results, plans, strict=True
            )
        ]  # fmt: skip
        accepted = all(review.verdict is Verdict.ACCEPT for review in reviews)
        return reviews if accepted else []

    async def _change(self, job: Job, candidate: MergeCandidate) -> Change | None:
        if candidate.conflicts or candidate.worktree is None:
            return None
        return await self._forge.change(
            job.repository, job=job, base=candidate.base_commit, head=candidate.commit
        )

    async def _plan_of(self, job: Job, base: str) -> ReviewPlan:
        """Return what the job's delivery is checked by on this base: also by its own commands.

        Raises:
            ConfigurationError: the repository's file cannot be used.
        """
        return with_commands(await self._plan_at(job.repository, base), job.checks)

    async def _plan_at(self, repository: str, base: str) -> ReviewPlan:
        """Return what is checked on this base: the settings, and the file that it has.

        Raises:
            ConfigurationError: the file cannot be used.
        """
        place = (repository, base)
        if place not in self._plans:
            if len(self._plans) >= MOST_PLANS:
                self._plans.clear()
            content = await self._forge.read_file(repository, base, REVIEW_FILE)
            self._plans[place] = (
                self._plan if content is None else _with_content(self._plan, content)
            )
        return self._plans[place]

    async def merge(self, job: Job, review: Review, *, branch: str = "") -> MergeOutcome | None:
        """Merge what was checked; None when the base moved on since.

        Args:
            job: Whose delivery it is.
            review: Which accepted it.
            branch: That it was delivered on; empty: a bare patch.

        Returns:
            Merged once the remote's base branch was seen to hold the work.

        Raises:
            ForgeError: the forge failed.
        """
        await self._forge.fetch(job.repository)
        if await self._holds(job, review.merge_commit):
            return Merged(commit=review.merge_commit)
        head = await self._forge.head_commit(job.repository, job.base_branch)
        delivered = review.delivered_commit
        if head != review.base_commit and not await self._landed(job, delivered, branch):
            return None
        candidate = MergeCandidate(base_commit=review.base_commit, commit=review.merge_commit)
        return await self._forge.push_merge(
            job.repository, job=job, base_branch=job.base_branch, candidate=candidate,
            delivery=Delivery(commit=delivered, branch=branch),
        )  # fmt: skip

    async def _landed(self, job: Job, delivered: str, branch: str) -> bool:
        """Whether a pull request brought the delivery into the base, in whatever form."""
        if self.pull_requests is None:
            return False
        delivery = Delivery(commit=delivered, branch=branch)
        return await self.pull_requests.merged_as(job, delivery) is not None

    async def _checks(
        self,
        job: Job,
        candidate: MergeCandidate,
        plan: ReviewPlan,
        change: Change | None,
        delivered: str,
        tell: Tell,
    ) -> list[CheckResult]:
        if change is None:
            output = await conflict_text(self._forge, job, candidate, delivered)
            return [CheckResult(name=MERGES, conclusion=Conclusion.FAILURE, output=output)]
        return await self._suite.results(job, candidate, plan, change, tell)


def _with_content(plan: ReviewPlan, content: bytes) -> ReviewPlan:
    try:
        document = tomllib.loads(content.decode("utf-8"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as exc:
        raise ConfigurationError(f"{REVIEW_FILE} on the base branch is no TOML: {exc}.") from exc
    return with_file(plan, document, known_rules=rule_ids())


async def patch_delivery(
    forge: Forge, store: Store, repository: str, change_set: ChangeSet, message: str
) -> Delivery:
    """Return the commit that a patch was made into; it is made when there is none yet.

    A patch becomes a new commit each time (its date differs), so the first one is kept:
    otherwise the same patch would be reviewed for ever.

    Raises:
        ForgeError: its base commit is unknown or it does not apply.
    """
    text = change_set.base_commit_id + "\0" + change_set.unidiff_patch
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    note = f"patch_delivery.{repository}.{digest}"
    commit = await store.get_note(note)
    # Whether a branch holds it does not matter here: None says that the commit is not there.
    if commit is None or await forge.contains(repository, "", commit) is None:
        delivery = await forge.deliver_patch(repository, change_set, message)
        commit = delivery.commit
        await store.set_note(note, commit)
    return Delivery(commit=commit)


def _size(change: Change | None) -> dict[str, Any]:
    """Return how much a delivery changes, as members of its review."""
    if change is None:
        return {}
    paths = sorted(file.path for file in change.files)
    lines = sum(len(file.added_lines) + len(file.removed_lines) for file in change.files)
    return {
        "changed_files": len(paths),
        "changed_lines": lines,
        "changed_paths": tuple(paths[:MOST_PATHS]),
    }


def _merge_message(job: Job, attempt: Attempt) -> str:
    return (
        f"Merge {job.key}: {job.title}\n\nJules task: {attempt.task_id}\nAttempt: {attempt.mark}\n"
    )
