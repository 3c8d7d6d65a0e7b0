"""Tests that a delivery adds must fail without the rest of it: else they prove nothing about it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from jules_job_manager.domain.change import Change, FileKind, FileStatus
from jules_job_manager.domain.finding import Finding, Level
from jules_job_manager.domain.job import Job
from jules_job_manager.domain.review import CheckResult, Conclusion
from jules_job_manager.domain.review_plan import CommandCheck, ReviewPlan
from jules_job_manager.domain.rules.collected_tests import python_test_files, tests_of
from jules_job_manager.domain.rules.sources import CODE, is_in_tests, is_test, is_test_file, suffix
from jules_job_manager.domain.test_report import TestCase, TestReport
from jules_job_manager.ports.forge import Forge, MergeCandidate

if TYPE_CHECKING:
    from jules_job_manager.services.check_suite import CheckSuite

MOST_FINDINGS = 50


@dataclass(frozen=True, kw_only=True, slots=True)
class AddedTests:
    """What a delivery brings to the tests."""

    paths: tuple[str, ...]
    """Every file of the tests that is new or changed."""
    names: frozenset[tuple[str, str]] = frozenset()
    """Path and name of each new Python test."""


def added_tests(change: Change) -> AddedTests | None:
    """Return what is to be run without the change; None: it adds no tests, or nothing but tests.

    Of Python files it is known whether a test is new; in other languages a changed file counts.
    """
    present = [
        file for file in change.files
        if file.status is not FileStatus.DELETED
        and change.head.kind(file.path) in {FileKind.FILE, FileKind.EXECUTABLE}
    ]  # fmt: skip
    tests = [f for f in present if is_test(f.path) or is_in_tests(f.path)]
    of_tests = {file.path for file in tests}
    code = [f for f in change.files if f.path not in of_tests and suffix(f.path) in CODE]
    names = {
        (file.path, name)
        for file in python_test_files(change)
        for name in tests_of(file.head).keys() - tests_of(file.base).keys()
    }
    other = any(f.added_lines and is_test_file(f.path) and suffix(f.path) != "py" for f in tests)
    if not code or not (names or other):
        return None
    return AddedTests(paths=tuple(sorted(of_tests)), names=frozenset(names))


class NewTests:
    """Runs the tests of a delivery on its base."""

    def __init__(self, *, forge: Forge, suite: CheckSuite) -> None:
        """Bind the parts."""
        self._forge = forge
        self._suite = suite

    async def result(
        self,
        job: Job,
        candidate: MergeCandidate,
        plan: ReviewPlan,
        check: CommandCheck,
        added: AddedTests,
    ) -> CheckResult:
        """Run the check on the base with the delivery's tests; it must fail there.

        Raises:
            ForgeError: git failed.
        """
        async with self._forge.without_change(
            job.repository, base=candidate.base_commit, head=candidate.commit, paths=added.paths
        ) as folder:
            found = await self._ran(folder, plan, check, added)
        return replace(
            found, name=f"{check.title}: new tests fail without the change",
            command=check.command, is_required=check.new_tests == "required", proves=(),
        )  # fmt: skip

    async def _ran(
        self, folder: Path, plan: ReviewPlan, check: CommandCheck, added: AddedTests
    ) -> CheckResult:
        prepared = await self._suite.set_up(folder, plan)
        if any(result.conclusion is not Conclusion.SUCCESS for result in prepared):
            return replace(
                prepared[-1], conclusion=Conclusion.NEUTRAL, exit_code=None,
                output=f"The base could not be prepared.\n{prepared[-1].output}",
            )  # fmt: skip
        once = replace(check, retries=0, quarantine=())
        result, report = await self._suite.run(once, folder)
        if result.conclusion is Conclusion.TIMED_OUT:
            return replace(result, conclusion=Conclusion.NEUTRAL)
        return _judged(result, report, added)


def _judged(result: CheckResult, report: TestReport | None, added: AddedTests) -> CheckResult:
    seconds = result.duration_seconds
    if result.exit_code == 0:
        return CheckResult(
            name="", conclusion=Conclusion.FAILURE, duration_seconds=seconds,
            output="On the base, with the tests of the delivery but without its code, every test "
            "passes. The new tests do not show that the change does anything.",
        )  # fmt: skip
    idle = [] if report is None else _passing(report, added)
    if idle and len(idle) == len(added.names):
        names = "\n".join(f"- {case.id}" for case in idle[:MOST_FINDINGS])
        return CheckResult(
            name="", conclusion=Conclusion.FAILURE, duration_seconds=seconds,
            output=f"Every new test passes without the code of the delivery:\n{names}",
        )  # fmt: skip
    findings = tuple(
        Finding(rule="new-tests", path=case.path, line=case.line, level=Level.WARNING,
                message=f"{case.id} passes without the change")
        for case in idle[:MOST_FINDINGS]
    )  # fmt: skip
    words = "The new tests fail without the change, as they should."
    if idle:
        words += f" {len(idle)} of {len(added.names)} pass without it, too: " + ", ".join(
            case.id for case in idle[:10]
        )
    return CheckResult(
        name="", conclusion=Conclusion.SUCCESS, output=words, findings=findings,
        duration_seconds=seconds,
    )  # fmt: skip


def _passing(report: TestReport, added: AddedTests) -> list[TestCase]:
    """Return the new tests of the delivery that passed."""
    wanted = {(_module(path), name.rpartition(".")[2]) for path, name in added.names}
    found: dict[tuple[str, str], TestCase] = {}
    for case in report.cases:
        for module, name in wanted:
            if case.name.partition("[")[0] == name and module in f".{case.classname}.":
                found.setdefault((module, name), case)
    bad = {(module, name) for module, name in wanted for case in report.bad
           if case.name.partition("[")[0] == name and module in f".{case.classname}."}  # fmt: skip
    return [case for key, case in sorted(found.items()) if key not in bad
            and case.outcome.value == "passed"]  # fmt: skip


def _module(path: str) -> str:
    """Return a path as JUnit names the module: `.tests.test_notes.`."""
    return "." + path.removesuffix(".py").replace("/", ".") + "."
