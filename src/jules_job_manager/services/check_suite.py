"""Runs everything that one merged delivery is checked by, side by side."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

from jules_job_manager.domain.change import Change
from jules_job_manager.domain.finding import Finding
from jules_job_manager.domain.job import Job
from jules_job_manager.domain.review import CheckResult, Conclusion
from jules_job_manager.domain.review_plan import CommandCheck, ReviewPlan
from jules_job_manager.domain.test_report import TestReport, quarantined
from jules_job_manager.errors import OperationFailedError
from jules_job_manager.ports.check_runner import CheckRunner
from jules_job_manager.ports.forge import Forge, MergeCandidate
from jules_job_manager.ports.report_reader import ReportReader
from jules_job_manager.services.changed_lines import lines_reached
from jules_job_manager.services.new_tests import NewTests, added_tests
from jules_job_manager.services.rule_checks import rule_results, used_rules

CHECKS_AT_ONCE = 2
MOST_FINDINGS = 50

Tell = Callable[[CheckResult], None]
"""Told of each result as soon as it is there."""


def tell_nobody(result: CheckResult) -> None:
    """Keep it to oneself."""


class CheckSuite:
    """Judges merges of one forge."""

    def __init__(
        self,
        *,
        forge: Forge,
        runner: CheckRunner,
        reports: ReportReader,
        at_once: int = CHECKS_AT_ONCE,
    ) -> None:
        """Bind the parts; `at_once` is how many commands of one review run at a time, >= 1."""
        self._forge = forge
        self._runner = runner
        self._reports = reports
        self._at_once = at_once

    async def results(
        self,
        job: Job,
        candidate: MergeCandidate,
        plan: ReviewPlan,
        change: Change,
        tell: Tell = tell_nobody,
    ) -> list[CheckResult]:
        """Return the results of the rules, the set-up and the checks, in the plan's order.

        Rules run beside the commands. A check runs in a copy of the prepared files of its own, so
        that no check meets what another left behind.

        Raises:
            ForgeError: git failed.
            OperationFailedError: a command could not be started.
        """
        assert candidate.worktree is not None
        tasks = asyncio.TaskGroup()
        try:
            async with tasks:
                judged = tasks.create_task(self._rules(change, plan, tell))
                ran = tasks.create_task(self._commands(job, candidate, plan, change, tell))
        except* Exception as group:
            raise _first(group) from group
        return [*judged.result(), *ran.result()]

    async def results_together(
        self,
        changes: Sequence[Change],
        candidate: MergeCandidate,
        plan: ReviewPlan,
        tell: Tell = tell_nobody,
    ) -> list[list[CheckResult]]:
        """Return the results for each of several changes that were merged in turn.

        Every delivery was checked alone before, so that new tests and changed lines are not looked
        at again; nor do the commands run when a rule refuses one of them.

        Args:
            changes: What each merge brought, in order.
            candidate: The last of the merges, which holds them all.
            plan: What is checked.
            tell: Hears of each result.
        """
        assert candidate.worktree is not None
        judged = [await self._rules(change, plan, tell) for change in changes]
        if any(result.is_failed for results in judged for result in results):
            return judged
        ran = await self._commands(changes[-1].job, candidate, _plain(plan), changes[-1], tell)
        names = ", ".join(change.job.key for change in changes)
        ran = [replace(r, output=f"Run on {names} merged together.\n{r.output}") for r in ran]
        return [[*results, *ran] for results in judged]

    async def commands(
        self, job: Job, candidate: MergeCandidate, plan: ReviewPlan, tell: Tell = tell_nobody
    ) -> list[CheckResult]:
        """Return the results of the commands alone, without a look at what was changed."""
        change = await self._forge.change(
            job.repository, job=job, base=candidate.base_commit, head=candidate.commit
        )
        return await self._commands(job, candidate, _plain(plan), change, tell)

    async def _rules(self, change: Change, plan: ReviewPlan, tell: Tell) -> list[CheckResult]:
        if not used_rules(plan):
            return []
        found = await asyncio.to_thread(rule_results, change, plan)
        for result in found:
            if result.conclusion is not Conclusion.SUCCESS:
                tell(result)
        return found

    async def _commands(
        self,
        job: Job,
        candidate: MergeCandidate,
        plan: ReviewPlan,
        change: Change,
        tell: Tell,
    ) -> list[CheckResult]:
        assert candidate.worktree is not None
        folder = candidate.worktree
        done = await self.set_up(folder, plan)
        for result in done:
            tell(result)
        if any(result.conclusion is not Conclusion.SUCCESS for result in done):
            return done
        slots = asyncio.Semaphore(self._at_once)
        alone = len(plan.checks) == 1

        async def one(check: CommandCheck) -> list[CheckResult]:
            async with slots, AsyncExitStack() as stack:
                place = folder
                if not alone:
                    place = await stack.enter_async_context(self._runner.copied(folder))
                results = await self._check(check, place, change)
                for result in results:
                    tell(result)
            more = self._without_the_change(job, candidate, plan, check, change)
            if more is not None and not results[0].is_failed:
                async with slots:
                    results.append(await more())
                tell(results[-1])
            return results

        parts = await _side_by_side([one(check) for check in plan.checks])
        return [*done, *(result for part in parts for result in part)]

    async def set_up(self, folder: Path, plan: ReviewPlan) -> list[CheckResult]:
        """Run the set-up commands until one fails; return their results."""
        done: list[CheckResult] = []
        for command in plan.setup:
            result = await self._runner.run(
                command, folder=folder, timeout_seconds=plan.timeout_seconds,
                network=plan.setup_network,
            )  # fmt: skip
            done.append(replace(result, name=f"set-up: {command}"))
            if result.conclusion is not Conclusion.SUCCESS:
                break
        return done

    async def _check(self, check: CommandCheck, folder: Path, change: Change) -> list[CheckResult]:
        result, _report = await self.run(check, folder)
        if not check.changed_lines:
            return [result]
        return [result, await self._covered(check, folder, change)]

    async def run(self, check: CommandCheck, folder: Path) -> tuple[CheckResult, TestReport | None]:
        """Run one check, again where that is allowed, and read its report of tests."""
        result, report = await self._once(check, folder)
        for _ in range(check.retries):
            if result.conclusion in {Conclusion.SUCCESS, Conclusion.NEUTRAL}:
                break
            result, report = await self._once(check, folder)
            result = replace(result, is_flaky=result.conclusion is Conclusion.SUCCESS)
        return result, report

    async def _once(
        self, check: CommandCheck, folder: Path
    ) -> tuple[CheckResult, TestReport | None]:
        ran = await self._runner.run(
            check.command, folder=folder, timeout_seconds=check.timeout_seconds
        )
        result = replace(
            ran, name=check.title, command=check.command, is_required=check.required,
            proves=check.proves,
        )  # fmt: skip
        if not check.junit or result.conclusion is Conclusion.TIMED_OUT:
            return result, None
        try:
            report = await self._reports.tests(folder, check.junit)
        except OperationFailedError as exc:
            return _with(result, str(exc), Conclusion.FAILURE), None
        return _with_report(result, check, report), report

    async def _covered(self, check: CommandCheck, folder: Path, change: Change) -> CheckResult:
        name = f"{check.title}: changed lines reached"
        try:
            report = await self._reports.coverage(folder, check.coverage)
        except OperationFailedError as exc:
            return CheckResult(
                name=name, conclusion=Conclusion.FAILURE, output=str(exc),
                is_required=check.required,
            )  # fmt: skip
        return replace(
            lines_reached(change, report, least_percent=check.changed_lines, name=name),
            is_required=check.required,
        )

    def _without_the_change(
        self,
        job: Job,
        candidate: MergeCandidate,
        plan: ReviewPlan,
        check: CommandCheck,
        change: Change,
    ) -> Callable[[], Awaitable[CheckResult]] | None:
        """Return how to run the added tests without the rest of the delivery; None: no need."""
        if check.new_tests == "off":
            return None
        added = added_tests(change)
        if added is None:
            return None
        tests = NewTests(forge=self._forge, suite=self)
        return lambda: tests.result(job, candidate, plan, check, added)


def _plain(plan: ReviewPlan) -> ReviewPlan:
    """Return the plan without what only makes sense for one delivery."""
    checks = [replace(check, new_tests="off", changed_lines=0) for check in plan.checks]
    return replace(plan, checks=tuple(checks))


async def _side_by_side(
    works: Sequence[Coroutine[Any, Any, list[CheckResult]]],
) -> list[list[CheckResult]]:
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(work) for work in works]
    except* Exception as failed:
        raise _first(failed) from failed
    return [task.result() for task in tasks]


def _first(group: BaseExceptionGroup[Exception]) -> Exception:
    """Return the first of the exceptions that stopped a group."""
    found = group.exceptions[0]
    while isinstance(found, BaseExceptionGroup):
        found = found.exceptions[0]
    return found


def _with_report(result: CheckResult, check: CommandCheck, report: TestReport) -> CheckResult:
    """Return the result with what its report of tests says."""
    passed = result.conclusion is Conclusion.SUCCESS
    bad = report.bad
    findings = tuple(
        Finding(rule=check.title, message=f"{case.id}: {case.message or case.outcome.value}",
                path=case.path, line=case.line)
        for case in bad[:MOST_FINDINGS]
    )  # fmt: skip
    if passed and not report.ran:
        return _with(result, "It passed, but no test ran.", Conclusion.FAILURE)
    if passed and bad:
        words = f"It exited with 0, but {len(bad)} tests of its report failed."
        return replace(_with(result, words, Conclusion.FAILURE), findings=findings)
    kept = [case for case in bad if quarantined(case, check.quarantine)]
    if not passed and kept and len(kept) == len(bad):
        names = ", ".join(case.id for case in kept[:10])
        words = f"Only tests in quarantine failed: {names}."
        return replace(_with(result, words, Conclusion.NEUTRAL), findings=findings)
    return replace(result, findings=findings)


def _with(result: CheckResult, words: str, conclusion: Conclusion) -> CheckResult:
    output = f"{result.output.rstrip()}\n{words}\n" if result.output.strip() else f"{words}\n"
    return replace(result, output=output, conclusion=conclusion)
