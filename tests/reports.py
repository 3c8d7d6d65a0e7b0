"""Reviews that the tests of the reports share."""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path

from jules_job_manager.domain.finding import Finding, Level
from jules_job_manager.domain.job import ChecklistItem, Job
from jules_job_manager.domain.report import FileDiff, ReportInput
from jules_job_manager.domain.review import CheckResult, Conclusion, Review, Verdict

DIFF = """\
diff --git a/atlas/store.py b/atlas/store.py
--- a/atlas/store.py
+++ b/atlas/store.py
@@ -8,4 +8,6 @@ class Store:
     def keep(self, key, value):
-        self._values[key] = value
+        # TODO: write it to disk
+        pass
\x20
+    def read(self, key):
         return self._values[key]
"""

_JOB = Job(
    key="ATLAS-7",
    title="Keep values on disk",
    checklist=(
        ChecklistItem(text="`make lint` passes"),
        ChecklistItem(text="`python -m pytest -q` passes", checked=True),
        ChecklistItem(text="Values survive a restart"),
        ChecklistItem(text="The README says so", checked=True, evidence="read by Ada"),
    ),
)
_REVIEW = Review(
    job_key="ATLAS-7",
    mark="task-31",
    delivered_commit="1f2e3d4c5b6a79880706050403020100ffeeddcc",
    base_commit="aabbccddeeff00112233445566778899aabbccdd",
    merge_commit="0123456789abcdef0123456789abcdef01234567",
    verdict=Verdict.ACCEPT,
    at=datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC),
)
_LINT = CheckResult(name="make lint", conclusion=Conclusion.SUCCESS, duration_seconds=3.21)
_TESTS = CheckResult(
    name="python -m pytest -q", conclusion=Conclusion.SUCCESS, exit_code=0, duration_seconds=75.4,
    output="........\n8 passed in 74.92s", is_flaky=True,
)  # fmt: skip
_STUBS = Finding(
    rule="no-stubs", message="`keep` does nothing.", path="atlas/store.py", line=10
)  # fmt: skip

ACCEPTED = ReportInput(
    review=replace(_REVIEW, checks=(_LINT, _TESTS)),
    repository="octo/atlas",
    branch="jules/atlas-7",
    job=_JOB,
)
REJECTED = ReportInput(
    title="Keep values on disk, whole",
    repository="octo/atlas",
    branch="jules/atlas-7",
    job=_JOB,
    files=(FileDiff(path="atlas/store.py", diff=DIFF), FileDiff(path="logo.png")),
    review=replace(
        _REVIEW,
        verdict=Verdict.REJECT,
        checks=(
            _LINT,
            replace(
                _TESTS,
                conclusion=Conclusion.FAILURE,
                exit_code=1,
                is_flaky=False,
                output="F.......\nE   KeyError: 'a'\n1 failed, 7 passed in 74.92s",
            ),
            CheckResult(
                name="no stubs",
                conclusion=Conclusion.FAILURE,
                findings=(
                    _STUBS,
                    replace(_STUBS, message="A TODO is left.", line=9, level=Level.WARNING),
                    replace(_STUBS, message="Nothing tests it.", path="tests/a b#.py", line=0),
                ),
            ),
            CheckResult(
                name="slow tests",
                command="make slow",
                conclusion=Conclusion.TIMED_OUT,
                is_required=False,
                duration_seconds=3725,
            ),
            CheckResult(
                name="size",
                conclusion=Conclusion.NEUTRAL,
                findings=(Finding(rule="size", message="11 lines.", level=Level.NOTE),),
            ),
        ),
    ),
)


def with_text(value, text):
    """Return `value` with every text in it, however deep, replaced by `text`; a diff gets lines of it."""
    if isinstance(value, str) and not isinstance(value, Enum):
        return text
    if isinstance(value, FileDiff):
        added = text.replace("\n", "\n+")
        return FileDiff(path=text, diff=f"@@ -1 +1,999999 @@ {text}\n+{added}\n-{text}\n {text}")
    if isinstance(value, tuple):
        return tuple(with_text(item, text) for item in value)
    if is_dataclass(value):
        return type(value)(
            **{field.name: with_text(getattr(value, field.name), text) for field in fields(value)}
        )
    return value


def golden(name, text):
    """Return the text kept under `name`; without one, `text` is kept to be read, and the test fails."""
    path = Path(__file__).parent / "data" / "reports" / name
    if not path.exists():
        path.write_text(text, encoding="utf-8")
        return ""
    return path.read_text(encoding="utf-8")
