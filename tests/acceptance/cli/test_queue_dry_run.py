"""What a dry run says when nothing would start, beside the store and through a service."""

from __future__ import annotations

from datetime import UTC, datetime

import httpx2
import pytest
from tests.environment import bare_environment
from tests.service_thread import running_service
from tests.warm_program import run_jjm

from jules_job_manager.cli.queue_follow import _beginning
from jules_job_manager.services.outlook import Outlook

BACKLOG = "### Task 1: First\n**Status**: 📋 Ready\n**Prompt**: Add a greeting\n"


@pytest.mark.integration
@pytest.mark.slow
def test_why_nothing_would_start(tmp_path):
    """The same words both ways; what is printed for programs stays as it is."""
    home = {"JJM_HOME": str(tmp_path / "home"), "JJM_BACKEND": "simulator"}
    with running_service(bare_environment(**home)) as there:
        far = {
            "JJM_HOME": str(tmp_path / "far"), "JJM_SERVER": there.address,
            "JJM_SERVER_KEY": there.key,
        }  # fmt: skip

        def both(*words: str) -> tuple[str, str]:
            done = [
                run_jjm(words, env=bare_environment(**env), cwd=tmp_path) for env in (home, far)
            ]
            assert [0, 0] == [one.returncode for one in done], done
            assert done[0].stdout == done[1].stdout
            assert done[0].stderr == done[1].stderr
            return done[0].stdout, done[0].stderr

        httpx2.post(
            f"{there.address}/api/v1/jobs", json={"key": "Idea 7"},
            headers={"Authorization": f"Bearer {there.key}"},
        ).raise_for_status()  # fmt: skip
        said = "Nothing would start: no job waits for its turn (1 draft).\n"
        assert ("", said) == both("queue", "run", "--dry-run")
        why = both("queue", "why", "Idea 7")[0]
        assert "in no document" in why
        assert "PATCH /api/v1/jobs/Idea%207\n" in why
        assert "import it again" not in why
        (tmp_path / "b.md").write_text(BACKLOG, "utf-8")
        words = ("queue", "import", "b.md", "--repo", "octo/demo")
        run_jjm(words, env=bare_environment(**home), cwd=tmp_path)
        assert ("Task 1\twould start\n", "") == both("queue", "run", "--dry-run")
        words = ("queue", "pause", "--reason", "freeze")
        run_jjm(words, env=bare_environment(**home), cwd=tmp_path)
        said = "Nothing would start: the queue is paused (freeze). Go on with: jjm queue resume\n"
        assert said == both("queue", "run", "--dry-run")[1]
        run_jjm(("queue", "resume"), env=bare_environment(**home), cwd=tmp_path)
        words = ("queue", "hold", "Task 1", "--reason", "lunch")
        run_jjm(words, env=bare_environment(**home), cwd=tmp_path)
        told = ("Task 1\theld: lunch\n", "Nothing would start: Task 1 is held: lunch.\n")
        assert told == both("queue", "run", "--dry-run")


@pytest.mark.parametrize(
    ("leader", "may_move", "watch", "said"),
    [
        ("", True, False, "waiting for one for up to 15 s."),
        ("", True, True, "waiting for one."),
        ("build-1", True, False, "Following the service's worker, build-1."),
        ("build-1", False, False, "waiting for up to 24 s, until it has looked again."),
        ("build-1", False, True, "Nothing can move at the moment; waiting."),
    ],
)
def test_what_following_begins_with(leader, may_move, watch, said):
    """Whom it follows, and how long it waits when nothing moves."""
    now = Outlook(
        at=datetime(2026, 11, 24, tzinfo=UTC), may_move=may_move, leader=leader,
        settles_seconds=24.0, would={},
    )  # fmt: skip
    assert _beginning(now, watch=watch).endswith(said)
