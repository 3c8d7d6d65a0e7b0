"""What every model shares."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Generic, TypeVar

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)
from pydantic.config import JsonDict
from pydantic_core import ErrorDetails

from jules_job_manager.domain.clockwork import require_aware

T = TypeVar("T")
Moment = Annotated[str, Field(json_schema_extra={"format": "date-time"})]
"""A time as RFC 3339 in UTC. Kept as text, so that what was written is what is sent."""
Instant = Annotated[AwareDatetime, AfterValidator(require_aware)]
"""A time that is sent: it has a zone, and is in UTC afterwards."""
_NO_NUL = r"^[^\x00]*$"
Line = Annotated[str, StringConstraints(max_length=500, pattern=_NO_NUL)]
Text = Annotated[str, StringConstraints(max_length=200_000, pattern=_NO_NUL)]
"""A long text; prompts of that size are refused by Jules long before."""
Key = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=_NO_NUL)]


def example_of(model: type[BaseModel]) -> JsonDict:
    """Return the example of a model, for that of another one that holds it.

    Raises:
        KeyError: it has none.
    """
    extra = model.model_config["json_schema_extra"]
    assert isinstance(extra, dict)
    example = extra["example"]
    assert isinstance(example, dict)
    return example


def _held(model: type[Any]) -> JsonDict:
    """Return the example of what a model is of: `JobOut` for `Page[JobOut]`."""
    (held,) = model.__pydantic_generic_metadata__["args"]
    return example_of(held)


def _page_example(schema: JsonDict, model: type[Any]) -> None:
    schema["example"] = {"items": [_held(model)], "next_cursor": "WyJTSE9QLTEyIl0"}


def _batch_example(schema: JsonDict, model: type[Any]) -> None:
    done: JsonDict = {"index": 0, "status": 201, "item": _held(model), "problem": None}
    schema["example"] = {"results": [done]}


@dataclass(frozen=True, slots=True)
class Unfit:
    """An item of a batch that is not as its model wants it."""

    errors: tuple[ErrorDetails, ...]


def _kept(value: Any, check: ValidatorFunctionWrapHandler) -> Any:
    try:
        return check(value)
    except ValidationError as exc:
        return Unfit(tuple(exc.errors(include_url=False, include_context=False)))


one_by_one = WrapValidator(_kept)
"""Of the items of a batch: one that does not fit becomes `Unfit`, and leaves the others alone."""


class Answer(BaseModel):
    """Something the service sends."""


class Body(BaseModel):
    """Something the service is sent. A member that it does not know is a mistake, and said to be."""

    model_config = ConfigDict(extra="forbid")


class Page(Answer, Generic[T]):
    """A part of a list."""

    model_config = ConfigDict(json_schema_extra=_page_example)

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

    model_config = ConfigDict(json_schema_extra=_batch_example)

    results: list[BatchItem[T]]
