"""How often each check was flaky, from the reviews that were ever finished."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from jules_job_manager.domain.event import EventType
from jules_job_manager.ports.store import Store

_PAGE = 1000


@dataclass(kw_only=True)
class CheckHistory:
    """How one check ended, over all reviews that ran it."""

    name: str
    runs: int = 0
    flaky: int = 0
    """It failed, and passed when it was run again."""
    quarantined: int = 0
    """Only tests in quarantine failed."""
    failed: int = 0
    changed_its_mind: int = 0
    """It failed once and passed once on the same commit: flaky too, though nobody ran it again."""

    @property
    def flaky_share(self) -> float:
        """Of its runs, 0 to 1."""
        return (self.flaky + self.quarantined + self.changed_its_mind) / self.runs

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {
            "check": self.name, "runs": self.runs, "failed": self.failed, "flaky": self.flaky,
            "quarantined": self.quarantined, "changed_its_mind": self.changed_its_mind,
            "flaky_share": round(self.flaky_share, 4),
        }  # fmt: skip

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Read what `to_dict` wrote."""
        return cls(
            name=data["check"], runs=data["runs"], failed=data["failed"], flaky=data["flaky"],
            quarantined=data["quarantined"], changed_its_mind=data["changed_its_mind"],
        )  # fmt: skip


async def check_histories(store: Store) -> list[CheckHistory]:
    """Return the history of every command, the flakiest first.

    Raises:
        StoreError: the store failed.
    """
    found: dict[str, CheckHistory] = {}
    said: dict[tuple[str, str, str], set[str]] = defaultdict(set)
    last = 0
    while True:
        page = await store.events.read(type=EventType.REVIEW_FINISHED, after_id=last, limit=_PAGE)
        for event in page:
            for check in event.data.get("checks") or ():
                if check.get("command"):
                    _count(found, said, event.data, check)
        if len(page) < _PAGE:
            break
        last = page[-1].id
    for (name, _, _), words in said.items():
        found[name].changed_its_mind += len(words) > 1
    return sorted(found.values(), key=lambda one: (-one.flaky_share, one.name))


def _count(
    found: dict[str, CheckHistory],
    said: dict[tuple[str, str, str], set[str]],
    review: Mapping[str, Any],
    check: Mapping[str, Any],
) -> None:
    name, conclusion = str(check["name"]), str(check.get("conclusion"))
    history = found.setdefault(name, CheckHistory(name=name))
    history.runs += 1
    history.flaky += bool(check.get("flaky"))
    history.quarantined += conclusion == "neutral" and bool(check.get("findings"))
    history.failed += conclusion in {"failure", "timed_out"}
    merge = str(review.get("merge_commit") or "")
    if merge and conclusion in {"success", "failure"} and not check.get("flaky"):
        said[(name, merge, str(review.get("check_set")))].add(conclusion)
