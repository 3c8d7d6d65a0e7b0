"""Entity tags: what a reader saw, so that a change can be refused when it has changed since."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import Header, Response

from jules_job_manager.errors import ChangedMeanwhileError

IfMatch = Annotated[
    str | None,
    Header(
        description="Entity tag (ETag) of what was read; the change is refused with 412 when it "
        "is another by now.",
        max_length=200,
    ),
]


def etag_of(value: Mapping[str, Any]) -> str:
    """Return the entity tag of JSON values, in its quotes (RFC 9110, 8.8.3)."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return f'"{hashlib.sha256(text.encode("ascii")).hexdigest()[:32]}"'


def tagged(response: Response, value: dict[str, Any]) -> dict[str, Any]:
    """Put the tag of `value` on the answer, and return `value`."""
    response.headers["ETag"] = etag_of(value)
    return value


def require_match(if_match: str | None, value: Mapping[str, Any]) -> None:
    """Check that `value` is what the caller saw. Without a tag, or with `*`, anything is.

    Raises:
        ChangedMeanwhileError: it is something else.
    """
    if if_match is None or if_match.strip() == "*":
        return
    tags = {tag.strip() for tag in if_match.split(",")}
    if etag_of(value) not in tags:
        raise ChangedMeanwhileError(
            "It changed since you read it.", hint="Read it again, then decide again."
        )
