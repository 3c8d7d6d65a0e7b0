"""The host check runner with real processes."""

from __future__ import annotations

import asyncio
import os
import platform
import signal
import sys
from pathlib import Path

import pytest

from jules_job_manager.adapters.checks.host import HostCheckRunner
from jules_job_manager.domain.review import Conclusion
from jules_job_manager.errors import OperationFailedError

pytestmark = pytest.mark.integration


@pytest.fixture
def runner() -> HostCheckRunner:
    return HostCheckRunner(environment={"PATH": os.environ["PATH"], "GIVEN": "yes"})


def gone(pid: int) -> bool:
    """Whether the process ended (a zombie waiting for init counts)."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    state = Path(f"/proc/{pid}/stat")
    return state.exists() and state.read_text().rpartition(")")[2].split()[0] == "Z"


async def test_success_and_failure_follow_the_exit_code(
    runner: HostCheckRunner, tmp_path: Path
) -> None:
    """Exit code 0 is success, others failure, and both streams are evidence."""
    good = await runner.run("echo out; echo err >&2", folder=tmp_path, timeout_seconds=20)
    bad = await runner.run("exit 3", folder=tmp_path, timeout_seconds=20)
    assert (good.conclusion, good.exit_code, good.output) == (Conclusion.SUCCESS, 0, "out\nerr\n")
    assert (bad.conclusion, bad.exit_code) == (Conclusion.FAILURE, 3)


async def test_only_the_given_environment_reaches_a_check(
    runner: HostCheckRunner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Our secrets are not there, HOME and TMPDIR are private and gone afterwards, stdin is empty."""
    monkeypatch.setenv("JULES_API_KEY", "secret")
    done = await runner.run('cat; env; test -d "$HOME"', folder=tmp_path, timeout_seconds=20)
    values = dict(line.split("=", 1) for line in done.output.splitlines())
    assert done.conclusion is Conclusion.SUCCESS
    assert values["GIVEN"] == "yes"
    assert "JULES_API_KEY" not in values
    assert not await asyncio.to_thread(Path(values["HOME"]).exists)


async def test_a_timeout_kills_grandchildren(runner: HostCheckRunner, tmp_path: Path) -> None:
    """Out of time ends the whole process group, also what runs in the background."""
    done = await runner.run(
        "(sleep 600 & echo $!; wait) & wait", folder=tmp_path, timeout_seconds=1
    )
    assert done.conclusion is Conclusion.TIMED_OUT
    assert done.exit_code is None
    assert gone(int(done.output))


async def test_what_a_check_leaves_behind_is_ended(runner: HostCheckRunner, tmp_path: Path) -> None:
    """A background process does not outlive its check nor delay it."""
    done = await runner.run("sleep 600 & echo $!", folder=tmp_path, timeout_seconds=60)
    assert done.conclusion is Conclusion.SUCCESS
    assert done.duration_seconds < 30
    assert gone(int(done.output))


@pytest.mark.skipif(sys.platform != "linux", reason="needs PR_SET_CHILD_SUBREAPER")
@pytest.mark.parametrize("tail", ["true", "sleep 600"])
async def test_what_leaves_the_process_group_is_ended_too(
    runner: HostCheckRunner, tmp_path: Path, tail: str
) -> None:
    """A daemon (setsid, forked twice) outlives neither a check that ends nor one out of time."""
    daemon = "setsid sh -c 'sleep 600 & echo $! $$; wait' & "
    done = await runner.run(
        f"{daemon} while ! test -s pids; do sleep 0.01; done; {tail}".replace("$$;", "$$ | tee pids;"),
        folder=tmp_path, timeout_seconds=2,
    )  # fmt: skip
    pids = [int(pid) for pid in (tmp_path / "pids").read_text().split()]
    assert (done.conclusion is Conclusion.SUCCESS) == (tail == "true")
    assert [True, True] == [gone(pid) for pid in pids]


@pytest.mark.skipif(sys.platform != "linux", reason="needs PR_SET_PDEATHSIG")
async def test_a_check_ends_with_the_program_that_runs_it(tmp_path: Path) -> None:
    """A run killed with -9 leaves no check behind."""
    code = (
        "import asyncio, pathlib\n"
        "from jules_job_manager.adapters.checks.host import HostCheckRunner\n"
        "asyncio.run(HostCheckRunner(environment={}).run('exec 3>news; echo started >&3; sleep 600',"
        " folder=pathlib.Path('.'), timeout_seconds=600))"
    )
    os.mkfifo(tmp_path / "news")
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", code, cwd=tmp_path)
    async with asyncio.timeout(30):
        news = await asyncio.to_thread((tmp_path / "news").open)
        with news:
            assert "started\n" == await asyncio.to_thread(news.readline)
            process.kill()
            await process.wait()
            assert "" == await asyncio.to_thread(news.read)  # every writer is gone


async def test_without_a_reaper_the_process_group_is_ended(
    runner: HostCheckRunner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Other systems keep the bounds they can."""
    monkeypatch.setattr(platform, "system", lambda: "Darwin")
    done = await runner.run("sleep 600 & echo $!; exit 4", folder=tmp_path, timeout_seconds=60)
    assert (4, True) == (done.exit_code, gone(int(done.output)))


async def test_output_is_bounded_with_head_and_tail(
    runner: HostCheckRunner, tmp_path: Path
) -> None:
    """Long output keeps its beginning and its end and says how much is missing."""
    done = await runner.run(
        "echo first; yes | head -c 1000000; echo last",
        folder=tmp_path, timeout_seconds=60, output_limit_bytes=1000,
    )  # fmt: skip
    assert done.output.startswith("first\n")
    assert done.output.endswith("last\n")
    assert "bytes left out" in done.output
    assert len(done.output) < 1100


async def test_a_missing_folder_is_an_error(runner: HostCheckRunner, tmp_path: Path) -> None:
    """A check that cannot be started says so."""
    with pytest.raises(OperationFailedError, match="could not be started"):
        await runner.run("true", folder=tmp_path / "none", timeout_seconds=1)


async def test_a_signal_is_a_failure(runner: HostCheckRunner, tmp_path: Path) -> None:
    """A check that a signal ended has failed."""
    done = await runner.run(f"kill -{signal.SIGTERM.value} $$", folder=tmp_path, timeout_seconds=20)
    assert done.conclusion is Conclusion.FAILURE
