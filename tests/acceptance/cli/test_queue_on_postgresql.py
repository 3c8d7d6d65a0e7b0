"""`jjm queue run` on PostgreSQL: its reviews go through PgQueuer."""

from __future__ import annotations

import asyncio
import json

import asyncpg
import pytest
from tests.acceptance.cli.test_queue_kills import BACKLOG, SCENARIO, git
from tests.servers import private_postgresql

pytestmark = [pytest.mark.integration, pytest.mark.slow]


async def _reviews_by_ticket(address: str) -> tuple[int, int]:
    """Return how many tickets were written, and how many of them are left."""
    connection = await asyncpg.connect(address)
    try:
        return (
            await connection.fetchval("SELECT last_value FROM jjm_pgqueuer_id_seq"),
            await connection.fetchval("SELECT count(*) FROM review_runs"),
        )
    finally:
        await connection.close()


def test_a_backlog_is_merged(jjm, tmp_path):
    """Each delivery had a ticket, and no review is left over."""
    origin = tmp_path / "origin.git"
    git(tmp_path, "init", "-q", "-b", "main", "seed")
    git(tmp_path / "seed", "commit", "-q", "--allow-empty", "-m", "Begin")
    git(tmp_path, "clone", "-q", "--bare", "seed", str(origin))
    backlog, scenario = tmp_path / "backlog.md", tmp_path / "scenario.toml"
    backlog.write_text(BACKLOG)
    scenario.write_text(SCENARIO)
    with private_postgresql() as server:
        if server is None:
            pytest.skip("no PostgreSQL: its binaries are not here, or this user has no name")
        environ = {
            "JJM_SIMULATOR__SCENARIO": str(scenario), "JJM_SIMULATOR__SPEED": "100",
            "JJM_STORAGE__BACKEND": "postgresql", "DATABASE_URL": server.address,
            "JJM_QUEUE__DISPATCHER": "pgqueuer",
        }  # fmt: skip
        jjm("queue", "import", str(backlog), "--repo", "octo/atlas", **environ)
        jjm("queue", "run", "--remote", f"octo/atlas={origin}", "--approve", "policy",
            "--check", "true", "--interval", "0.02", **environ)  # fmt: skip
        jobs = json.loads(jjm("queue", "list", "--json", "status", **environ).stdout)
        written, left = asyncio.run(_reviews_by_ticket(server.address))
    assert ["done", "done"] == [job["status"] for job in jobs]
    subjects = git(origin, "log", "--merges", "--format=%s", "main").splitlines()
    assert ["Merge Task 2: Second", "Merge Task 1: First"] == subjects
    assert written >= 3  # one delivery is sent back
    assert 0 == left
