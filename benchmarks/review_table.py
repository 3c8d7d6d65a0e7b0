"""How well the built-in rules judge: the confusion table over deliveries with a known verdict.

Run: python benchmarks/review_table.py
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.review_corpus.bad import BAD
from tests.review_corpus.base import BASE
from tests.review_corpus.honest import HONEST
from tests.review_corpus.trees import Sample, change_of

from jules_job_manager.domain.review_plan import ReviewPlan
from jules_job_manager.services.rule_checks import rule_results


def refused_by(sample: Sample) -> list[str]:
    """Return the required rules that refuse the delivery."""
    return [c.name for c in rule_results(change_of(sample, BASE), ReviewPlan()) if c.is_failed]


def main() -> None:
    """Print the table, what each rule caught, and every wrong verdict."""
    began = time.perf_counter()
    bad = {sample.name: refused_by(sample) for sample in BAD}
    honest = {sample.name: refused_by(sample) for sample in HONEST}
    took = (time.perf_counter() - began) / (len(bad) + len(honest)) * 1000
    caught, wronged = sum(map(bool, bad.values())), sum(map(bool, honest.values()))
    print("            refused  accepted")
    print(f"bad         {caught:>7}  {len(bad) - caught:>8}")
    print(f"honest      {wronged:>7}  {len(honest) - wronged:>8}")
    print("\nby the rule that each bad delivery is meant for:")
    meant = Counter(sample.caught_by for sample in BAD)
    right = Counter(sample.caught_by for sample in BAD if sample.caught_by in bad[sample.name])
    for rule, count in sorted(meant.items()):
        print(f"  {rule:<24} {right[rule]:>2} of {count}")
    for name, rules in honest.items():
        if rules:
            print(f"wrongly refused: {name} ({', '.join(rules)})")
    for name, rules in bad.items():
        if not rules:
            print(f"wrongly accepted: {name}")
    print(f"\n{took:.0f} ms a delivery")


if __name__ == "__main__":
    main()
