"""The built-in rules on deliveries with a known verdict."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.review_corpus.bad import BAD
from tests.review_corpus.base import BASE
from tests.review_corpus.honest import HONEST
from tests.review_corpus.trees import Sample, change_of

from jules_job_manager.domain.review import Conclusion, Verdict, verdict_of
from jules_job_manager.domain.review_plan import ReviewPlan
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
    assert {Conclusion.SUCCESS, Conclusion.FAILURE} >= {check.conclusion for check in checks}
