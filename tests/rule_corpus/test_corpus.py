"""Every bad delivery is caught by the rule that is there for it, and no honest one is refused."""

from __future__ import annotations

import pytest

from jules_job_manager.domain.finding import Level
from jules_job_manager.domain.rules import Need, built_in_rules, findings_of
from tests.rule_corpus.bad import BAD
from tests.rule_corpus.honest import HONEST

REQUIRED = [rule for rule in built_in_rules() if rule.need is Need.REQUIRED]


def refusals(case):
    change = case.change()
    return [f for rule in REQUIRED for f in findings_of(rule, change) if f.level is Level.ERROR]


@pytest.mark.parametrize("case", BAD, ids=lambda case: case.name)
def test_bad_delivery_is_caught(case):
    """The expected rule refuses it."""
    found = refusals(case)
    assert case.rule in {finding.rule for finding in found}, found


@pytest.mark.parametrize("case", HONEST, ids=lambda case: case.name)
def test_honest_delivery_passes(case):
    """No required rule refuses it, and the advisory ones do not break."""
    assert refusals(case) == []
    for rule in built_in_rules():
        findings_of(rule, case.change())


def test_the_corpus_is_large_enough():
    """Forty of each, told apart by name."""
    assert len(BAD) >= 40
    assert len(HONEST) >= 40
    assert len({case.name for case in (*BAD, *HONEST)}) == len(BAD) + len(HONEST)
