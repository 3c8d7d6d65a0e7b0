"""Which events somebody wants to hear of."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from jules_job_manager.domain.clockwork import require_aware
from jules_job_manager.domain.event import Event


@dataclass(frozen=True, kw_only=True, slots=True)
class EventFilter:
    """A choice of events. What is left empty chooses everything.

    An event is wanted when its type is one of `types`, its subject is one of `subjects` or begins
    with one of `subject_prefixes`, and it happened at or after `since` and before `until`.

    Raises:
        ValueError: a moment has no time zone.
    """

    types: frozenset[str] = frozenset()
    subjects: frozenset[str] = frozenset()
    subject_prefixes: tuple[str, ...] = ()
    since: datetime | None = None
    until: datetime | None = None

    def __post_init__(self) -> None:
        for moment in (self.since, self.until):
            if moment is not None:
                require_aware(moment)

    def wants(self, event: Event) -> bool:
        """Return whether the event is chosen."""
        return (
            (not self.types or event.type in self.types)
            and self._is_about(event.subject)
            and (self.since is None or event.at >= self.since)
            and (self.until is None or event.at < self.until)
        )

    def _is_about(self, subject: str) -> bool:
        if not self.subjects and not self.subject_prefixes:
            return True
        return subject in self.subjects or subject.startswith(self.subject_prefixes)


EVERY_EVENT = EventFilter()
"""Nothing is left out."""
