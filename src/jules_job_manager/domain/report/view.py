"""A review ready to be written in any format: bounded, masked, nothing in it acts on a terminal.

Formats take their texts from here and nowhere else, so that a new format can forget only its own
escaping.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from jules_job_manager.domain.clockwork import optional_to_rfc3339
from jules_job_manager.domain.finding import Finding, Level
from jules_job_manager.domain.report.checklist import FAILED, ItemReport, ItemState, item_reports
from jules_job_manager.domain.report.diff_lines import DiffLine, LineKind, cut_around, diff_lines
from jules_job_manager.domain.report.model import FileDiff, ReportInput
from jules_job_manager.domain.report.texts import Tail, code_line, one_line, tail
from jules_job_manager.domain.review import CheckResult, Conclusion, Verdict

T = TypeVar("T")

_NAME, _MESSAGE, _HASH, _CODE = 200, 500, 64, 400
_LARGEST = 2**31 - 1
_BY_LEVEL = {level: rank for rank, level in enumerate(Level)}


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """How much of a review a format shows. What fails is kept first."""

    checks: int
    findings: int
    items: int
    """Lines of the checklist."""
    files: int
    output_lines: int
    """Of one check."""
    output_characters: int
    """Of one check."""
    outputs_characters: int
    """Of all checks together."""
    file_lines: int
    """Lines of the diff of one file."""
    diff_lines: int
    """Of all files together."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FindingView:
    """One finding."""

    rule: str
    message: str
    path: str
    line: int
    level: Level
    check: str
    raw: Finding
    """As it came: for fingerprints and addresses, never for people."""

    @property
    def place(self) -> str:
        """`path:line`, `path`, or nothing."""
        return f"{self.path}:{self.line}" if self.path and self.line else self.path


@dataclass(frozen=True, kw_only=True, slots=True)
class CheckView:
    """One check."""

    name: str
    command: str
    """Empty where it says no more than the name."""
    conclusion: Conclusion
    is_required: bool
    is_flaky: bool
    exit_code: int | None
    duration_seconds: float
    log_sha256: str
    output: Tail
    findings: tuple[FindingView, ...]
    findings_left_out: int

    @property
    def has_failed(self) -> bool:
        """Whether it speaks against the delivery."""
        return self.conclusion in FAILED


@dataclass(frozen=True, kw_only=True, slots=True)
class FileView:
    """One file with its findings, and what changed in it."""

    path: str
    findings: tuple[FindingView, ...]
    lines: tuple[DiffLine, ...] = ()
    has_diff: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class ReportView:
    """The whole report."""

    title: str
    repository: str
    branch: str
    job_key: str
    mark: str
    delivered_commit: str
    base_commit: str
    merge_commit: str
    at: str
    """RFC 3339, or empty."""
    verdict: Verdict
    checks: tuple[CheckView, ...]
    checks_left_out: int
    failed: int
    """Checks that failed, shown or not."""
    failed_advisory: int
    """Those of them that reject nothing."""
    items: tuple[ItemReport, ...]
    items_left_out: int
    item_counts: Mapping[ItemState, int]
    """Of the whole checklist; empty: there is none."""
    files: tuple[FileView, ...]
    files_left_out: int

    @property
    def findings(self) -> tuple[FindingView, ...]:
        """All findings, in the order of the checks."""
        return tuple(finding for check in self.checks for finding in check.findings)

    @property
    def findings_left_out(self) -> int:
        """Findings of the checks shown that are left out."""
        return sum(check.findings_left_out for check in self.checks)

    @property
    def unplaced(self) -> tuple[FindingView, ...]:
        """Findings that point at no file."""
        return tuple(finding for finding in self.findings if not finding.path)


def view(report: ReportInput, limits: Limits) -> ReportView:
    """Return the report within the limits."""
    review, job = report.review, report.job
    title = report.title or (job.title if job else "")
    if job is not None and title == job.key:
        title = ""  # a branch that is reviewed by itself has no other name
    results = first_of(review.checks, limits.checks, _rank)
    checks = _with_findings([_check(result) for result in results], results, limits.findings)
    checks = _with_outputs(checks, results, limits)
    items = item_reports(job, review.checks, promised_check=report.promised_check)
    kept = first_of(items, limits.items, lambda item: item.state is not ItemState.REFUTED)
    shown_items = [_item(item) for item in kept]
    files = _files(report.files, [f for check in checks for f in check.findings], limits)
    pointed_at = {f.raw.path for check in checks for f in check.findings if f.raw.path}
    all_files = len(pointed_at | {file.path for file in report.files})
    return ReportView(
        title=one_line(title, _NAME),
        repository=one_line(report.repository, _NAME),
        branch=one_line(report.branch, _NAME),
        job_key=one_line(review.job_key, _NAME),
        mark=one_line(review.mark, _NAME),
        delivered_commit=one_line(review.delivered_commit, _HASH),
        base_commit=one_line(review.base_commit, _HASH),
        merge_commit=one_line(review.merge_commit, _HASH),
        at=optional_to_rfc3339(review.at) or "",
        verdict=review.verdict,
        checks=tuple(checks),
        checks_left_out=len(review.checks) - len(checks),
        failed=sum(_rank(result) < 2 for result in review.checks),
        failed_advisory=sum(_rank(result) == 1 for result in review.checks),
        items=tuple(shown_items),
        items_left_out=len(items) - len(shown_items),
        item_counts=_counts(items),
        files=tuple(files),
        files_left_out=all_files - len(files),
    )


def first_of(values: Sequence[T], limit: int, rank: Callable[[T], int]) -> list[T]:
    """Return the `limit` values of the lowest ranks, in the order they came in."""
    order = sorted(range(len(values)), key=lambda index: (rank(values[index]), index))
    return [values[index] for index in sorted(order[:limit])]


def _rank(result: CheckResult) -> int:
    if result.conclusion not in FAILED:
        return 2
    return 0 if result.is_required else 1


def _check(result: CheckResult) -> CheckView:
    command = one_line(result.command, _MESSAGE)
    seconds = result.duration_seconds
    code = result.exit_code
    return CheckView(
        name=one_line(result.name, _NAME) or "unnamed",
        command="" if result.command == result.name else command,
        conclusion=result.conclusion,
        is_required=result.is_required,
        is_flaky=result.is_flaky,
        exit_code=code if isinstance(code, int) and abs(code) <= _LARGEST else None,
        duration_seconds=min(seconds, 1e9) if math.isfinite(seconds) and seconds > 0 else 0.0,
        log_sha256=one_line(result.log_sha256, _HASH),
        output=Tail(),
        findings=(),
        findings_left_out=len(result.findings),
    )


def _with_findings(
    checks: list[CheckView], results: Sequence[CheckResult], limit: int
) -> list[CheckView]:
    """Give each check its findings; the worst of all are kept."""
    pairs = [(n, finding) for n, result in enumerate(results) for finding in result.findings]
    kept = first_of(pairs, limit, lambda pair: _BY_LEVEL[pair[1].level])
    found: dict[int, list[FindingView]] = {}
    for number, finding in kept:
        found.setdefault(number, []).append(_finding(finding, checks[number].name))
    return [
        replace(
            check,
            findings=tuple(found.get(number, ())),
            findings_left_out=check.findings_left_out - len(found.get(number, ())),
        )
        for number, check in enumerate(checks)
    ]


def _finding(finding: Finding, check: str) -> FindingView:
    return FindingView(
        rule=one_line(finding.rule, _NAME) or "unnamed",
        message=one_line(finding.message, _MESSAGE) or "no message",
        path=one_line(finding.path, _NAME) or ("unnamed" if finding.path else ""),
        line=min(max(0, finding.line), _LARGEST),
        level=finding.level,
        check=check,
        raw=finding,
    )


def _with_outputs(
    checks: Sequence[CheckView], results: Sequence[CheckResult], limits: Limits
) -> list[CheckView]:
    """Give each check the end of its output; those that failed draw first on what there is."""
    room = limits.outputs_characters
    outputs: dict[int, Tail] = {}
    for number in sorted(range(len(results)), key=lambda n: (_rank(results[n]), n)):
        outputs[number] = tail(
            results[number].output,
            characters=min(room, limits.output_characters),
            lines=limits.output_lines,
        )
        room -= len(outputs[number].text)
    return [replace(check, output=outputs[number]) for number, check in enumerate(checks)]


def _item(item: ItemReport) -> ItemReport:
    return replace(
        item, text=one_line(item.text, _MESSAGE), evidence=one_line(item.evidence, _MESSAGE)
    )


def _counts(items: Sequence[ItemReport]) -> dict[ItemState, int]:
    states = [item.state for item in items]
    return {state: states.count(state) for state in ItemState} if items else {}


def _files(
    diffs: Sequence[FileDiff], findings: Iterable[FindingView], limits: Limits
) -> list[FileView]:
    by_path: dict[str, list[FindingView]] = {}
    for finding in findings:
        if finding.raw.path:
            by_path.setdefault(finding.raw.path, []).append(finding)
    texts = {diff.path: diff.diff for diff in diffs}
    paths = [*texts, *sorted(by_path.keys() - texts.keys())]
    kept = first_of(paths, limits.files, lambda path: path not in by_path)
    room = limits.diff_lines
    files: dict[str, FileView] = {}
    for path in sorted(kept, key=lambda path: path not in by_path):
        found = sorted(by_path.get(path, ()), key=lambda f: (f.line, _BY_LEVEL[f.level]))
        text = texts.get(path)
        lines = _lines(text or "", {f.line for f in found}, min(room, limits.file_lines))
        room = max(0, room - len(lines))
        files[path] = FileView(
            path=one_line(path, _NAME) or "unnamed",
            findings=tuple(found),
            lines=tuple(lines),
            has_diff=text is not None,
        )
    return [files[path] for path in kept]


def _lines(diff: str, wanted: set[int], limit: int) -> list[DiffLine]:
    if not limit:
        return [DiffLine(LineKind.GAP, "… the diff is left out")] if diff else []
    lines = cut_around(diff_lines(diff), wanted, limit)
    return [replace(line, text=code_line(line.text, _CODE)) for line in lines]
