"""What every model shares."""

from __future__ import annotations

from typing import Annotated, Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

T = TypeVar("T")
Moment = Annotated[str, Field(json_schema_extra={"format": "date-time"})]
"""A time as RFC 3339 in UTC. Kept as text, so that what was written is what is sent."""
_NO_NUL = r"^[^\x00]*$"
Line = Annotated[str, StringConstraints(max_length=500, pattern=_NO_NUL)]
Text = Annotated[str, StringConstraints(max_length=200_000, pattern=_NO_NUL)]
"""A long text; prompts of that size are refused by Jules long before."""
Key = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=_NO_NUL)]


class Answer(BaseModel):
    """Something the service sends."""


class Body(BaseModel):
    """Something the service is sent. A member that it does not know is a mistake, and said to be."""

    model_config = ConfigDict(extra="forbid")


class Page(Answer, Generic[T]):
    """A part of a list."""

    items: list[T]
    next_cursor: str | None = Field(
        default=None, description="Ask for the next page with it; none: this is the last."
    )


class BatchItem(Answer, Generic[T]):
    """What became of one of several."""

    index: int = Field(description="Its place in the request, from 0.")
    status: int = Field(description="As the HTTP status that it alone would have had.")
    item: T | None = None
    problem: dict[str, Any] | None = None


class BatchResult(Answer, Generic[T]):
    """What became of each, in the order of the request."""

    results: list[BatchItem[T]]
