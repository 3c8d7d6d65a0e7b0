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
    if if_match is None or if_match.strip() == "*":
        return
    tags = {tag.strip() for tag in if_match.split(",")}
    if entity_tag(value) not in tags:
        raise ChangedMeanwhileError(
            "It changed since you read it.", hint="Read it again, then decide again."
        )
