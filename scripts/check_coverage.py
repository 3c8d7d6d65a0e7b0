"""Refuse a test run that leaves too much of the inner layers unproved.

    coverage json -o - -q | python scripts/check_coverage.py [--least 90]

Reads the report of `coverage json` and looks at lines and branches, each for itself, of the
layers where decisions are made and where the world is touched.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Mapping
from typing import Any

LAYERS = ("domain", "services", "adapters")
KINDS = {"lines": ("covered_lines", "num_statements"), "branches": ("covered_branches", "num_branches")}  # fmt: skip


def shares(report: Mapping[str, Any]) -> Iterator[tuple[str, str, float]]:
    """Yield layer, kind and the share covered, in per cent.

    Raises:
        ValueError: a layer was not measured at all.
    """
    for layer in LAYERS:
        files = [
            found["summary"]
            for path, found in report["files"].items()
            if f"jules_job_manager/{layer}/" in path.replace("\\", "/")
        ]
        for kind, (covered, there) in KINDS.items():
            total = sum(summary[there] for summary in files)
            if not total:
                raise ValueError(f"No {kind} of {layer} were measured.")
            yield layer, kind, 100 * sum(summary[covered] for summary in files) / total


def main() -> int:
    """Print a line for each share; 1 when one is too small."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--least", type=float, default=90.0, help="least share in per cent")
    least = parser.parse_args().least
    enough = True
    for layer, kind, share in shares(json.load(sys.stdin)):
        print(
            f"{layer:8} {kind:8} {share:6.2f} %{'' if share > least else f', not above {least:g} %'}"
        )
        enough = enough and share > least
    return 0 if enough else 1


if __name__ == "__main__":
    sys.exit(main())
