"""What the pretend GitHub knows: repositories, pull requests, checks, comments, limits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from tests.github_stand_in import git_merges


@dataclass
class Protection:
    """What a branch's rules and the repository's settings ask for."""

    required_checks: tuple[str, ...] = ()
    approvals: int = 0
    methods: tuple[str, ...] = ("merge", "squash", "rebase")


@dataclass
class Repository:
    """One repository; the bare git repository at `path` holds its branches."""

    name: str
    path: Path
    protection: Protection = field(default_factory=Protection)
    pulls: list[dict[str, Any]] = field(default_factory=list)
    runs: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    statuses: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    issue_comments: list[dict[str, Any]] = field(default_factory=list)
    line_comments: list[dict[str, Any]] = field(default_factory=list)
    reviews: list[dict[str, Any]] = field(default_factory=list)
    deletes_branches: bool = False
    may_push: bool = True
    before_merge: Callable[[], None] = lambda: None
    """Called when a merge was asked for and is about to happen."""

    def open(self, branch: str, *, base: str = "main", draft: bool = False) -> dict[str, Any]:
        """Open a pull request."""
        pull = {
            "number": len(self.pulls) + 1, "state": "open", "draft": draft, "merged_at": None,
            "merge_commit_sha": None, "title": branch, "body": "",
            "head": {"label": f"{self.owner}:{branch}", "ref": branch,
                     "sha": git_merges.head(self.path, branch), "repo": {"full_name": self.name}},
            "base": {"label": f"{self.owner}:{base}", "ref": base,
                     "sha": git_merges.head(self.path, base), "repo": {"full_name": self.name}},
        }  # fmt: skip
        self.pulls.append(pull)
        return pull

    @property
    def owner(self) -> str:
        return self.name.partition("/")[0]

    def add_run(
        self, commit: str, name: str, conclusion: str | None = None, *, status: str = "", **output: str
    ) -> None:  # fmt: skip
        """Report a check run; without a conclusion it is in progress."""
        run = {
            "id": 1000 + sum(map(len, self.runs.values())), "name": name, "head_sha": commit,
            "status": status or ("completed" if conclusion else "in_progress"),
            "conclusion": conclusion, "app": {"slug": "github-actions"},
            "output": {"title": None, "summary": None, "text": None, **output},
        }  # fmt: skip
        kept = [r for r in self.runs.get(commit, []) if r["name"] != name]
        self.runs[commit] = [*kept, run]

    def add_status(self, commit: str, context: str, state: str, description: str = "") -> None:
        """Report a commit status."""
        kept = [s for s in self.statuses.get(commit, []) if s["context"] != context]
        self.statuses[commit] = [
            *kept, {"context": context, "state": state, "description": description}
        ]  # fmt: skip

    def passed(self, commit: str, name: str) -> bool:
        """Whether GitHub counts the check as passed."""
        words = [r["conclusion"] for r in self.runs.get(commit, []) if r["name"] == name]
        words += [s["state"] for s in self.statuses.get(commit, []) if s["context"] == name]
        return bool(words) and all(word in {"success", "neutral", "skipped"} for word in words)


class GitHubWorld:
    """A pretend GitHub."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self.now = now
        self.repositories: dict[str, Repository] = {}
        self.tokens = {"token-of-a-test"}
        self.requests: list[tuple[str, str]] = []
        """Method and path with query of every request, in order."""
        self.headers: list[dict[str, str]] = []
        self.remaining = 5000
        self.resets_at = now() + timedelta(hours=1)
        self.refusals: list[tuple[int, dict[str, str], str]] = []
        """Status, headers and message of the next answers, whatever is asked."""
        self.lose_next: str = ""
        """The answer to the next request with this method is lost after it took effect."""
        self.end_at: tuple[int, bool, Callable[[], BaseException]] | None = None
        """Ends the program at a request of this number, after it took effect or before."""
        self.tokens_given = 0
        self._ids = 100

    def add(self, name: str, path: Path) -> Repository:
        """Add a repository."""
        repository = self.repositories[name.casefold()] = Repository(name, path)
        return repository

    def next_id(self) -> int:
        """Return a number that nothing else has."""
        self._ids += 1
        return self._ids

    def stamp(self) -> str:
        """Return the time as GitHub writes it."""
        return self.now().strftime("%Y-%m-%dT%H:%M:%SZ")

    def comment(
        self, body: str, *, login: str = "ann", kind: str = "User", association: str = "MEMBER",
        **more: Any,
    ) -> dict[str, Any]:  # fmt: skip
        """Return a comment, to be put where it belongs."""
        return {
            "id": self.next_id(), "body": body, "user": {"login": login, "type": kind},
            "author_association": association, "created_at": self.stamp(),
            "submitted_at": self.stamp(), **more,
        }  # fmt: skip

    def count(self, method: str, part: str = "") -> int:
        """Return how many requests with this method had the part in their path."""
        return sum(method == m and part in path for m, path in self.requests)
