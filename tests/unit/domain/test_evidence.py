"""Checklist lines are ticked only when a check proves them."""

from __future__ import annotations

import pytest

from jules_job_manager.domain.evidence import PROMISED_FILES, ticked
from jules_job_manager.domain.job import ChecklistItem, Job, JobFile
from jules_job_manager.domain.review import CheckResult, Conclusion, verdict_of

FILES = (JobFile(path="atlas/a.py", action="create"), JobFile(path="b.py", action="modify"))


def _item(text, *names, conclusion=Conclusion.SUCCESS, checked=False):
    job = Job(key="k", files=FILES, checklist=(ChecklistItem(text=text, checked=checked),))
    checks = [CheckResult(name=name, command=name, conclusion=conclusion) for name in names]
    return ticked(job, checks, promised="files exist")[0]


@pytest.mark.parametrize(
    ("text", "checks", "evidence"),
    [
        ("Tests pass", ["python -m pytest -q"], "`python -m pytest -q` exited with 0"),
        ("All existing tests pass.", ["make lint", "make test"], "`make test` exited with 0"),
        ("`make lint` passes", ["make lint"], "`make lint` exited with 0"),
        ("`make lint` runs without errors", ["make lint"], "`make lint` exited with 0"),
        ("`a` and `b c` pass", ["b c", "a"], "`b c` exited with 0, `a` exited with 0"),
        ("atlas/a.py exists", ["files exist"], "files exist: atlas/a.py"),
        ("File `a.py` created", ["files exist"], "files exist: a.py"),
    ],
)
def test_what_a_check_proves(text, checks, evidence):
    """The line is ticked, and says by what."""
    item = _item(text, *checks)
    assert (True, evidence) == (item.checked, item.evidence)


@pytest.mark.parametrize(
    ("text", "checks"),
    [
        ("Tests pass", []),
        ("Tests pass", ["make lint"]),
        ("Integration tests pass", ["pytest"]),
        ("Existing API tests pass", ["pytest"]),
        ("Conflicts detected and flagged", ["pytest", "files exist"]),
        ("Add `make lint` and use it in CI", ["make lint"]),
        ("`make lint`", ["make lint"]),
        ("`make lint` and `make test` pass", ["make lint"]),
        ("`make lint` exits with error", ["make lint"]),
        ("No `make lint` passes", ["make lint"]),
        ("b.py exists", ["files exist"]),
        ("atlas/a.py exists", ["pytest"]),
        ("atlas/a.py created with proper error handling", ["files exist"]),
        ("", ["pytest", "files exist"]),
    ],
)
def test_what_no_check_proves_stays_open(text, checks):
    """Claims beyond what ran are for a person."""
    assert not _item(text, *checks).checked


def test_a_failed_check_proves_nothing_and_a_tick_stays():
    """Only success counts; what a person ticked keeps no evidence of ours."""
    assert not _item("Tests pass", "pytest", conclusion=Conclusion.FAILURE).checked
    item = _item("Tests pass", "pytest", checked=True)
    assert (True, "") == (item.checked, item.evidence)


@pytest.mark.parametrize(
    ("line", "proves", "ticked_by"),
    [
        ("All endpoints respond", ("all endpoints *",), "smoke passed"),
        ("All endpoints respond", ("endpoints",), ""),
        ("Docs (a+b) updated", ("Docs (a+b) updated",), "smoke passed"),
    ],
)
def test_a_line_that_the_configuration_binds(line, proves, ticked_by):
    """`*` stands for any text; nothing else is special; a failed check proves nothing."""
    job = Job(key="k", checklist=(ChecklistItem(text=line),))
    passed = CheckResult(name="smoke", conclusion=Conclusion.SUCCESS, proves=proves)
    failed = CheckResult(name="smoke", conclusion=Conclusion.FAILURE, proves=proves)
    assert ticked_by == ticked(job, [passed], promised="")[0].evidence
    assert not ticked(job, [failed], promised="")[0].checked


@pytest.mark.parametrize(
    ("conclusions", "verdict"),
    [
        ((("success", True), ("failure", False)), "accept"),
        ((("success", True), ("action_required", True)), "escalate"),
        ((("timed_out", True), ("action_required", True)), "reject"),
        ((("neutral", True), ("action_required", False)), "accept"),
        ((), "accept"),
    ],
)
def test_the_verdict(conclusions, verdict):
    """One required failure rejects, whatever else; advisory ones are only shown."""
    checks = [
        CheckResult(name="c", conclusion=Conclusion(word), is_required=required)
        for word, required in conclusions
    ]
    assert verdict == verdict_of(checks).value


@pytest.mark.parametrize(
    ("line", "proof"),
    [
        ("Prices are right (check: tests)", "tests passed"),
        ("Prices are right (checks: tests,  types).", "tests, types passed"),
        ("Tests pass (check: end to end)", ""),
        ("Prices are right (check: tests, end to end)", ""),
        ("Prices are right (check: )", ""),
        ("Prices (check: tests) are right", ""),
    ],
)
def test_a_line_may_name_the_checks_that_prove_it(line, proof):
    """All of them must have passed; then nothing else proves it."""
    job = Job(key="J", checklist=(ChecklistItem(text=line),))
    checks = [
        CheckResult(name=name, conclusion=Conclusion.SUCCESS, command="make test")
        for name in ("tests", "types")
    ]
    (item,) = ticked(job, checks, promised=PROMISED_FILES)
    assert (bool(proof), proof) == (item.checked, item.evidence)
