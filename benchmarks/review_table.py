"""How well the built-in rules judge: the confusion table over deliveries with a known verdict.

Run: python benchmarks/review_table.py [--run]

With --run, deliveries whose code runs are judged too, through git, the rules and bubblewrap: what
hostile ones reach of this machine must be nothing.
"""

from __future__ import annotations

import argparse
import asyncio
import socket
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.hostile_world import World
from tests.review_corpus import BAD, HONEST, running
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
    parser = argparse.ArgumentParser()
    parser.add_argument("--run", action="store_true")
    if parser.parse_args().run:
        asyncio.run(judge_for_real())


async def judge_for_real() -> None:
    """Print the table of deliveries that run."""
    began = time.perf_counter()
    counts: Counter[str] = Counter()
    for kind, deliveries in (("hostile", running.HOSTILE), ("honest", running.HONEST)):
        for delivery in deliveries:
            with (
                tempfile.TemporaryDirectory() as folder,
                socket.create_server(("127.0.0.1", 0)) as port,
            ):
                judged = await World(Path(folder) / "world", port).judge(delivery)
            reached = "reached something" if judged.reached else "reached nothing"
            verdict = "refused" if judged.is_refused else f"accepted, {reached}"
            counts[f"{kind:<8} {verdict}"] += 1
            if judged.reached or (kind == "honest" and judged.is_refused):
                print(f"wrong: {delivery.name}: {verdict} {judged.reached}")
    print("\njudged for real:")
    for name, count in sorted(counts.items()):
        print(f"  {name:<36} {count:>3}")
    print(f"{time.perf_counter() - began:.0f} s")


if __name__ == "__main__":
    main()
