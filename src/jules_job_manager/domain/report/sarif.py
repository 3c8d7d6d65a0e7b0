"""A review as SARIF 2.1.0, which code hosts and editors show beside the code.

Source: docs.oasis-open.org/sarif/sarif/v2.1.0, sections 3.13 to 3.30, read 2026-11.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from typing import Any
from urllib.parse import quote_from_bytes

from jules_job_manager.domain.finding import Finding, Level
from jules_job_manager.domain.report import words
from jules_job_manager.domain.report.json_text import json_text
from jules_job_manager.domain.report.model import ReportInput
from jules_job_manager.domain.report.view import CheckView, FindingView, Limits, ReportView, view

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
FAILED_CHECK = "failed-check"
"""Rule of a check that failed and names no place."""
FINGERPRINT = "jjmFinding/v1"
LONGEST_PATH = 4_096
"""Characters; Linux knows no longer path."""
LIMITS = Limits(
    checks=500, findings=2_000, items=0, files=0, output_lines=0,
    output_characters=0, outputs_characters=0, file_lines=0, diff_lines=0,
)  # fmt: skip


def to_sarif(report: ReportInput, *, version: str = "") -> str:
    """Return the report as one SARIF log. `version` is that of the program, where known."""
    return json_text(log(report, version=version))


def log(report: ReportInput, *, version: str = "") -> dict[str, Any]:
    """Return the SARIF log as JSON values."""
    shown = view(report, LIMITS)
    pairs = [(check, finding) for check in shown.checks for finding in _found(check)]
    rules: dict[str, int] = {}
    seen: Counter[str] = Counter()
    results = []
    for check, finding in pairs:
        index = rules.setdefault(finding.rule, len(rules))
        results.append(_result(check, finding, index, seen))
    driver: dict[str, Any] = {"name": "jjm", "rules": [_rule(rule) for rule in rules]}
    if version:
        driver["version"] = version
    return {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": driver},
                "automationDetails": {"id": f"jjm/{shown.job_key}/"},
                "columnKind": "unicodeCodePoints",
                "results": results,
                "properties": _properties(shown),
            }
        ],
    }


def address(path: str) -> str:
    """Return the path as a relative URI; empty when it is none of a file in the repository."""
    if len(path) > LONGEST_PATH:
        return ""
    parts = path.split("/")
    if any(part in {"", ".", ".."} for part in parts):
        return ""
    try:
        raw = path.encode("utf-8", "surrogateescape")  # as Python reads names that are not UTF-8
    except UnicodeEncodeError:
        raw = path.encode("utf-8", "replace")
    return quote_from_bytes(raw, safe="/")


def _found(check: CheckView) -> list[FindingView]:
    """Return the findings; a failed check without any is one itself."""
    if check.findings or not check.has_failed:
        return list(check.findings)
    message = f"{check.name}: {words.conclusion(check)}"
    level = Level.ERROR if check.is_required else Level.WARNING
    raw = Finding(rule=FAILED_CHECK, message=message, level=level)
    return [
        FindingView(rule=FAILED_CHECK, message=message, path="", line=0, level=level,
                    check=check.name, raw=raw)
    ]  # fmt: skip


def _rule(rule: str) -> dict[str, Any]:
    text = "A check failed and named no place." if rule == FAILED_CHECK else f"Rule {rule}"
    return {"id": rule, "shortDescription": {"text": _plain(text)}}


def _result(
    check: CheckView, finding: FindingView, rule_index: int, seen: Counter[str]
) -> dict[str, Any]:
    result: dict[str, Any] = {
        "ruleId": finding.rule,
        "ruleIndex": rule_index,
        "level": finding.level.value,
        "message": {"text": _plain(finding.message)},
        "partialFingerprints": {FINGERPRINT: _fingerprint(finding.raw, seen)},
        "properties": {"check": check.name, "required": check.is_required},
    }
    uri = address(finding.raw.path)
    if uri:
        physical: dict[str, Any] = {"artifactLocation": {"uri": uri, "uriBaseId": "%SRCROOT%"}}
        if finding.line:
            physical["region"] = {"startLine": finding.line}
        result["locations"] = [{"physicalLocation": physical}]
    return result


def _fingerprint(finding: Finding, seen: Counter[str]) -> str:
    """Return what stays the same when lines move and counts change; twins are numbered."""
    message = re.sub(r"\d+", "0", finding.message)
    text = f"{finding.rule}\x00{finding.path}\x00{message}"
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    seen[digest] += 1
    return f"{digest}:{seen[digest]}"


def _plain(text: str) -> str:
    """Return a message in which nothing is a link: `[text](target)` would be (section 3.11.6)."""
    return text.replace("](", "] (")


def _properties(report: ReportView) -> dict[str, Any]:
    return {
        "repository": report.repository,
        "job": report.job_key,
        "attempt": report.mark,
        "verdict": report.verdict.value,
        "deliveredCommit": report.delivered_commit,
        "baseCommit": report.base_commit,
        "mergeCommit": report.merge_commit,
        "checksLeftOut": report.checks_left_out,
        "findingsLeftOut": report.findings_left_out,
    }
