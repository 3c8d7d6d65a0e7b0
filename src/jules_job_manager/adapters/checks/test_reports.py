"""Reads JUnit XML, Cobertura XML and LCOV files that tests of a delivery wrote.

Sources, read 2026-11: junitparser's documentation; cobertura's coverage-04.dtd (`class` has
`filename`, `line` has `number` and `hits`); geninfo(1), "FILES" (`SF:`, `DA:line,count`).
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from xml.etree import ElementTree as ET

from junitparser import TestCase as JUnitCase

from jules_job_manager.domain.test_report import CoverageReport, Outcome, TestCase, TestReport
from jules_job_manager.domain.text import shorten
from jules_job_manager.errors import OperationFailedError

LARGEST_REPORT_BYTES = 20_000_000
MOST_CASES = 100_000
_MESSAGE_CHARACTERS = 2000
_OUTCOMES = {"failure": Outcome.FAILED, "error": Outcome.ERROR, "skipped": Outcome.SKIPPED}


class FileReportReader:
    """Reads reports from a checkout whose processes have all ended."""

    async def tests(self, folder: Path, path: str) -> TestReport:
        """Return the tests of a JUnit XML file.

        Raises:
            OperationFailedError: there is no such file, or it is no JUnit XML.
        """
        return await asyncio.to_thread(_tests, folder, path)

    async def coverage(self, folder: Path, path: str) -> CoverageReport:
        """Return the lines of a Cobertura XML or an LCOV file.

        Raises:
            OperationFailedError: there is no such file, or it is neither.
        """
        return await asyncio.to_thread(_coverage, folder, path)


def _tests(folder: Path, path: str) -> TestReport:
    root = _xml(_text(folder, path), path)
    if root.tag not in {"testsuite", "testsuites"}:
        raise OperationFailedError(f"{path} is no JUnit XML.")
    cases: list[TestCase] = []
    for element in root.iter("testcase"):
        if len(cases) >= MOST_CASES:
            raise OperationFailedError(f"{path} has more than {MOST_CASES} tests.")
        cases.append(_case(element))
    return TestReport(cases=tuple(cases))


def _case(element: ET.Element) -> TestCase:
    case: JUnitCase = JUnitCase.fromelem(element)  # type: ignore[no-untyped-call]
    worst, message = Outcome.PASSED, ""
    for result in case.result:
        outcome = _OUTCOMES.get(result._tag or "", Outcome.PASSED)  # noqa: SLF001 - its only name
        if worst is Outcome.PASSED or outcome.is_bad:
            worst = outcome
            message = result.message or result.text or ""
    return TestCase(
        name=shorten(case.name or "", 300), classname=shorten(case.classname or "", 300),
        path=shorten(element.get("file") or "", 300), line=_number(element.get("line")),
        outcome=worst, message=message[:_MESSAGE_CHARACTERS],
    )  # fmt: skip


def _coverage(folder: Path, path: str) -> CoverageReport:
    text = _text(folder, path)
    if text.lstrip()[:1] == "<":
        root = _xml(text, path)
        if root.tag != "coverage":
            raise OperationFailedError(f"{path} is no Cobertura XML.")
        return _report(_cobertura(root), folder)
    if "SF:" not in text:
        raise OperationFailedError(f"{path} is neither Cobertura XML nor LCOV.")
    return _report(_lcov(text), folder)


def _cobertura(root: ET.Element) -> Iterable[tuple[str, int, int]]:
    prefixes = [(source.text or "").strip() for source in root.iter("source")]
    for module in root.iter("class"):
        name = module.get("filename") or ""
        for line in module.iter("line"):
            for prefix in prefixes or [""]:
                yield (
                    str(PurePosixPath(prefix, name)),
                    _number(line.get("number")),
                    _number(line.get("hits")),
                )


def _lcov(text: str) -> Iterable[tuple[str, int, int]]:
    name = ""
    for line in text.splitlines():
        if line.startswith("SF:"):
            name = line[3:].strip()
        elif line.startswith("DA:"):
            number, _, count = line[3:].partition(",")
            yield name, _number(number), _number(count.partition(",")[0])


def _report(lines: Iterable[tuple[str, int, int]], folder: Path) -> CoverageReport:
    reached: dict[str, set[int]] = defaultdict(set)
    missed: dict[str, set[int]] = defaultdict(set)
    for name, number, hits in lines:
        if number > 0:
            (reached if hits > 0 else missed)[_inside(name, folder)].add(number)
    return CoverageReport(
        reached={name: frozenset(found) for name, found in reached.items()},
        missed={name: frozenset(found - reached[name]) for name, found in missed.items()},
    )


def _inside(name: str, folder: Path) -> str:
    """Return the name relative to the checkout, under whatever name a sandbox had shown that."""
    path = PurePosixPath(name)
    if not path.is_absolute():
        return str(path)
    for count in range(1, len(path.parts)):
        rest = PurePosixPath(*path.parts[count:])
        if ".." not in rest.parts and (folder / rest).is_file():
            return str(rest)
    return name


def _text(folder: Path, path: str) -> str:
    place, top = folder / path, folder.resolve()
    try:
        real = place.resolve(strict=True)
        if not real.is_relative_to(top) or not real.is_file():
            raise OperationFailedError(f"{path} is no file of the checkout.")
        if real.stat().st_size > LARGEST_REPORT_BYTES:
            raise OperationFailedError(f"{path} is longer than {LARGEST_REPORT_BYTES} bytes.")
        return real.read_bytes().decode("utf-8-sig")
    except FileNotFoundError as exc:
        raise OperationFailedError(f"No {path} was written.") from exc
    except (OSError, UnicodeDecodeError, RuntimeError) as exc:
        raise OperationFailedError(f"{path} cannot be read: {exc}") from exc


def _xml(text: str, path: str) -> ET.Element:
    if "<!ENTITY" in text:
        raise OperationFailedError(f"{path} declares entities, which no report needs.")
    try:
        return ET.fromstring(text)  # noqa: S314 - entities are refused above
    except (ET.ParseError, ValueError) as exc:
        raise OperationFailedError(f"{path} is no XML: {exc}") from exc


def _number(text: str | None) -> int:
    try:
        return int(text or "0")
    except ValueError:
        return 0
