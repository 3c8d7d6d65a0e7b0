"""The built-in rules on deliveries with a known verdict."""

from __future__ import annotations

import pytest
from tests.review_corpus import BAD, HONEST
from tests.review_corpus.case import Case

from jules_job_manager.domain.finding import Finding, Level
from jules_job_manager.domain.review import Verdict, verdict_of
from jules_job_manager.domain.review_plan import ReviewPlan
from jules_job_manager.domain.rules import Need, Rule, built_in_rules
from jules_job_manager.services import rule_checks
from jules_job_manager.services.rule_checks import rule_results


def judged(case):
    return rule_results(case.change(), ReviewPlan())


@pytest.mark.parametrize("case", BAD, ids=lambda case: case.name)
def test_it_is_refused_by_the_rule_it_names(case):
    """And the finding says where."""
    failed = {check.name: check for check in judged(case) if check.is_failed}
    assert case.rule in failed
    assert failed[case.rule].findings


@pytest.mark.parametrize("case", HONEST, ids=lambda case: case.name)
def test_it_is_accepted(case):
    """No required rule finds anything, and none breaks."""
    checks = judged(case)
    assert [] == [(check.name, check.output) for check in checks if check.is_failed]
    assert Verdict.ACCEPT is verdict_of(checks)
    assert all("could not be applied" not in check.output for check in checks)


def test_there_are_enough():
    """Each side has forty of each project, told apart by name, and each required rule refuses something."""
    for cases in (BAD, HONEST):
        projects = {id(case.base) for case in cases}
        assert 2 == len(projects)
        for project in projects:
            names = [case.name for case in cases if id(case.base) == project]
            assert len(names) >= 40
            assert len(names) == len(set(names))
    required = {rule.id for rule in built_in_rules() if rule.need is Need.REQUIRED}
    assert required == {case.rule for case in BAD}


def test_a_rule_that_breaks_decides_nothing(monkeypatch):
    """A required one is left to a person, an advisory one is only shown."""

    def broken(change):
        raise RecursionError("too deep")
        yield

    for need, conclusion in ((Need.REQUIRED, "action_required"), (Need.ADVISORY, "neutral")):
        rule = Rule(id="odd", title="t", explanation="e", need=need, check=broken)
        monkeypatch.setattr(rule_checks, "built_in_rules", lambda options, rule=rule: (rule,))
        (check,) = judged(Case(name="any"))
        assert (conclusion, "could not be applied (RecursionError: too deep)") == (
            check.conclusion.value, check.output.removeprefix("This rule ").rstrip("."),
        )  # fmt: skip


def test_what_is_told_is_bounded(monkeypatch):
    """Errors come first; the rest is counted."""

    def many(change):
        yield Finding(rule="odd", message="w", path="a", level=Level.WARNING)
        for line in range(1, 101):
            yield Finding(rule="odd", message="x" * 999, path="b", line=line)

    rule = Rule(id="odd", title="t", explanation="e", need=Need.REQUIRED, check=many)
    monkeypatch.setattr(rule_checks, "built_in_rules", lambda options: (rule,))
    (check,) = judged(Case(name="any"))
    lines = check.output.splitlines()
    assert lines[1].startswith("- b:1: xxx")
    assert "... and 51 more" == lines[-1]
    assert max(map(len, lines)) <= 300
    assert 50 == len(check.findings)
