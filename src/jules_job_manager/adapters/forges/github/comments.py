"""Comments on a pull request: what people said, and the one that we keep up to date.

Source: docs.github.com/en/rest/issues/comments, /rest/pulls/comments, /rest/pulls/reviews
(`author_association`, `user.type`), read 2026-11.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from jules_job_manager.adapters.forges.github.api import GitHubApi
from jules_job_manager.domain.pull_request import PullRequestComment
from jules_job_manager.errors import ForgeError

MARKER = "<!-- jjm:report -->"
"""First line of our comment; GitHub does not show it."""
BODY_CHARACTERS = 8000
_LONGEST_COMMENT = 65_000
_MOST_COMMENTS = 300
_TRUSTED = frozenset({"OWNER", "MEMBER", "COLLABORATOR"})


class CommentsApi:
    """Reads and writes comments. Each call may raise ForgeError."""

    def __init__(self, api: GitHubApi) -> None:
        """Ask over this API."""
        self._api = api

    async def of_people(
        self, repository: str, number: int, commit: str
    ) -> tuple[PullRequestComment, ...]:
        """Return what people with a say in the repository wrote, each comment once, oldest first.

        Of what is said about lines, only what is about `commit`, or still applies to it, counts.
        Bots and our own report are left out.
        """
        found: dict[str, tuple[str, PullRequestComment]] = {}
        place = f"/repos/{quote(repository)}"
        lists = (
            ("comment", f"{place}/issues/{number}/comments?per_page=100", "created_at"),
            ("line", f"{place}/pulls/{number}/comments?per_page=100", "created_at"),
            ("review", f"{place}/pulls/{number}/reviews?per_page=100", "submitted_at"),
        )
        for kind, path, moment in lists:
            for item in await self._api.get_all(path, "list comments", most=_MOST_COMMENTS):
                comment = _comment(kind, item, commit)
                if comment is not None:
                    found[comment.id] = (str(item.get(moment) or ""), comment)
        ordered = sorted(found.values(), key=lambda pair: (pair[0], pair[1].id))
        return tuple(comment for _, comment in ordered)

    async def show(self, repository: str, number: int, markdown: str) -> None:
        """Write our comment, or rewrite it where it is."""
        place = f"/repos/{quote(repository)}/issues"
        body = {"body": f"{MARKER}\n{markdown}"[:_LONGEST_COMMENT]}
        listed = await self._api.get_all(
            f"{place}/{number}/comments?per_page=100", "list comments", most=_MOST_COMMENTS
        )
        ours = [item for item in listed if _is_ours(item)]
        if ours and ours[0].get("body") == body["body"]:
            return
        if ours:
            path = f"{place}/comments/{int(ours[0]['id'])}"
            try:
                await self._api.send("PATCH", path, body, "rewrite the report")
            except ForgeError as exc:
                if exc.context.get("status") not in {403, 404}:
                    raise
            else:
                return
        await self._api.send("POST", f"{place}/{number}/comments", body, "write the report")


def _is_bot(item: Mapping[str, Any]) -> bool:
    user = item.get("user")
    user = user if isinstance(user, Mapping) else {}
    return user.get("type") == "Bot" or str(user.get("login", "")).endswith("[bot]")


def _is_ours(item: Any) -> bool:
    """Whether it begins with our marker, and a stranger cannot have written it."""
    if not isinstance(item, Mapping) or not isinstance(item.get("id"), int):
        return False
    trusted = item.get("author_association") in _TRUSTED or _is_bot(item)
    return trusted and str(item.get("body") or "").startswith(MARKER)


def _comment(kind: str, item: Any, commit: str) -> PullRequestComment | None:
    if not isinstance(item, Mapping) or _is_bot(item) or not isinstance(item.get("id"), int):
        return None
    body = str(item.get("body") or "").strip()
    if not body or body.startswith(MARKER):
        return None
    if kind == "line" and commit not in {item.get("commit_id"), item.get("original_commit_id")}:
        return None
    if item.get("author_association") not in _TRUSTED:
        return None
    line = item.get("line") or item.get("original_line")
    user = item.get("user")
    return PullRequestComment(
        id=f"{kind}:{item['id']}", body=body[:BODY_CHARACTERS],
        author=str(user.get("login", "")) if isinstance(user, Mapping) else "",
        path=str(item.get("path") or ""), line=line if isinstance(line, int) else None,
    )  # fmt: skip
