"""The built-in rules: what a delivery is judged by without running any of it."""

from jules_job_manager.domain.rules.registry import built_in_rules
from jules_job_manager.domain.rules.rule import Check, Need, Rule, RuleOptions, findings_of

__all__ = ["Check", "Need", "Rule", "RuleOptions", "built_in_rules", "findings_of"]
