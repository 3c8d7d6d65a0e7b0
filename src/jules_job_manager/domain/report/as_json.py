"""A review as JSON for programs. docs/reference/review-report.md describes every member."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from jules_job_manager.domain.report.diff_lines import DiffLine
from jules_job_manager.domain.report.json_text import json_text
from jules_job_manager.domain.report.model import ReportInput
from jules_job_manager.domain.report.view import CheckView, FindingView, Limits, view

SCHEMA = 1
"""Grows when a member is renamed, leaves or changes its meaning; new members do not count."""
LIMITS = Limits(
    checks=500, findings=2_000, items=500, files=500, output_lines=1_000,
    output_characters=50_000, outputs_characters=500_000, file_lines=2_000, diff_lines=8_000,
)  # fmt: skip


def to_json(report: ReportInput) -> str:
    """Return the report as one JSON document."""
    return json_text(document(report))


def document(report: ReportInput) -> dict[str, Any]:
    """Return the report as JSON values."""
    shown = view(report, LIMITS)
    return {
        "schema": SCHEMA,
        "title": shown.title,
        "repository": shown.repository,
        "branch": shown.branch,
        "job": shown.job_key,
        "attempt": shown.mark,
        "verdict": shown.verdict.value,
        "at": shown.at or None,
        "delivered_commit": shown.delivered_commit,
        "base_commit": shown.base_commit,
        "merge_commit": shown.merge_commit,
        "checks": [_check(check) for check in shown.checks],
        "checklist": [
            {"text": item.text, "state": item.state.value, "evidence": item.evidence}
            for item in shown.items
        ],
        "files": [
            {"path": file.path, "diff": _diff(file.lines) if file.has_diff else None}
            for file in shown.files
        ],
        "left_out": {
            "checks": shown.checks_left_out,
            "findings": shown.findings_left_out,
            "checklist": shown.items_left_out,
            "files": shown.files_left_out,
        },
    }


def _check(check: CheckView) -> dict[str, Any]:
    return {
        "name": check.name,
        "command": check.command,
        "conclusion": check.conclusion.value,
        "failed": check.has_failed,
        "required": check.is_required,
        "flaky": check.is_flaky,
        "exit_code": check.exit_code,
        "duration_seconds": round(check.duration_seconds, 3),
        "log_sha256": check.log_sha256,
        "output": check.output.text,
        "output_is_cut": check.output.is_cut,
        "findings": [_finding(finding) for finding in check.findings],
    }


def _finding(finding: FindingView) -> dict[str, Any]:
    return {
        "rule": finding.rule,
        "level": finding.level.value,
        "message": finding.message,
        "path": finding.path,
        "line": finding.line,
    }


def _diff(lines: Iterable[DiffLine]) -> list[dict[str, Any]]:
    return [
        {"kind": line.kind.value, "old": line.old, "new": line.new, "text": line.text}
        for line in lines
    ]
