"""What a review says about the lines of a checklist."""

from __future__ import annotations

import pytest

from jules_job_manager.domain.job import ChecklistItem, Job, JobFile
from jules_job_manager.domain.report.checklist import ItemState, item_reports
from jules_job_manager.domain.review import CheckResult, Conclusion

GOOD, BAD = Conclusion.SUCCESS, Conclusion.FAILURE


def _only(item, *checks, promised_check=""):
    job = Job(key="k", checklist=(item,), files=(JobFile(path="a/b.py", action="create"),))
    return item_reports(job, checks, promised_check=promised_check)[0]


@pytest.mark.parametrize(
    ("text", "check", "state", "evidence"),
    [
        ("`x y` passes", CheckResult(name="x  y", conclusion=BAD, exit_code=2),
         ItemState.REFUTED, "x  y exited with 2"),
        ("runs `make it` well", CheckResult(name="it", command="make it", conclusion=BAD),
         ItemState.REFUTED, "it failed"),
        ("`slow` passes", CheckResult(name="slow", conclusion=Conclusion.TIMED_OUT),
         ItemState.REFUTED, "slow timed out"),
        ("`x` passes", CheckResult(name="x", command="x", conclusion=GOOD),
         ItemState.PROVEN, "`x` exited with 0"),
        ("x passes", CheckResult(name="x", conclusion=BAD), ItemState.UNPROVEN, ""),
        ("`x` passes", CheckResult(name="x", conclusion=Conclusion.SKIPPED),
         ItemState.UNPROVEN, ""),
        ("`` passes", CheckResult(name="", conclusion=BAD), ItemState.UNPROVEN, ""),
    ],
)  # fmt: skip
def test_what_a_check_says(text, check, state, evidence):
    """A failed check refutes lines that quote its name or command; a passed one may prove them."""
    found = _only(ChecklistItem(text=text), check)
    assert (state, evidence) == (found.state, found.evidence)


def test_a_tick_counts_until_a_check_fails():
    """A ticked line is proven, but not against a check of this delivery."""
    item = ChecklistItem(text="`x` passes", checked=True, evidence="seen")
    assert _only(item).state is ItemState.PROVEN
    assert _only(item).evidence == "seen"
    assert _only(item, CheckResult(name="x", conclusion=BAD)).state is ItemState.REFUTED


def test_promised_files_are_proof_where_a_check_saw_them():
    """A line that names promised files is proven by the check of that name alone."""
    item = ChecklistItem(text="a/b.py exists")
    check = CheckResult(name="files", conclusion=GOOD)
    assert _only(item, check).state is ItemState.UNPROVEN
    assert _only(item, check, promised_check="files").state is ItemState.PROVEN


def test_without_a_job_there_is_no_checklist():
    """A review of something that is no job has no lines."""
    assert item_reports(None, ()) == ()
