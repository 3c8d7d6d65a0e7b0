"""Which events a query chooses: the same words for the list, the stream and the WebSocket."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from jules_job_manager.domain.clockwork import from_rfc3339
from jules_job_manager.domain.event_filter import EventFilter
from jules_job_manager.errors import InvalidInputError

MOST_VALUES = 50
"""Most values of one filter."""
LONGEST_VALUE = 300
ABOUT = {
    "type": "Only events of these types.",
    "subject": "task:ID, job:KEY, backlog:PATH, webhook:ID or queue; `job:*` is every job.",
    "task": "About tasks with these ids.",
    "job": "About jobs with these keys.",
    "since": "Only what happened then or later.",
    "until": "Only what happened before.",
}
"""What each filter chooses, for the description."""


def described_choice() -> list[dict[str, Any]]:
    """Return the parameters that `choice_of` reads, as OpenAPI has them.

    They are described only: `choice_of` reads and refuses them for the stream and the WebSocket alike.
    """
    value = {"type": "string", "maxLength": LONGEST_VALUE}
    several = {"type": "array", "items": value, "maxItems": MOST_VALUES}
    moment = {"type": "string", "format": "date-time", "maxLength": LONGEST_VALUE}
    return [
        {
            "name": name, "in": "query", "required": False, "description": said,
            "schema": moment if name in {"since", "until"} else several,
        }
        for name, said in ABOUT.items()
    ]  # fmt: skip


def event_choice(
    *,
    types: Sequence[str] = (),
    subjects: Sequence[str] = (),
    tasks: Sequence[str] = (),
    jobs: Sequence[str] = (),
    since: datetime | None = None,
    until: datetime | None = None,
) -> EventFilter:
    """Return the filter; types and times must fit, and of subjects, tasks and jobs one.

    Args:
        types: Of these types; none: of any.
        subjects: About these. `job:*` is every job; a star elsewhere is itself.
        tasks: About the tasks with these ids.
        jobs: About the jobs with these keys.
        since: At or after this.
        until: Before this.

    Raises:
        ValueError: a moment has no time zone.
    """
    about = [f"task:{task}" for task in tasks] + [f"job:{key}" for key in jobs]
    prefixes: list[str] = []
    for subject in subjects:
        (prefixes if subject.endswith("*") else about).append(subject.removesuffix("*"))
    return EventFilter(
        types=frozenset(types), subjects=frozenset(about), subject_prefixes=tuple(prefixes),
        since=since, until=until,
    )  # fmt: skip


def choice_of(pairs: Sequence[tuple[str, str]]) -> EventFilter:
    """Read the filters of a query; other parameters are left to others.

    Raises:
        InvalidInputError: one cannot be used.
    """
    found: dict[str, list[str]] = {}
    for name, value in pairs:
        if len(value) > LONGEST_VALUE:
            raise InvalidInputError(f"A value of {name!r} is longer than {LONGEST_VALUE}.")
        found.setdefault(name, []).append(value)
        if len(found[name]) > MOST_VALUES:
            raise InvalidInputError(f"There are more than {MOST_VALUES} values of {name!r}.")
    return event_choice(
        types=found.get("type", ()), subjects=found.get("subject", ()),
        tasks=found.get("task", ()), jobs=found.get("job", ()),
        since=_moment(found, "since"), until=_moment(found, "until"),
    )  # fmt: skip


def _moment(found: dict[str, list[str]], name: str) -> datetime | None:
    if name not in found:
        return None
    text = found[name][-1]
    try:
        return from_rfc3339(text)
    except ValueError as exc:
        raise InvalidInputError(
            f"{name} {text!r} is no time.", hint="Write it as 2026-11-24T12:00:00Z."
        ) from exc
