"""Pull requests, branches and checks, as GitHub's REST API has them.

Unknown or missing members never stop anything: what cannot be read is not there.
Source: docs.github.com/en/rest/pulls/pulls, /rest/checks/runs, /rest/commits/statuses,
/rest/git/refs (merge answers 200, 405 or 409; `merge_commit_sha` after a merge, squash or rebase; a second
request of one head and base is 422), read 2026-11.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from jules_job_manager.adapters.forges.github.api import GitHubApi
from jules_job_manager.errors import ForgeError

_MOST_REQUESTS = 100
_MOST_CHECKS = 1000


@dataclass(frozen=True, kw_only=True, slots=True)
class PullRequest:
    """A pull request."""

    number: int
    head_commit: str
    base_branch: str
    is_open: bool = True
    is_draft: bool = False
    merge_commit: str = ""
    """What it was merged as; empty: it is not merged."""


def pull_request_from(data: Any, repository: str) -> PullRequest | None:
    """Return what was read; None when it is none, or comes from another repository (a fork).

    `merge_commit_sha` of a merged one is the merge commit, the squashed commit, or the commit the
    base was moved to by a rebase; of an open one it is a test merge and says nothing.
    """
    if not isinstance(data, Mapping) or not isinstance(data.get("number"), int):
        return None
    head, base = _mapping(data, "head"), _mapping(data, "base")
    from_repository = str(_mapping(head, "repo").get("full_name", ""))
    if from_repository.casefold() != repository.casefold():
        return None
    merged = bool(data.get("merged_at"))
    return PullRequest(
        number=data["number"], head_commit=str(head.get("sha", "")),
        base_branch=str(base.get("ref", "")), is_open=data.get("state") == "open",
        is_draft=bool(data.get("draft")),
        merge_commit=str(data.get("merge_commit_sha") or "") if merged else "",
    )  # fmt: skip


def _mapping(data: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = data.get(name)
    return value if isinstance(value, Mapping) else {}


class PullRequestsApi:
    """The calls that reviews and merges need. Each may raise ForgeError."""

    def __init__(self, api: GitHubApi) -> None:
        """Ask over this API."""
        self._api = api

    async def of_branch(self, repository: str, branch: str, base: str) -> list[PullRequest]:
        """Return the pull requests from a branch of the repository itself, newest first."""
        head = quote(f"{repository.partition('/')[0]}:{branch}", safe="")
        path = (
            f"{_place(repository)}/pulls?state=all&head={head}&base={quote(base, safe='')}"
            "&sort=created&direction=desc&per_page=100"
        )
        found = await self._api.get_all(path, "list pull requests", most=_MOST_REQUESTS)
        read = [pull_request_from(item, repository) for item in found]
        return [request for request in read if request is not None]

    async def get(self, repository: str, number: int) -> PullRequest:
        """Return one pull request as it is now."""
        data = await self._api.get(f"{_place(repository)}/pulls/{number}", "show the pull request")
        request = pull_request_from(data, repository)
        if request is None:
            raise ForgeError(f"GitHub's pull request {number} was not understood.")
        return request

    async def create(
        self, repository: str, *, branch: str, base: str, title: str, body: str
    ) -> PullRequest:
        """Open a pull request; `context["status"]` of an error is 422 when there is one already."""
        fields = {"title": title, "head": branch, "base": base, "body": body}
        data = await self._api.send(
            "POST", f"{_place(repository)}/pulls", fields, "open a pull request"
        )
        request = pull_request_from(data, repository)
        if request is None:
            raise ForgeError("GitHub's new pull request was not understood.")
        return request

    async def merge(
        self, repository: str, number: int, *, commit: str, method: str, title: str
    ) -> str:
        """Merge it, only if its head still is `commit`; return the commit it was merged as."""
        fields = {"sha": commit, "merge_method": method}
        if method != "rebase":
            fields["commit_title"] = title
        data = await self._api.send(
            "PUT", f"{_place(repository)}/pulls/{number}/merge", fields, "merge the pull request"
        )
        made = str(data.get("sha") or "") if isinstance(data, Mapping) else ""
        if not made or not data.get("merged"):
            raise ForgeError("GitHub did not say that it merged.", context={"unclear": True})
        return made

    async def branch_commit(self, repository: str, branch: str) -> str:
        """Return the commit the branch points to now; empty when there is no such branch."""
        path = f"{_place(repository)}/git/ref/heads/{quote(branch)}"
        try:
            data = await self._api.get(path, "show the base branch")
        except ForgeError as exc:
            if exc.context.get("status") == 404:
                return ""
            raise
        target = _mapping(data, "object") if isinstance(data, Mapping) else {}
        return str(target.get("sha", ""))

    async def check_runs(self, repository: str, commit: str) -> list[Any]:
        """Return the newest check run of each name and App."""
        path = f"{_place(repository)}/commits/{quote(commit)}/check-runs?filter=latest&per_page=100"
        return await self._api.get_all(path, "list check runs", most=_MOST_CHECKS, key="check_runs")

    async def statuses(self, repository: str, commit: str) -> list[Any]:
        """Return the newest commit status of each context."""
        path = f"{_place(repository)}/commits/{quote(commit)}/status?per_page=100"
        return await self._api.get_all(
            path, "list commit statuses", most=_MOST_CHECKS, key="statuses"
        )


def _place(repository: str) -> str:
    return f"/repos/{quote(repository)}"
