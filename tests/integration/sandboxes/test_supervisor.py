"""The supervisor by itself, as the program it is.

Inside the sandboxes it runs without site packages, where what it covers cannot be counted; here it
runs with them.
"""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.environment import bare_environment

from jules_job_manager.adapters.sandboxes import supervisor
from jules_job_manager.ports.sandbox import MIB, Limits

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(sys.platform != "linux", reason="only Linux tracks whole process trees"),
]


BIG = f"{sys.executable} -c 'd = bytearray(90_000_000); import time; time.sleep(600)'"


class Supervised:
    """One run of it."""

    def __init__(
        self, folder, argv, *, limits=None, tracked=True, bubblewrap=False, stop=()
    ) -> None:
        told, telling = os.pipe()
        specification = {
            "argv": argv, "folder": str(folder), "limits": dataclasses.asdict(limits or Limits()),
            "tracked": tracked, "bubblewrap": bubblewrap, "stop": list(stop), "status": telling,
            "parent": os.getpid(),
        }  # fmt: skip
        self.process = subprocess.Popen(
            [sys.executable, supervisor.__file__, json.dumps(specification)], cwd=folder,
            env=bare_environment(), pass_fds=(telling,), stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
        os.close(telling)
        self._told = told

    def end(self) -> dict[str, object]:
        """Wait for its end and return what it said."""
        self.output, _ = self.process.communicate(timeout=60)
        with os.fdopen(self._told, "rb") as told:
            said = told.read()
        return json.loads(said) if said else {}


def shell(folder, command, **more):
    return Supervised(folder, ["/bin/sh", "-c", command], **more)


def outcome(folder, command, **more):
    said = shell(folder, command, **more).end()
    return said["exit"], said["over"]


def is_there(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


def test_the_exit_code_is_that_of_the_command(tmp_path):
    """Or 128 and the signal that ended it; a program that is not there gives 127."""
    assert (0, "") == outcome(tmp_path, "true")
    assert (7, "") == outcome(tmp_path, "exit 7")
    assert (128 + signal.SIGKILL, "") == outcome(tmp_path, "kill -9 $$")
    said = Supervised(tmp_path, ["/nowhere/at/all"]).end()
    assert (127, False) == (said["exit"], said["failed"])


def test_what_was_left_running_has_ended(tmp_path):
    """Also what has left its session and its parent."""
    outcome(
        tmp_path, "setsid sh -c 'echo $$ > pid; exec sleep 600' & while [ ! -s pid ]; do :; done"
    )
    assert not is_there(int((tmp_path / "pid").read_text()))


@pytest.mark.parametrize(
    ("command", "limits", "over"),
    [
        ("for i in 1 2 3 4 5 6 7 8; do sleep 600 & done; wait", {"processes": 4}, "processes"),
        ("while :; do :; done", {"cpu_seconds": 0.2}, "cpu"),
        ("sleep 600", {"free_disk_bytes": 1 << 62}, "disk"),
        (f"{BIG} & {BIG}", {"memory_bytes": 120 * MIB}, "memory"),
    ],
)  # fmt: skip
def test_over_a_limit_it_is_ended(tmp_path, command, limits, over):
    """And the limit is named; of two processes each within the memory, the sum counts."""
    assert (None, over) == outcome(tmp_path, command, limits=Limits(**limits))


def test_files_have_a_largest_size(tmp_path):
    """The kernel ends who writes more."""
    code, _ = outcome(tmp_path, "head -c 100000 /dev/zero > big", limits=Limits(file_bytes=1000))
    assert code != 0
    assert (tmp_path / "big").stat().st_size <= 1000


def test_asked_to_stop_it_ends_everything(tmp_path):
    """As when the run took too long."""
    run = shell(tmp_path, "echo $$ > pid; sleep 600 & wait")
    deadline = time.monotonic() + 30
    while not (tmp_path / "pid").exists() or not (tmp_path / "pid").read_text().strip():
        assert time.monotonic() < deadline
    run.process.send_signal(signal.SIGTERM)
    said = run.end()
    assert (None, "") == (said["exit"], said["over"])
    assert not is_there(int((tmp_path / "pid").read_text()))


def test_what_is_elsewhere_is_ended_by_a_command(tmp_path):
    """A container is no child of ours: its engine ends it."""
    ended = tmp_path / "ended"
    code, over = outcome(tmp_path, "exit 3", stop=["/bin/sh", "-c", f"touch {ended}"])
    assert (3, "", True) == (code, over, ended.exists())


def test_elsewhere_than_on_linux_the_group_is_ended(tmp_path):
    """What stays in the process group of the command ends with it."""
    code, _ = outcome(
        tmp_path, "sleep 600 & echo $! > pid; exit 4", tracked=False,
    )  # fmt: skip
    deadline = time.monotonic() + 30
    while is_there(int((tmp_path / "pid").read_text())):  # init takes it away
        assert time.monotonic() < deadline
    assert 4 == code


@pytest.mark.skipif(shutil.which("bwrap") is None, reason="bubblewrap is not installed")
def test_bubblewrap_waits_for_its_limits(tmp_path):
    """Its command begins once they are set; one that bubblewrap could not begin has failed."""
    namespace = ["bwrap", "--unshare-user", "--unshare-pid", "--die-with-parent"]
    argv = [*namespace, "--ro-bind", "/", "/", "--bind", str(tmp_path), str(tmp_path),
            "--proc", "/proc", "--dev", "/dev"]  # fmt: skip
    limits = Limits(file_bytes=4321 * 1024)
    command = f"ulimit -f > {tmp_path}/blocks; exit 5"
    said = Supervised(
        tmp_path, [*argv, "/bin/sh", "-c", command], bubblewrap=True, limits=limits
    )  # fmt: skip
    result = said.end()
    if result.get("failed"):
        pytest.skip(f"no sandbox can be made here: {said.output.decode()}")
    assert (5, "") == (result["exit"], result["over"])
    assert (tmp_path / "blocks").read_text().strip() in {"8642", "4321"}  # of 512 or 1024 bytes
    broken = Supervised(tmp_path, ["bwrap", "--no-such-option", "true"], bubblewrap=True).end()
    assert broken["failed"]
