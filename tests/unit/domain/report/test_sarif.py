"""The SARIF log: results, places and fingerprints."""

from __future__ import annotations

import json
from dataclasses import replace

from tests.reports import ACCEPTED, REJECTED
from tests.sarif import problems

from jules_job_manager.domain.finding import Finding
from jules_job_manager.domain.report import to_sarif
from jules_job_manager.domain.report.sarif import FAILED_CHECK
from jules_job_manager.domain.review import CheckResult, Conclusion


def _run(*findings):
    check = CheckResult(name="rules", conclusion=Conclusion.FAILURE, findings=findings)
    report = replace(REJECTED, review=replace(REJECTED.review, checks=(check,)))
    return json.loads(to_sarif(report))["runs"][0]


def _marks(*findings):
    return [result["partialFingerprints"]["jjmFinding/v1"] for result in _run(*findings)["results"]]


def test_the_logs_are_valid():
    """Both reviews have every member that SARIF requires, and the version when it is known."""
    for report in (ACCEPTED, REJECTED):
        assert problems(json.loads(to_sarif(report))) == []
    driver = json.loads(to_sarif(ACCEPTED, version="1.2.3"))["runs"][0]["tool"]["driver"]
    assert driver == {"name": "jjm", "rules": [], "version": "1.2.3"}


def test_a_failed_check_without_findings_is_a_result():
    """A command that failed says so; one that only advises is a warning."""
    results = json.loads(to_sarif(REJECTED))["runs"][0]["results"]
    failed = [
        (result["message"]["text"], result["level"])
        for result in results
        if result["ruleId"] == FAILED_CHECK
    ]
    assert failed == [
        ("python -m pytest -q: failure (exit 1)", "error"),
        ("slow tests: timed out", "warning"),
    ]


def test_a_finding_keeps_its_fingerprint():
    """Moved lines and other counts change nothing; another file, rule or message does."""
    finding = Finding(rule="size", message="11 lines.", path="a.py", line=3)
    first = _marks(finding)
    assert _marks(replace(finding, line=90, message="12 lines.")) == first
    for other in ({"path": "b.py"}, {"rule": "x"}, {"message": "no lines."}):
        assert _marks(replace(finding, **other)) != first


def test_twins_are_told_apart():
    """Two findings that say the same of one file have two fingerprints."""
    finding = Finding(rule="size", message="m", path="a.py", line=3)
    first, second = _marks(finding, replace(finding, line=9))
    assert (first.removesuffix(":1"), ":2") == (second.removesuffix(":2"), second[-2:])


def test_messages_hold_no_links():
    """What SARIF would read as an embedded link is broken up."""
    result = _run(Finding(rule="r", message="see [this](http://evil.example)"))["results"][0]
    assert result["message"]["text"] == "see [this] (http://evil.example)"
