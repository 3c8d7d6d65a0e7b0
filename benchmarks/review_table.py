"""How well the built-in rules judge: the confusion table over deliveries with a known verdict.

Run: python benchmarks/review_table.py
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.review_corpus import BAD, HONEST
from tests.review_corpus.case import Case

from jules_job_manager.domain.review_plan import ReviewPlan
from jules_job_manager.services.rule_checks import rule_results


def refused_by(case: Case) -> list[str]:
    """Return the required rules that refuse the delivery."""
    return [c.name for c in rule_results(case.change(), ReviewPlan()) if c.is_failed]


def main() -> None:
    """Print the table, what each rule caught, and every wrong verdict."""
    began = time.perf_counter()
    bad = [(case, refused_by(case)) for case in BAD]
    honest = [(case, refused_by(case)) for case in HONEST]
    took = (time.perf_counter() - began) / (len(bad) + len(honest)) * 1000
    caught, wronged = (sum(bool(rules) for _, rules in found) for found in (bad, honest))
    print("            refused  accepted")
    print(f"bad         {caught:>7}  {len(bad) - caught:>8}")
    print(f"honest      {wronged:>7}  {len(honest) - wronged:>8}")
    print("\nby the rule that each bad delivery is meant for:")
    meant = Counter(case.rule for case, _ in bad)
    right = Counter(case.rule for case, rules in bad if case.rule in rules)
    for rule, count in sorted(meant.items()):
        print(f"  {rule:<24} {right[rule]:>2} of {count}")
    for case, rules in honest:
        if rules:
            print(f"wrongly refused: {case.name} ({', '.join(rules)})")
    for case, rules in bad:
        if not rules:
            print(f"wrongly accepted: {case.name}")
    print(f"\n{took:.0f} ms a delivery")


if __name__ == "__main__":
    main()
