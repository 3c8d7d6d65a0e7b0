"""`jjm queue status` of more jobs than it shows."""

from __future__ import annotations

import json

import pytest

pytestmark = pytest.mark.both_ways


def test_what_comes_next_is_cut_and_said_so(jjm, tmp_path):
    """Ten jobs are named and the rest hinted at; as JSON all are there."""
    document = tmp_path / "queue.md"
    document.write_text(
        "# Queue\n\n## HIGH PRIORITY\n"
        + "".join(
            f"\n### Task {n}: Piece {n}\n**Status**: 📋 Ready for Jules\n\n**Prompt for Jules**:\n```\nDo {n}.\n```\n"
            for n in range(1, 13)
        ),
        "utf-8",
    )
    jjm("queue", "import", str(document))
    shown = jjm("queue", "status").stdout.partition("Next:\n")[2].splitlines()
    assert [f"  Task {n}  Piece {n}" for n in range(1, 11)] + ["  … and more"] == shown
    found = json.loads(jjm("queue", "status", "--json", "next,total").stdout)
    assert (12, 12) == (found["total"], len(found["next"]))
