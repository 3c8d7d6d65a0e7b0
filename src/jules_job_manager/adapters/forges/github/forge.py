"""GitHub as a forge: git for everything that git does, a pull request for the merge."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from jules_job_manager.adapters.forges.git_command import git, git_ok
from jules_job_manager.adapters.forges.github.addresses import Addresses
from jules_job_manager.adapters.forges.github.api import GitHubApi
from jules_job_manager.adapters.forges.github.branches import branch_of
from jules_job_manager.adapters.forges.github.checks import HostCheck, host_checks, judged
from jules_job_manager.adapters.forges.github.comments import CommentsApi
from jules_job_manager.adapters.forges.github.pulls import PullRequest, PullRequestsApi
from jules_job_manager.adapters.forges.local import LocalGitForge
from jules_job_manager.domain.job import Job
from jules_job_manager.domain.pull_request import PullRequestFeedback
from jules_job_manager.domain.review import Delivery
from jules_job_manager.domain.text import shorten
from jules_job_manager.errors import ForgeError
from jules_job_manager.ports.forge import MergeCandidate, Merged, MergeOutcome, NotYet, Refused

_TITLE_CHARACTERS = 200
_HINTS = {
    405: "Branch protection or the repository's settings do not allow it: look at the pull request. "
    "Checks that must pass are named in github.required_checks; github.merge_method must be allowed.",
    409: "The branch got new commits; they are reviewed first.",
    422: "GitHub cannot merge it as it is: look at the pull request.",
}


class GitHubForge(LocalGitForge):
    """Repositories of GitHub, merged through pull requests; all others as LocalGitForge does.

    It is the Forge and the PullRequests of both kinds: one without pull requests has none.
    """

    def __init__(
        self,
        *,
        api: GitHubApi,
        addresses: Addresses,
        cache: Path,
        remotes: Mapping[str, str],
        merge_method: str = "merge",
        required_checks: Sequence[str] = (),
        shows_report: bool = True,
        kept_commits: int = 500,
    ) -> None:
        """Bind the parts.

        Args:
            api: GitHub's API.
            addresses: Tells which repositories are there.
            cache: Folder of the mirrors.
            remotes: `owner/name` to git URL or path.
            merge_method: `merge`, `squash` or `rebase`.
            required_checks: Names of check runs or commit statuses that must have passed.
            shows_report: Whether reviews are shown on pull requests.
            kept_commits: See LocalGitForge.
        """
        super().__init__(cache=cache, remotes=remotes, kept_commits=kept_commits)
        self._api = api
        self._pulls = PullRequestsApi(api)
        self._comments = CommentsApi(api)
        self._addresses = addresses
        self._method = merge_method
        self._required = tuple(required_checks)
        self._shows_report = shows_report

    def _remote(self, repository: str) -> str | None:
        return self._addresses.remote(repository)

    async def _environment(self, repository: str) -> Mapping[str, str]:
        if not self._addresses.may_sign_in(repository):
            return {}
        return self._addresses.sign_in(await self._api.token())

    def covers(self, repository: str) -> bool:
        """See `PullRequests.covers`."""
        return self._addresses.is_here(repository)

    async def merged_as(self, job: Job, delivery: Delivery) -> str | None:
        """See `PullRequests.merged_as`."""
        if not self._addresses.is_here(job.repository):
            return None
        branch = branch_of(job, delivery)
        found = await self._pulls.of_branch(job.repository, branch, job.base_branch)
        return next((r.merge_commit for r in found if _took(r, delivery)), None)

    async def push_merge(
        self, repository: str, *, job: Job, base_branch: str, delivery: Delivery,
        candidate: MergeCandidate,
    ) -> MergeOutcome:  # fmt: skip
        """Merge the delivery's pull request, if it and the base still are what was reviewed.

        One that is merged already is fine: a run ended before that was written down.

        Raises:
            ForgeError: see `Forge.push_merge`.
        """
        if not self._addresses.is_here(repository):
            return await super().push_merge(
                repository, job=job, base_branch=base_branch, delivery=delivery,
                candidate=candidate,
            )  # fmt: skip
        if not candidate.commit:
            raise ForgeError("There is nothing to merge: the delivery conflicts with the base.")
        branch = branch_of(job, delivery)
        found = await self._pulls.of_branch(repository, branch, base_branch)
        taken = next((request for request in found if _took(request, delivery)), None)
        if taken is not None:
            return await self._merged(repository, base_branch, taken.merge_commit, candidate)
        if await self._changes_nothing(repository, candidate):
            return Merged(commit=candidate.base_commit)
        request = next((request for request in found if request.is_open), None)
        if request is None and any(r.head_commit == delivery.commit for r in found):
            return NotYet(
                reason=f"pull request {found[0].number} was closed; reopen it to merge it"
            )
        if request is None:
            request = await self._opened(job, base_branch, branch, delivery)
        await self._check_place(repository, base_branch, request, delivery, candidate)
        if request.is_draft:
            return NotYet(
                reason=f"pull request {request.number} is a draft; mark it as ready for review"
            )
        checks = await self._checks(repository, delivery.commit) if self._required else []
        waits, failed = judged(self._required, checks)
        if failed:
            return Refused(checks=tuple(failed))
        if waits:
            return NotYet(reason=f"required checks of GitHub: {'; '.join(waits)}")
        made = await self._merge_request(job, request, delivery)
        return await self._merged(repository, base_branch, made, candidate)

    async def _opened(
        self, job: Job, base_branch: str, branch: str, delivery: Delivery
    ) -> PullRequest:
        """Open the pull request; a bare patch is pushed to its branch first."""
        if not delivery.branch:
            await self._push_patch(job.repository, branch, delivery.commit)
        title = shorten(f"{job.key}: {job.title}", _TITLE_CHARACTERS)
        body = "Work of Google Jules, reviewed by Jules Job Manager before it is merged.\n"
        try:
            return await self._pulls.create(
                job.repository, branch=branch, base=base_branch, title=title, body=body
            )
        except ForgeError as exc:
            if exc.context.get("status") != 422 and not exc.context.get("unclear"):
                raise
            found = await self._pulls.of_branch(job.repository, branch, base_branch)
            request = next((request for request in found if request.is_open), None)
            if request is None:
                raise
            return request  # somebody, or a request of ours whose answer was lost, opened it

    async def _push_patch(self, repository: str, branch: str, commit: str) -> None:
        """Make the branch of a bare patch; one of that name with other work is left as it is.

        Raises:
            ForgeError: there is such a branch, or git failed.
        """
        known = await self.head_commit(repository, branch)
        if known == commit:
            return
        mirror = await self._mirror(repository)
        target = f"refs/heads/{branch}"
        environment = await self._environment(repository)
        async with self._alone(mirror):
            result = await git(
                mirror, "push", "--porcelain", f"--force-with-lease={target}:", "--end-of-options",
                "origin", f"{commit}:{target}", environment=environment,
            )  # fmt: skip
        if result.code == 0:
            return
        await self.fetch(repository)
        if await self.head_commit(repository, branch) != commit:
            raise ForgeError(
                f"The patch could not be pushed to {branch} of {repository}: "
                f"{shorten(result.stderr, 300)}",
                hint="Delete the branch if it is in the way; the token needs write access to contents.",
            )

    async def _check_place(
        self, repository: str, base_branch: str, request: PullRequest, delivery: Delivery,
        candidate: MergeCandidate,
    ) -> None:  # fmt: skip
        """Do nothing when head and base are what was reviewed.

        Raises:
            ForgeError: one has moved; `context["moved"]`.
        """
        if request.head_commit != delivery.commit:
            raise ForgeError(
                f"Pull request {request.number} of {repository} got new commits since its review.",
                hint=_HINTS[409], context={"moved": True},
            )  # fmt: skip
        if await self._pulls.branch_commit(repository, base_branch) != candidate.base_commit:
            raise ForgeError(
                f"{base_branch} of {repository} moved while the merge was checked.",
                context={"moved": True},
            )

    async def _checks(self, repository: str, commit: str) -> list[HostCheck]:
        runs = await self._pulls.check_runs(repository, commit)
        return host_checks(runs, await self._pulls.statuses(repository, commit))

    async def _merge_request(self, job: Job, request: PullRequest, delivery: Delivery) -> str:
        """Merge, and find out what happened where the answer does not say."""
        title = shorten(f"{job.key}: {job.title} (#{request.number})", _TITLE_CHARACTERS)
        try:
            return await self._pulls.merge(
                job.repository, request.number, commit=delivery.commit, method=self._method,
                title=title,
            )  # fmt: skip
        except ForgeError as exc:
            status = exc.context.get("status")
            if exc.context.get("unclear"):
                now = await self._pulls.get(job.repository, request.number)
                if _took(now, delivery):
                    return now.merge_commit
            if status in _HINTS:
                context = {**exc.context, "moved": status == 409, "number": request.number}
                raise ForgeError(exc.message, hint=_HINTS[status], context=context) from exc
            raise

    async def _merged(
        self, repository: str, base_branch: str, made: str, candidate: MergeCandidate
    ) -> Merged:
        """See that the base holds the commit, and whether it is what was reviewed.

        Raises:
            ForgeError: the base does not hold it (yet).
        """
        await self.fetch(repository)
        if not await self.contains(repository, base_branch, made):
            raise ForgeError(
                f"GitHub merged into {repository} as {made[:12]}, but {base_branch} does not hold "
                "it now.",
                hint="It may take a moment; else look at the branch's history.",
            )
        same = await self._tree(repository, made) == await self._tree(repository, candidate.commit)
        note = "" if same else (
            f"{made[:12]} is not the content that was reviewed ({candidate.commit[:12]}): something "
            f"else was merged into {base_branch} at the same moment"
        )  # fmt: skip
        return Merged(commit=made, note=note)

    async def _changes_nothing(self, repository: str, candidate: MergeCandidate) -> bool:
        base = await self._tree(repository, candidate.base_commit)
        return base == await self._tree(repository, candidate.commit)

    async def _tree(self, repository: str, commit: str) -> str:
        mirror = await self._mirror(repository)
        return await git_ok(
            mirror, "rev-parse", "--verify", "--end-of-options", f"{commit}^{{tree}}"
        )

    async def feedback(self, job: Job, delivery: Delivery) -> PullRequestFeedback:
        """See `PullRequests.feedback`."""
        if not self._addresses.is_here(job.repository):
            return PullRequestFeedback()
        checks = await self._readable_checks(job.repository, delivery.commit)
        failed = tuple(
            check.result(is_required=check.name in self._required)
            for check in checks
            if check.has_failed
        )
        request = await self._open_request(job, delivery)
        if request is None:
            return PullRequestFeedback(checks=failed)
        comments = await self._comments.of_people(job.repository, request.number, delivery.commit)
        return PullRequestFeedback(checks=failed, comments=comments)

    async def _readable_checks(self, repository: str, commit: str) -> list[HostCheck]:
        """Return the checks; none where the token may not see them."""
        try:
            return await self._checks(repository, commit)
        except ForgeError as exc:
            if exc.context.get("status") not in {403, 404}:
                raise
            return []

    async def report(self, job: Job, delivery: Delivery, markdown: str) -> None:
        """See `PullRequests.report`. A request that was merged with the delivery counts too."""
        if not self._shows_report or not self._addresses.is_here(job.repository):
            return
        branch = branch_of(job, delivery)
        found = await self._pulls.of_branch(job.repository, branch, job.base_branch)
        request = next((r for r in found if r.is_open or _took(r, delivery)), None)
        if request is not None:
            await self._comments.show(job.repository, request.number, markdown)

    async def _open_request(self, job: Job, delivery: Delivery) -> PullRequest | None:
        branch = branch_of(job, delivery)
        found = await self._pulls.of_branch(job.repository, branch, job.base_branch)
        return next((request for request in found if request.is_open), None)


def _took(request: PullRequest, delivery: Delivery) -> bool:
    """Whether the pull request was merged with the very delivery."""
    return bool(request.merge_commit) and request.head_commit == delivery.commit
