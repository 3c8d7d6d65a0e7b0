"""Runs the built-in rules on a delivery."""

from __future__ import annotations

import time
from collections.abc import Sequence

from jules_job_manager.domain.change import Change
from jules_job_manager.domain.finding import Finding, Level
from jules_job_manager.domain.review import CheckResult, Conclusion
from jules_job_manager.domain.review_plan import ReviewPlan
from jules_job_manager.domain.rules import Rule, RuleOptions, built_in_rules, findings_of
from jules_job_manager.domain.text import shorten

MOST_FINDINGS = 50
"""Most findings of one rule that are kept; the output says how many there are."""
LINE_CHARACTERS = 300


def rule_results(change: Change, plan: ReviewPlan) -> list[CheckResult]:
    """Return one result for each rule that the plan uses, in the order of the registry.

    A rule that fails itself neither accepts nor rejects: a required one is left to a person.
    """
    return [
        _result(rule, change, is_required=plan.use_of(rule.id, rule.need.value) == "required")
        for rule in used_rules(plan)
    ]


def used_rules(plan: ReviewPlan) -> list[Rule]:
    """Return the rules that the plan uses, in the order of the registry."""
    options = RuleOptions(
        allowed_paths=plan.allowed_paths,
        largest_file_bytes=plan.largest_file_bytes,
        route_lines=plan.route_lines,
    )
    rules = built_in_rules(options)
    return [rule for rule in rules if plan.use_of(rule.id, rule.need.value) != "off"]


def _result(rule: Rule, change: Change, *, is_required: bool) -> CheckResult:
    began = time.monotonic()
    try:
        findings = findings_of(rule, change)
    except Exception as exc:  # noqa: BLE001 - whatever a rule stumbles over, it must not decide
        conclusion = Conclusion.ACTION_REQUIRED if is_required else Conclusion.NEUTRAL
        output = f"This rule could not be applied ({type(exc).__name__}: {exc})."
        return CheckResult(
            name=rule.id, conclusion=conclusion, output=output, is_required=is_required,
            duration_seconds=time.monotonic() - began,
        )  # fmt: skip
    return CheckResult(
        name=rule.id,
        conclusion=conclusion_of(findings),
        output=findings_text(rule.explanation, findings),
        is_required=is_required,
        findings=findings[:MOST_FINDINGS],
        duration_seconds=time.monotonic() - began,
    )


def conclusion_of(findings: Sequence[Finding]) -> Conclusion:
    """Return failure for an error among them, neutral for lesser ones, success for none."""
    if any(finding.level is Level.ERROR for finding in findings):
        return Conclusion.FAILURE
    return Conclusion.NEUTRAL if findings else Conclusion.SUCCESS


def findings_text(explanation: str, findings: Sequence[Finding]) -> str:
    """Return the findings as text, errors first, with what is left out."""
    if not findings:
        return ""
    ordered = sorted(findings, key=lambda finding: finding.level is not Level.ERROR)
    lines = [explanation]
    lines += [
        shorten(finding_line(finding), LINE_CHARACTERS) for finding in ordered[:MOST_FINDINGS]
    ]
    left = len(findings) - MOST_FINDINGS
    return "\n".join([*lines, f"... and {left} more"] if left > 0 else lines)


def finding_line(finding: Finding) -> str:
    """Return a finding as an entry of a list."""
    place = f"{finding.path}:{finding.line}" if finding.line else finding.path
    word = "" if finding.level is Level.ERROR else f"({finding.level.value}) "
    return f"- {place}: {word}{finding.message}" if place else f"- {word}{finding.message}"
