"""The program that stands between us and a check, started as the check runner starts it."""

from __future__ import annotations

import platform
import signal
import subprocess
import sys

import pytest
from tests.environment import bare_environment
from tests.integration.checks.test_host_runner import gone

from jules_job_manager.adapters.checks import reaper

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(platform.system() != "Linux", reason="only Linux has child subreapers"),
]


def started(command: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, reaper.__file__, command], env=bare_environment(), text=True,
        stdout=subprocess.PIPE, start_new_session=True,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("command", "code"),
    [("true", 0), ("exit 7", 7), ("kill -9 $$", 137), ("none-such-command", 127)],
)
def test_the_exit_code_is_the_commands(command, code):
    """A command that a signal ended counts as 128 and its number, as in the shell."""
    with started(command) as process:
        assert code == process.wait(timeout=20)


def test_what_left_its_group_ends_with_the_command():
    """Orphans in sessions of their own are found, whichever generation they are of."""
    command = (
        "setsid sh -c 'sleep 600 & echo $!; exec sleep 600' & sleep 600 & echo $!; sh -c 'exit 3'"
    )
    with started(command) as process:
        assert 3 == process.wait(timeout=20)
        pids = [int(line) for line in process.stdout.read().split()]
    assert pids
    assert all(gone(pid) for pid in pids)


def test_a_request_to_end_ends_everything():
    """On SIGTERM nothing that was started is left."""
    with started("setsid sleep 600 & echo $!; sleep 600") as process:
        pid = int(process.stdout.readline())
        process.send_signal(signal.SIGTERM)
        assert 128 + signal.SIGTERM == process.wait(timeout=20)
    assert gone(pid)
