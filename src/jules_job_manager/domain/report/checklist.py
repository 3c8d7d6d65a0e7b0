"""What a review says about each line of a job's checklist."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from jules_job_manager.domain.evidence import said, ticked
from jules_job_manager.domain.job import Job
from jules_job_manager.domain.review import CheckResult, Conclusion

FAILED = frozenset({Conclusion.FAILURE, Conclusion.TIMED_OUT, Conclusion.ACTION_REQUIRED})
"""Conclusions that speak against a delivery; neutral and skipped say nothing."""
_QUOTED = re.compile(r"`([^`]+)`")


class ItemState(StrEnum):
    """What is known about a line."""

    PROVEN = "proven"
    """It was ticked, or a check of this review proves it."""
    REFUTED = "refuted"
    """A check that the line quotes failed."""
    UNPROVEN = "unproven"
    """Nothing speaks for it or against it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ItemReport:
    """One line of the checklist and what is known about it."""

    text: str
    state: ItemState
    evidence: str = ""
    """The checks that proved or refuted it, or what reviewers say of an unproven one; empty: a
    person ticked it, or nothing is known."""


def item_reports(
    job: Job | None, checks: Sequence[CheckResult], *, promised_check: str = ""
) -> tuple[ItemReport, ...]:
    """Return the state of every line, in the order of the document.

    A failed check outweighs a tick: the tick may be older than the delivery.

    Args:
        job: Whose checklist; None: there is none.
        checks: Of the review.
        promised_check: Name of the check that saw the promised files; empty: none did.
    """
    if job is None:
        return ()
    failed = [(_names(check), check) for check in checks if check.conclusion in FAILED]
    reports = []
    for item in ticked(job, checks, promised=promised_check):
        quoted = {_plain(part) for part in _QUOTED.findall(item.text)}
        against = [check for names, check in failed if quoted & names]
        if against:
            state, evidence = ItemState.REFUTED, ", ".join(_failure(c) for c in against)
        elif item.checked:
            state, evidence = ItemState.PROVEN, item.evidence
        else:
            state, evidence = ItemState.UNPROVEN, said(item.text, checks)
        reports.append(ItemReport(text=item.text, state=state, evidence=evidence))
    return tuple(reports)


def _names(check: CheckResult) -> set[str]:
    return {_plain(check.name), _plain(check.command)} - {""}


def _failure(check: CheckResult) -> str:
    if check.conclusion is Conclusion.TIMED_OUT:
        return f"{check.name} timed out"
    if check.exit_code is None:
        return f"{check.name} failed"
    return f"{check.name} exited with {check.exit_code}"


def _plain(text: str) -> str:
    return " ".join(text.split())
