"""What is merged without a person: the first rule that fits decides."""

from __future__ import annotations

import pytest

from jules_job_manager.domain.decision_rules import MergeRule
from jules_job_manager.domain.job import Job, Priority
from jules_job_manager.domain.orchestration.deliveries import rule_on_merge
from jules_job_manager.domain.orchestration.policy import Policy
from jules_job_manager.domain.review import Review, Verdict

JOB = Job(key="REL-1", priority=Priority.HIGH)


def review(*paths: str, lines: int = 10, more: int = 0) -> Review:
    return Review(
        job_key="REL-1", mark="m", delivered_commit="d", base_commit="b", verdict=Verdict.ACCEPT,
        changed_paths=paths, changed_files=len(paths) + more, changed_lines=lines,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("conditions", "fitting", "other"),
    [
        ({"max_files": 2}, review("a", "b"), review("a", "b", "c")),
        ({"max_lines": 10}, review("a"), review("a", lines=11)),
        ({"paths": ("docs/*", "*.md")}, review("docs/a/b.txt", "x.md"), review("docs/a", "b.py")),
        ({"any_paths": ("migrations/*",)}, review("a", "migrations/1.sql"), review("a")),
        ({"paths": ("*",), "max_files": 9}, review("a"), review("a", more=1)),
        ({"any_paths": ("x",)}, review("a", more=1), review("a")),
    ],
)
def test_every_condition_must_hold(conditions, fitting, other):
    """Where not every changed path is known, what is careful counts."""
    rule = MergeRule(name="r", decision="ask", **conditions)
    assert rule.fits(fitting, JOB)
    assert not rule.fits(other, JOB)


def test_job_and_priority():
    """Patterns of keys, and words of priority."""
    assert MergeRule(name="r", decision="ask", jobs=("REL-*",)).fits(review("a"), JOB)
    assert not MergeRule(name="r", decision="ask", jobs=("DOC-*",)).fits(review("a"), JOB)
    assert not MergeRule(name="r", decision="ask", priorities=("low",)).fits(review("a"), JOB)


def test_the_first_that_fits_counts_and_then_the_setting():
    """With no rule everything that passed is merged."""
    rules = (
        MergeRule(name="small", decision="merge", max_lines=5),
        MergeRule(name="all", decision="ask"),
    )
    assert ("merge rule small", False) == rule_on_merge(
        JOB, review("a", lines=5), Policy(merge_rules=rules, merge="ask")
    )
    assert ("merge rule all", True) == rule_on_merge(JOB, review("a"), Policy(merge_rules=rules))
    assert ("queue.merge = ask", True) == rule_on_merge(JOB, review("a"), Policy(merge="ask"))
    assert ("every check passed", False) == rule_on_merge(JOB, review("a"), Policy())
