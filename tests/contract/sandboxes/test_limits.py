"""Limits that the kernel and the supervisor keep for what they can count."""

from __future__ import annotations

import os
import sys

import pytest

from jules_job_manager.adapters.sandboxes.host import HostSandbox
from jules_job_manager.ports.sandbox import MIB, Limits

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(sys.platform != "linux", reason="only Linux tracks whole process trees"),
]


@pytest.fixture(params=["bubblewrap", "host"])
def counted(request):
    if request.param == "bubblewrap":
        return request.getfixturevalue("isolated")
    return HostSandbox(environment={"PATH": os.environ["PATH"]})


async def test_a_big_file_is_refused(counted, folder):
    """No file grows beyond the limit."""
    outcome = await counted.run("head -c 3000000 /dev/zero > big", folder=folder,
                                limits=Limits(wall_seconds=60, file_bytes=MIB))  # fmt: skip
    assert "file" == outcome.over_limit
    assert outcome.exit_code
    assert MIB >= (folder / "big").stat().st_size


async def test_one_process_that_takes_too_much_memory_fails(counted, folder):
    """It is refused the memory."""
    code = "python3 -c 'x = bytearray(400 * 1024 * 1024); print(len(x))'"
    outcome = await counted.run(code, folder=folder,
                                limits=Limits(wall_seconds=60, memory_bytes=200 * MIB))  # fmt: skip
    assert outcome.exit_code != 0
    assert "419430400" not in outcome.output


async def test_many_processes_that_take_too_much_memory_are_ended(counted, folder):
    """Each is within the limit, all together are not."""
    taking = "python3 -c 'import time; x = b\"1\" * (60 * 1024 * 1024); time.sleep(600)'"
    outcome = await counted.run(f"{taking} & {taking} & {taking} & {taking} & wait", folder=folder,
                                limits=Limits(wall_seconds=60, memory_bytes=120 * MIB))  # fmt: skip
    assert "memory" == outcome.over_limit


async def test_processor_time_is_summed(counted, folder):
    """Several processes at once use it up together, each within its own."""
    spin = "(while :; do :; done)"
    outcome = await counted.run(f"{spin} & {spin} & wait", folder=folder,
                                limits=Limits(wall_seconds=60, cpu_seconds=0.5))  # fmt: skip
    assert "cpu" == outcome.over_limit


async def test_many_processes_are_ended(counted, folder):
    """More than are allowed end the run."""
    outcome = await counted.run("for i in $(seq 30); do sleep 600 & done; wait", folder=folder,
                                limits=Limits(wall_seconds=60, processes=16))  # fmt: skip
    assert "processes" == outcome.over_limit


async def test_threads_count(counted, folder):
    """A thread is a process to the kernel."""
    code = (
        "import threading; stop = threading.Event()\n"
        "for i in range(40): threading.Thread(target=stop.wait).start()"
    )
    (folder / "code.py").write_text(code)
    outcome = await counted.run("python3 code.py; sleep 600", folder=folder,
                                limits=Limits(wall_seconds=60, processes=20))  # fmt: skip
    assert "processes" == outcome.over_limit


@pytest.mark.parametrize(
    "bomb", ["b() { b | b & }; b; wait; sleep 600", "b() { while :; do b & done; }; b; sleep 600"]
)
async def test_a_fork_bomb_is_contained(isolated, folder, bomb):
    """It ends at its limit or in time, and nothing of it is left."""
    outcome = await isolated.run(bomb, folder=folder, limits=Limits(wall_seconds=3, processes=40))
    assert 0 != outcome.exit_code
    assert outcome.duration_seconds < 30
