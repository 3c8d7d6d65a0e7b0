"""Runs scanners on the changed files of a merge; only what the base does not have counts.

Code that is moved or indented anew is left alone. A finding on an old line counts when a change
elsewhere made it: an argument on a line of its own, another import.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from posixpath import basename, splitext

from jules_job_manager.domain.change import Change, ChangedFile, FileStatus
from jules_job_manager.domain.finding import Finding, Level
from jules_job_manager.domain.review import CheckResult, Conclusion
from jules_job_manager.domain.review_plan import ReviewPlan
from jules_job_manager.domain.rules.sources import base_path, is_in_tests, is_test, present
from jules_job_manager.domain.scans import Scan
from jules_job_manager.errors import OperationFailedError
from jules_job_manager.ports.forge import Forge
from jules_job_manager.ports.scanner import Hit, Scanner
from jules_job_manager.services.judging import Case
from jules_job_manager.services.rule_checks import MOST_FINDINGS, conclusion_of, findings_text

LARGEST_FILE_BYTES = 1_000_000
MOST_FILES = 2_000
FINE_IN_TESTS = frozenset({"S101", "S105", "S106", "S107", "S108", "S311"})
"""Asserts, made-up passwords, scratch paths and plain random numbers."""
_BINARY_BYTES = 8_000
"""With a NUL among the first so many a file is no text: git's own measure."""
_LINE_END = re.compile(rb"\r\n|\r|\n")
_HASHES = frozenset({"go.sum", "package-lock.json", "pnpm-lock.yaml", "npm-shrinkwrap.json"})


class ScannerJudge:
    """Makes one check of each scanner."""

    def __init__(self, *, forge: Forge, scanners: Sequence[Scanner]) -> None:
        """Read the files from `forge`."""
        self._forge = forge
        self._scanners = scanners

    async def judge(self, case: Case) -> list[CheckResult]:
        """Return one result for each scanner that the plan uses.

        Raises:
            ForgeError: git failed.
        """
        used = [scanner for scanner in self._scanners if _use(scanner.scan, case.plan) != "off"]
        if not used:
            return []
        change = await self._forge.change(
            case.job.repository, job=case.job, base=case.base_commit, head=case.merge_commit
        )
        return [await _result(scanner, change, case.plan) for scanner in used]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Side:
    """A file of one side, with which of git's lines the scanner's lines are."""

    path: str
    content: bytes
    lines: tuple[int, ...]
    texts: tuple[bytes, ...]

    def text(self, number: int) -> str:
        """Return a line of the scanner's, without blanks around it."""
        if not 1 <= number <= len(self.texts):
            return ""
        return self.texts[number - 1].strip().decode("utf-8", "replace")

    def places(self, hit: Hit) -> set[int]:
        """Return the lines, as git counts them, that a hit spans."""
        return set(self.lines[max(0, hit.line - 1) : hit.last_line])


def _use(scan: Scan, plan: ReviewPlan) -> str:
    return plan.use_of(scan.id, scan.need.value)


async def _result(scanner: Scanner, change: Change, plan: ReviewPlan) -> CheckResult:
    scan = scanner.scan
    is_required = _use(scan, plan) == "required"
    missing = scanner.missing()
    if missing:
        # Whoever asked for it by name must not get less without a word.
        asked = plan.rules.get(scan.id, plan.rules.get("all")) == "required"
        conclusion = Conclusion.ACTION_REQUIRED if asked else Conclusion.SKIPPED
        return CheckResult(
            name=scan.id, conclusion=conclusion, output=missing, is_required=is_required
        )
    began = time.monotonic()
    try:
        findings, left_out = await _findings(scanner, change)
    except OperationFailedError as exc:
        conclusion = Conclusion.ACTION_REQUIRED if is_required else Conclusion.NEUTRAL
        return CheckResult(
            name=scan.id, conclusion=conclusion, output=exc.message, is_required=is_required,
            duration_seconds=time.monotonic() - began,
        )  # fmt: skip
    note = f"\nNot looked at, for their size: {', '.join(left_out[:10])}." if left_out else ""
    return CheckResult(
        name=scan.id,
        conclusion=conclusion_of(findings),
        output=(findings_text(scan.explanation, findings) + note).strip(),
        is_required=is_required,
        findings=tuple(findings[:MOST_FINDINGS]),
        duration_seconds=time.monotonic() - began,
    )


async def _findings(scanner: Scanner, change: Change) -> tuple[list[Finding], list[str]]:
    """Return what counts, and the files that are too large."""
    files, left_out = await asyncio.to_thread(_files, scanner.scan, change)
    heads = [head for _, head, _ in files]
    found = [
        (files[hit.file][0], heads[hit.file], hit)
        for hit in await scanner.hits(_given(heads))
        if _matters(hit, heads[hit.file])
    ]
    if not found:
        return [], left_out
    bases = [base for _, _, base in files if base is not None]
    known = Counter(_key(bases[hit.file], hit) for hit in await scanner.hits(_given(bases)))
    new = []
    # Old lines first, so that of two equal findings the added one is new.
    for file, head, hit in sorted(found, key=lambda one: bool(_added(*one))):
        has_base = files[hit.file][2] is not None or file.status is FileStatus.ADDED
        if not has_base and not _added(file, head, hit):
            continue  # the base's file is too large to say whether it was there
        key = _key(head, hit)
        known[key] -= 1
        if known[key] < 0:
            line = min(_added(file, head, hit) or head.places(hit) or {0})
            new.append(_finding(scanner.scan, head, hit, line))
    unique = dict.fromkeys(new)
    return sorted(unique, key=lambda finding: (finding.path, finding.line)), left_out


def _added(file: ChangedFile, head: _Side, hit: Hit) -> set[int]:
    return head.places(hit) & file.added_lines


def _files(
    scan: Scan, change: Change
) -> tuple[list[tuple[ChangedFile, _Side, _Side | None]], list[str]]:
    found: list[tuple[ChangedFile, _Side, _Side | None]] = []
    left_out = []
    for file in present(change):
        if not (file.added_lines or file.removed_lines or file.is_binary):
            continue
        if scan.suffixes and not file.path.endswith(scan.suffixes):
            continue
        if not scan.suffixes and _holds_hashes(file.path):
            continue
        content = change.head.read(file.path, limit=LARGEST_FILE_BYTES)
        if content is None or len(found) >= MOST_FILES:
            if change.head.size(file.path):
                left_out.append(file.path)
            continue
        if b"\0" in content[:_BINARY_BYTES]:
            continue
        before = change.base.read(base_path(file), limit=LARGEST_FILE_BYTES)
        base = None if before is None else _side(file.path, before)
        found.append((file, _side(file.path, content), base))
    return found, left_out


def _holds_hashes(path: str) -> bool:
    name = basename(path)
    return name in _HASHES or name.endswith(".lock")


def _side(path: str, content: bytes) -> _Side:
    lines, texts, number, begin = [], [], 1, 0
    for end in _LINE_END.finditer(content):
        lines.append(number)
        texts.append(content[begin : end.start()])
        number += end.group() != b"\r"
        begin = end.end()
    return _Side(
        path=path, content=content, lines=(*lines, number), texts=(*texts, content[begin:])
    )


def _given(sides: Iterable[_Side]) -> list[tuple[str, bytes]]:
    return [(splitext(side.path)[1], side.content) for side in sides]


def _key(side: _Side, hit: Hit) -> tuple[str, ...]:
    """Return what makes two findings the same: the secret, or the line in its file."""
    return (hit.code, hit.secret) if hit.secret else (hit.code, side.path, side.text(hit.line))


def _matters(hit: Hit, side: _Side) -> bool:
    return not (hit.code in FINE_IN_TESTS and _is_of_tests(side.path))


def _is_of_tests(path: str) -> bool:
    return is_test(path) or is_in_tests(path)


def _finding(scan: Scan, side: _Side, hit: Hit, line: int) -> Finding:
    is_error = hit.is_severe and not _is_of_tests(side.path)
    level = Level.ERROR if is_error else Level.WARNING
    return Finding(rule=scan.id, message=hit.message, path=side.path, line=line, level=level)
