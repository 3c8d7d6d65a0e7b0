"""The whole text of two reviews in every format."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from tests.reports import ACCEPTED, REJECTED, golden

from jules_job_manager.domain.report import to_html, to_json, to_markdown, to_sarif

ROOT = Path(__file__).parents[4]
FORMATS = {"md": to_markdown, "html": to_html, "json": to_json, "sarif": to_sarif}


@pytest.mark.parametrize("ending", FORMATS)
@pytest.mark.parametrize(("name", "report"), [("accepted", ACCEPTED), ("rejected", REJECTED)])
def test_the_text_of_a_report(name, report, ending):
    """A report is the text that was read and kept."""
    text = FORMATS[ending](report)
    assert golden(f"{name}.{ending}", text) == text


def _names(value):
    if isinstance(value, dict):
        return set(value).union(*map(_names, value.values()))
    return set().union(*map(_names, value)) if isinstance(value, list) else set()


def test_every_member_is_documented():
    """The reference names each member of the JSON document."""
    page = (ROOT / "docs/reference/review-report.md").read_text(encoding="utf-8")
    documented = set(re.findall(r"[`.](\w+)`", page))
    assert _names(json.loads(to_json(REJECTED))) - documented == set()


def test_members_of_the_json_document():
    """Every member that scripts rely on is there, in a fixed order."""
    document = json.loads(to_json(REJECTED))
    assert list(document) == [
        "schema", "title", "repository", "branch", "job", "attempt", "verdict", "at",
        "delivered_commit", "base_commit", "merge_commit", "checks", "checklist", "files", "left_out",
    ]  # fmt: skip
    assert list(document["checks"][0]) == [
        "name", "command", "conclusion", "failed", "required", "flaky", "exit_code",
        "duration_seconds", "log_sha256", "output", "output_is_cut", "findings",
    ]  # fmt: skip
    assert list(document["checks"][2]["findings"][0]) == [
        "rule", "level", "message", "path", "line",
    ]  # fmt: skip
    assert list(document["checklist"][0]) == ["text", "state", "evidence"]
    assert list(document["files"][0]["diff"][0]) == ["kind", "old", "new", "text"]
    assert list(document["left_out"]) == ["checks", "findings", "checklist", "files"]
    assert document["schema"] == 1
