"""Entity tags: what a reader saw, so that a change can be refused when it has changed since."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import Header, Response

from jules_job_manager.domain.entity_tag import entity_tag
from jules_job_manager.errors import ChangedMeanwhileError

IfMatch = Annotated[
    str | None,
    Header(
        description="Entity tag (ETag) of what was read; the change is refused with 412 when it "
        "is another by now.",
        max_length=200,
    ),
]


def tagged(response: Response, value: dict[str, Any]) -> dict[str, Any]:
    """Put the tag of `value` on the answer, and return `value`."""
    response.headers["ETag"] = entity_tag(value)
    return value


def require_match(if_match: str | None, value: Mapping[str, Any]) -> None:
    """Check that `value` is what the caller saw. Without a tag, or with `*`, anything is.

    Raises:
        ChangedMeanwhileError: it is something else.
    """
    if if_match is not None:
        require_tag(if_match, entity_tag(value))


def require_tag(if_match: str, tag: str) -> None:
    """Check that what has `tag` now is what the caller saw. With `*`, anything is.

    Raises:
        ChangedMeanwhileError: it is something else.
    """
    if if_match.strip() == "*":
        return
    if tag not in {given.strip() for given in if_match.split(",")}:
        raise ChangedMeanwhileError(
            "It changed since you read it.", hint="Read it again, then decide again."
        )
