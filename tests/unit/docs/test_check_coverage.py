"""`make coverage` ends badly when an inner layer is not proved enough."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).parents[3] / "scripts" / "check_coverage.py"


def _checked(*files: tuple[str, tuple[int, int, int, int]]) -> subprocess.CompletedProcess[str]:
    names = ("covered_lines", "num_statements", "covered_branches", "num_branches")
    report = {
        "files": {
            f"src/jules_job_manager/{path}.py": {"summary": dict(zip(names, found, strict=True))}
            for path, found in files
        }
    }
    return subprocess.run(
        [sys.executable, SCRIPT], input=json.dumps(report), capture_output=True, text=True, check=False
    )  # fmt: skip


GOOD = (("domain/a", (10, 10, 4, 4)), ("services/a", (91, 100, 10, 10)), ("adapters/x/a", (10, 10, 10, 10)))  # fmt: skip


def test_enough():
    """Every layer above 90 % of lines and of branches is enough, whatever a face has."""
    done = _checked(*GOOD, ("cli/a", (0, 100, 0, 100)))
    assert 0 == done.returncode, done.stdout + done.stderr
    assert "services lines     91.00 %\n" in done.stdout


def test_branches_are_looked_at_for_themselves():
    """Many covered lines do not make up for branches that are not."""
    done = _checked(*GOOD, ("adapters/y/b", (9990, 9990, 7, 10)))
    assert 1 == done.returncode
    assert "adapters branches  85.00 %, not above 90 %" in done.stdout


def test_a_layer_that_was_not_measured():
    """A report without a layer is no proof."""
    done = _checked(*GOOD[:2])
    assert 0 != done.returncode
    assert "No lines of adapters were measured." in done.stderr
