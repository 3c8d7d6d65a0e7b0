"""The built-in rules on deliveries with a known verdict."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.review_corpus.bad import BAD
from tests.review_corpus.base import BASE
from tests.review_corpus.honest import HONEST
from tests.review_corpus.trees import Sample, change_of

from jules_job_manager.domain.finding import Finding, Level
from jules_job_manager.domain.review import Conclusion, Verdict, verdict_of
from jules_job_manager.domain.review_plan import ReviewPlan
from jules_job_manager.domain.rules import Need, Rule
from jules_job_manager.services import rule_checks
from jules_job_manager.services.rule_checks import rule_results


def judged(sample):
    return rule_results(change_of(sample, BASE), ReviewPlan())


@pytest.mark.parametrize("sample", BAD, ids=[sample.name for sample in BAD])
def test_it_is_refused_by_the_rule_it_names(sample):
    """And the finding says where."""
    failed = {check.name: check for check in judged(sample) if check.is_failed}
    assert sample.caught_by in failed
    assert failed[sample.caught_by].findings


@pytest.mark.parametrize("sample", HONEST, ids=[sample.name for sample in HONEST])
def test_it_is_accepted(sample):
    """No required rule finds anything."""
    checks = judged(sample)
    assert [] == [(check.name, check.output) for check in checks if check.is_failed]
    assert Verdict.ACCEPT is verdict_of(checks)


def test_there_are_enough():
    """Each side has forty, and each required rule refuses something."""
    assert len(BAD) >= 40
    assert len(HONEST) >= 40
    required = {check.name for check in judged(Sample(name="none")) if check.is_required}
    assert required - {sample.caught_by for sample in BAD} <= {"promised-names"}


@given(
    text=st.text(max_size=200),
    path=st.sampled_from(["notes/x.py", "tests/test_x.py", "x.json", "x.js", "pyproject.toml"]),
)
def test_any_text_is_judged(text, path):
    """No rule fails on what it is given."""
    checks = judged(Sample(name="any", files={path: text}))
    assert Conclusion.ACTION_REQUIRED not in {check.conclusion for check in checks}
    assert all("could not be applied" not in check.output for check in checks)


def test_a_rule_that_breaks_decides_nothing(monkeypatch):
    """A required one is left to a person, an advisory one is only shown."""

    def broken(change):
        raise RecursionError("too deep")
        yield

    for need, conclusion in ((Need.REQUIRED, "action_required"), (Need.ADVISORY, "neutral")):
        rule = Rule(id="odd", title="t", explanation="e", need=need, check=broken)
        monkeypatch.setattr(rule_checks, "built_in_rules", lambda options, rule=rule: (rule,))
        (check,) = judged(Sample(name="any"))
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
    (check,) = judged(Sample(name="any"))
    lines = check.output.splitlines()
    assert lines[1].startswith("- b:1: xxx")
    assert "... and 51 more" == lines[-1]
    assert max(map(len, lines)) <= 300
    assert 50 == len(check.findings)
