"""The page about the simulator names every switch, and every test that it names is there."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest

from jules_job_manager.adapters.backends.simulator import switches

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "reference" / "simulator.md").read_text(encoding="utf-8")
TABLES = [
    switches.Timing, switches.Quota, switches.Deviations, switches.Faults, switches.McpServer,
    switches.Behaviour, switches.Round,
]  # fmt: skip


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.__name__)
def test_every_switch_is_documented(table):
    """Each key of each table stands on the page."""
    names = {field.name for field in dataclasses.fields(table)}
    assert set() == {name for name in names if f"`{name}`" not in PAGE} - {"rounds"}


def test_every_row_of_the_deviations_has_its_test():
    """24 rows, each with a test of that number that exists."""
    rows = re.findall(r"^\| (\d+) \|.*\| `(test_row_(\d+)_\w+)` \|$", PAGE, re.MULTILINE)
    assert [str(n) for n in range(1, 25)] == [row for row, _, number in rows if row == number]
    tests = (Path(__file__).parent / "test_deviations.py").read_text(encoding="utf-8")
    assert [] == [name for _, name, _ in rows if f"def {name}(" not in tests]


async def test_the_python_example_runs():
    """What the page shows works as it stands."""
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    names: dict[str, object] = {}
    exec(compile(code, "simulator.md", "exec"), names)
    assert 3600 == names["clock"].monotonic_seconds()
    await names["backend"].aclose()
    names["simulator"].close()
