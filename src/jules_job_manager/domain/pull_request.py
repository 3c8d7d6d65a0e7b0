"""What a code host knows of a delivery beside its commits: checks it ran, what people said."""

from __future__ import annotations

from dataclasses import dataclass

from jules_job_manager.domain.review import CheckResult


@dataclass(frozen=True, kw_only=True, slots=True)
class PullRequestComment:
    """What a person said on a pull request. Its text is not trusted."""

    id: str
    """Unique among the comments of the pull request, whatever their kind."""
    author: str
    body: str
    path: str = ""
    """The file it is about; empty: the whole."""
    line: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class PullRequestFeedback:
    """What can be told to the author of a delivery, each thing once."""

    checks: tuple[CheckResult, ...] = ()
    """Checks of the code host that failed on the delivered commit."""
    comments: tuple[PullRequestComment, ...] = ()
    """Of people who may write to the repository, oldest first."""
