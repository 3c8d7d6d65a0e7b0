"""`jjm queue status` of more jobs than it shows."""

from __future__ import annotations

import asyncio
import json

import pytest

from jules_job_manager.adapters.storage.opening import open_sqlite
from jules_job_manager.cli.output import local_time_of
from jules_job_manager.domain.clockwork import to_rfc3339

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


def test_a_pause_is_said_with_its_reason_and_who_made_it(jjm, tmp_path):
    """Also when the queue has no jobs, and by name where no reason is given."""
    assert "Paused" not in jjm("queue", "status").stdout
    jjm("queue", "pause", "--reason", "the release is being made")
    found = json.loads(jjm("queue", "status", "--json", "paused,paused_by").stdout)
    assert "the release is being made" == found["paused"]
    name = found["paused_by"]
    assert name == "first-admin" or name.startswith("cli:")
    end = "Go on with: jjm queue resume\n"
    said = f"Paused by {name}: the release is being made. {end}"
    assert said == jjm("queue", "status").stdout
    (tmp_path / "b.md").write_text(
        "### Task 1: First\n**Status**: 📋 Ready\n**Prompt**: Do it\n", "utf-8"
    )
    jjm("queue", "import", "b.md")
    assert said in jjm("queue", "status").stdout
    jjm("queue", "pause")
    assert f"Paused by {name}. {end}" in jjm("queue", "status").stdout
    assert "The reason is empty" in jjm("queue", "pause", "--reason", " ", expect=1).stderr
    assert f"by {name}" in jjm("queue", "hold", "Task 1").stdout
    jjm("queue", "resume")
    found = json.loads(jjm("queue", "status", "--json", "paused,paused_by,leader").stdout)
    assert {"paused": "", "paused_by": "", "leader": ""} == found


def test_who_runs_the_queue_is_said(jjm, tmp_path):
    """As long as its lease holds."""
    jjm("queue", "status")
    file = tmp_path / "home" / "jjm.db"

    async def lead(seconds: float) -> str:
        store = await open_sqlite(file)
        lease = await store.leases.acquire("queue", "build-1:4711", seconds=seconds, steal=True)
        await store.aclose()
        assert lease is not None
        return to_rfc3339(lease.until)

    until = asyncio.run(lead(3600))
    assert (
        f"Run by build-1:4711, whose lease lasts until {local_time_of(until)}."
        in jjm("queue", "status").stdout
    )
    found = json.loads(jjm("queue", "status", "--json", "leader,leader_until").stdout)
    assert {"leader": "build-1:4711", "leader_until": until} == found
    asyncio.run(lead(-3600))
    assert "Run by" not in jjm("queue", "status").stdout
    found = json.loads(jjm("queue", "status", "--json", "leader,leader_until").stdout)
    assert {"leader": "", "leader_until": None} == found
