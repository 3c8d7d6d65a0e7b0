"""The page on security names tests; each of them is there."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[3]


def test_every_test_that_is_named_exists():
    """Each row of the list names tests, and none of them was moved or removed since."""
    text = (ROOT / "docs" / "explanation" / "security.md").read_text("utf-8")
    rows = [line for line in text.splitlines() if re.match(r"\| A\d\d ", line)]
    assert 10 == len(rows)
    for row in rows:
        named = re.findall(r"`(tests/[^`]+)`", row)
        assert named, row
        for path in named:
            assert (ROOT / path).is_file(), path
