"""What reviews say of the checks themselves."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from jules_job_manager.domain.event import EventType, NewEvent
from jules_job_manager.domain.finding import Finding
from jules_job_manager.domain.review import CheckResult, Conclusion, Review, verdict_of
from jules_job_manager.services.flakes import check_histories

pytestmark = pytest.mark.integration


def finished(merge: str, *checks: CheckResult) -> NewEvent:
    review = Review(
        job_key="J", mark="m", delivered_commit="d", base_commit="b", verdict=verdict_of(checks),
        checks=checks, merge_commit=merge, check_set="s",
    )  # fmt: skip
    return NewEvent(
        type=EventType.REVIEW_FINISHED, subject="job:J", at=datetime(2026, 11, 27, tzinfo=UTC),
        data=review.to_dict(),
    )  # fmt: skip


def ran(name: str, word: str, **more) -> CheckResult:
    return CheckResult(name=name, conclusion=Conclusion(word), command=f"make {name}", **more)


async def test_the_flakiest_first(store):
    """Run again, in quarantine, or another word on the same merge: each counts; rules do not."""
    broken = (Finding(rule="slow", message="x"),)
    await store.events.append(
        [
            finished("1", ran("tests", "success"), ran("slow", "neutral", findings=broken)),
            finished("2", ran("tests", "success", is_flaky=True), ran("slow", "failure")),
            finished("3", ran("tests", "failure"), ran("lint", "success")),
            finished("3", ran("tests", "success"), ran("lint", "success")),
            finished("4", CheckResult(name="rule", conclusion=Conclusion.FAILURE)),
        ]
    )
    found = [history.to_dict() for history in await check_histories(store)]
    assert [("slow", 2, 0.5), ("tests", 4, 0.5), ("lint", 2, 0.0)] == [
        (one["check"], one["runs"], one["flaky_share"]) for one in found
    ]
    assert (1, 1, 1) == (found[1]["flaky"], found[1]["changed_its_mind"], found[1]["failed"])
    assert (1, 1) == (found[0]["quarantined"], found[0]["failed"])


async def test_nothing_was_run_yet(store):
    """No history."""
    assert [] == await check_histories(store)
