"""What every sandbox does, isolating or not."""

from __future__ import annotations

import asyncio
import hashlib
import os
import sys
from pathlib import Path

import pytest
from tests.environment import bare_environment

from jules_job_manager.errors import OperationFailedError
from jules_job_manager.ports.sandbox import MIB, Limits

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(sys.platform != "linux", reason="only Linux tracks whole process trees"),
]
QUICK = Limits(wall_seconds=60.0)


async def holders(path: Path) -> list[str]:
    """Return the processes, seen from here, that hold a file open."""

    def look() -> list[str]:
        found = []
        for link in Path("/proc").glob("[0-9]*/fd/*"):
            try:
                if os.path.samefile(link, path):  # noqa: PTH121 - follows the link of /proc
                    found.append(link.parts[2])
            except OSError:
                continue
        return found

    return await asyncio.to_thread(look)


@pytest.mark.parametrize(
    ("command", "code"),
    [("true", 0), ("exit 7", 7), ("kill -9 $$", 137), ("kill -15 $$", 143), ("no-such-thing", 127)],
)
async def test_the_exit_code_is_the_commands(sandbox, folder, command, code):
    """A command that a signal ended counts as 128 and its number, as in the shell."""
    outcome = await sandbox.run(command, folder=folder, limits=QUICK)
    assert (code, False, "") == (outcome.exit_code, outcome.timed_out, outcome.over_limit)


async def test_both_streams_are_kept_and_hashed(sandbox, folder):
    """Standard output and errors are one text; stdin is empty."""
    outcome = await sandbox.run("cat; echo out; echo err >&2", folder=folder, limits=QUICK)
    digest = hashlib.sha256(b"out\nerr\n").hexdigest()
    assert ("out\nerr\n", 8, digest) == (outcome.output, outcome.output_bytes, outcome.log_sha256)


async def test_the_folder_is_the_working_folder_and_keeps_what_is_written(sandbox, folder):
    """What a set-up command makes is there for the next."""
    (folder / "given").write_text("given")
    outcome = await sandbox.run("cat given; echo made > made", folder=folder, limits=QUICK)
    assert ("given", "made\n") == (outcome.output, (folder / "made").read_text())


async def test_no_variable_of_ours_is_there(sandbox, folder, monkeypatch):
    """Only what is named reaches a command; HOME and TMPDIR are private."""
    monkeypatch.setenv("JULES_API_KEY", "secret")
    outcome = await sandbox.run("env; cat /proc/1/environ | tr '\\0' '\\n' || true",
                                folder=folder, limits=QUICK, environment={"GIVEN": "yes"})  # fmt: skip
    values = dict(line.split("=", 1) for line in outcome.output.splitlines() if "=" in line)
    assert "yes" == values["GIVEN"]
    assert "secret" not in outcome.output
    assert str(Path.home()) != values["HOME"]


async def test_long_output_keeps_both_ends_and_its_hash(sandbox, folder):
    """What is left out is counted, and the hash is that of all of it."""
    limits = Limits(wall_seconds=60, kept_output_bytes=1000)
    outcome = await sandbox.run(
        "echo first; head -c 1000000 /dev/zero; echo last", folder=folder, limits=limits
    )
    whole = b"first\n" + b"\0" * 1000000 + b"last\n"
    assert outcome.output.startswith("first\n")
    assert outcome.output.endswith("last\n")
    assert "bytes left out" in outcome.output
    assert len(outcome.output) < 1100
    assert hashlib.sha256(whole).hexdigest() == outcome.log_sha256


async def test_ten_gigabytes_of_output_end_early(sandbox, folder):
    """Neither memory nor the disk fills."""
    outcome = await sandbox.run(
        "head -c 10000000000 /dev/zero", folder=folder,
        limits=Limits(wall_seconds=60, output_bytes=4 * MIB),
    )  # fmt: skip
    assert ("output", None) == (outcome.over_limit, outcome.exit_code)
    assert 4 * MIB < outcome.output_bytes < 5 * MIB


async def test_a_command_that_hangs_ends_in_time(sandbox, folder):
    """Also what ignores requests to end."""
    outcome = await sandbox.run("trap '' TERM INT HUP; exec 9>held; sleep 600 & wait; sleep 600",
                                folder=folder, limits=Limits(wall_seconds=0.5))  # fmt: skip
    assert (True, "wall", None) == (outcome.timed_out, outcome.over_limit, outcome.exit_code)
    assert outcome.duration_seconds < 20
    assert [] == await holders(folder / "held")


@pytest.mark.parametrize("tail", ["true", "exit 3", "sleep 600"])
async def test_nothing_outlives_its_run(sandbox, folder, tail):
    """Background processes and daemons in sessions of their own end with the command."""
    command = (
        "exec 9>held; sleep 600 & setsid sh -c 'sleep 600 & echo > ready; wait' & "
        f"while ! test -s ready; do sleep 0.01; done; {tail}"
    )
    await sandbox.run(command, folder=folder, limits=Limits(wall_seconds=2))
    assert (folder / "ready").exists()
    assert [] == await holders(folder / "held")


async def test_a_missing_folder_is_an_error(sandbox, folder):
    """What cannot be started says so."""
    with pytest.raises(OperationFailedError, match="could not be started"):
        await sandbox.run("true", folder=folder / "none", limits=QUICK)


async def test_a_full_disk_ends_the_run(sandbox, folder):
    """Before the disk is full, whatever fills it with however many files."""
    outcome = await sandbox.run(
        "sleep 600", folder=folder, limits=Limits(wall_seconds=60, free_disk_bytes=2**60)
    )
    assert "disk" == outcome.over_limit


async def test_a_sandbox_that_is_cancelled_leaves_nothing(sandbox, folder):
    """Stopping the queue ends what runs."""
    os.mkfifo(folder / "news")
    running = asyncio.create_task(
        sandbox.run("exec 9>held; echo > news; sleep 600", folder=folder, limits=QUICK)
    )
    async with asyncio.timeout(30):
        await asyncio.to_thread((folder / "news").read_text)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert [] == await holders(folder / "held")


@pytest.fixture(params=["bubblewrap", "host"])
def kind(request):
    """The ones whose processes are our descendants."""
    if request.param == "bubblewrap":
        request.getfixturevalue("isolated")
    return request.param


async def test_a_killed_program_leaves_nothing(folder, kind):
    """A run killed with -9 takes what it runs with it."""
    code = (
        "import asyncio, os, pathlib\n"
        "from jules_job_manager.adapters.sandboxes.bubblewrap import BubblewrapSandbox\n"
        "from jules_job_manager.adapters.sandboxes.host import HostSandbox\n"
        "bubblewrap = lambda: BubblewrapSandbox(path=os.environ['PATH'], home=pathlib.Path.home())\n"
        "host = lambda: HostSandbox(environment={'PATH': os.environ['PATH']})\n"
        f"asyncio.run({kind}().run('exec 3>news; echo started >&3; setsid sleep 600; sleep 600',"
        " folder=pathlib.Path('.').resolve()))"
    )
    os.mkfifo(folder / "news")
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, cwd=folder, env=bare_environment(is_counted=False)
    )
    async with asyncio.timeout(60):
        news = await asyncio.to_thread((folder / "news").open)
        with news:
            assert "started\n" == await asyncio.to_thread(news.readline)
            process.kill()
            await process.wait()
            assert "" == await asyncio.to_thread(news.read)  # every writer is gone
