"""What hostile code cannot do in a sandbox that isolates."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from jules_job_manager.adapters.sandboxes.escapes import try_to_escape
from jules_job_manager.adapters.sandboxes.host import HostSandbox
from jules_job_manager.ports.sandbox import Limits

pytestmark = pytest.mark.integration
QUICK = Limits(wall_seconds=60.0)
CONNECT = "import socket; socket.create_connection(('127.0.0.1', {}), 5)"


async def test_every_escape_of_the_doctor_fails(isolated, tmp_path):
    """As `jjm doctor` reports it."""
    proof = await try_to_escape(isolated, home=Path.home(), own_home=tmp_path)
    assert (13, ()) == (proof.tried, proof.succeeded)


async def test_an_attempt_that_would_fail_anyway_is_not_counted(isolated, tmp_path):
    """Where no bait can be laid, nothing is proven by its not being found."""
    proof = await try_to_escape(isolated, home=Path.home(), own_home=tmp_path / "not there")
    assert (12, ()) == (proof.tried, proof.succeeded)


async def test_the_attempts_of_the_doctor_are_real(tmp_path):
    """Without a sandbox nearly all of them succeed: a probe that cannot succeed proves nothing."""
    host = HostSandbox(environment={"PATH": os.environ["PATH"]})
    proof = await try_to_escape(host, home=Path.home(), own_home=tmp_path)
    expected = {
        "read the home folder", "read the keys and mirrors of jjm", "read a file outside",
        "follow a link outside", "write outside", "connect to this machine",
        "read another process' environment", "see another process", "signal another process",
        "write into the git mirror", "replace .git",
    }  # fmt: skip
    assert set() == expected - set(proof.succeeded)
    assert "keep a process alive" not in proof.succeeded


@pytest.mark.parametrize("network", [False, True])
async def test_the_network_is_there_only_when_allowed(isolated, folder, network):
    """A listener of this machine is reached with it, not without."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        code = CONNECT.format(listener.getsockname()[1])
        outcome = await isolated.run(
            f'python3 -c "{code}"', folder=folder, limits=QUICK, network=network
        )
    assert network == (outcome.exit_code == 0)


@pytest.mark.parametrize(
    "place",
    ["/", "/etc", "/usr", "/usr/local", "/dev", "/proc/sys/kernel", "/root", "/home", "/var"],
)
async def test_only_scratch_can_be_written(isolated, folder, place):
    """No folder of the system, also not the ones made for the sandbox."""
    outcome = await isolated.run(f"echo x > {place}/written", folder=folder, limits=QUICK)
    assert 0 != outcome.exit_code
    assert not Path(place, "written").exists()


async def test_home_and_temporary_files_are_private(isolated, folder):
    """Both can be written, begin empty, and are lost."""
    command = (
        'ls -A "$HOME" "$TMPDIR"; echo x > "$HOME/a" && echo x > "$TMPDIR/a" && echo > /dev/shm/a'
    )
    for _ in range(2):
        outcome = await isolated.run(command, folder=folder, limits=QUICK)
        assert (0, "/home/sandbox:\n\n/tmp:\n") == (outcome.exit_code, outcome.output)


async def test_a_link_out_of_the_folder_leads_nowhere(isolated, folder, tmp_path):
    """Neither one that was delivered nor one that is made inside."""
    (tmp_path / "secret").write_text("secret")
    (folder / "link").symlink_to(tmp_path)
    command = f"cat link/secret; ln -s {tmp_path} other; cat other/secret; echo x > other/secret"
    outcome = await isolated.run(command, folder=folder, limits=QUICK)
    assert "secret\n" not in outcome.output.replace("/secret", "")
    assert 0 != outcome.exit_code
    assert "secret" == (tmp_path / "secret").read_text()


async def test_git_cannot_be_turned_against_us(isolated, folder, tmp_path):
    """`.git` stays what it was, file or folder: git runs programs that its configuration names."""
    git = folder / ".git"
    git.write_text("gitdir: elsewhere\n")
    command = "echo x > .git; rm -f .git; mv .git x; mkdir .git; true"
    await isolated.run(command, folder=folder, limits=QUICK)
    assert "gitdir: elsewhere\n" == git.read_text()
    git.unlink()
    git.mkdir()
    command = "echo x > .git/config; mkdir .git/hooks; mv .git x; rm -rf .git; true"
    await isolated.run(command, folder=folder, limits=QUICK)
    assert [] == list(git.iterdir())


@pytest.fixture
def bait():
    """A process of ours with a secret."""
    argv = [sys.executable, "-c", "input()"]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, env={"KEY": "bait-secret"}) as process:
        yield process
        process.communicate(b"\n")


async def test_our_processes_are_out_of_reach(isolated, folder, bait):
    """They are neither seen, signalled nor traced."""
    code = (
        "import ctypes, os, sys\n"
        f"pid = {bait.pid}\n"
        "libc = ctypes.CDLL(None, use_errno=True)\n"
        "sys.exit(0 if libc.ptrace(16, pid, 0, 0) == 0 else 5)"
    )
    (folder / "trace.py").write_text(code)
    outcome = await isolated.run(
        f"kill -9 {bait.pid}; cat /proc/*/environ; python3 trace.py", folder=folder, limits=QUICK
    )
    assert 5 == outcome.exit_code
    assert "bait-secret" not in outcome.output
    assert bait.poll() is None


async def test_no_privilege_can_be_had(isolated, folder):
    """No capability, no new namespace, no program that runs as another user."""
    command = (
        "grep -E '^(CapEff|CapBnd|NoNewPrivs)' /proc/self/status; unshare -Ur true && echo nested"
    )
    outcome = await isolated.run(command, folder=folder, limits=QUICK)
    values = dict(line.split(":\t") for line in outcome.output.splitlines() if ":\t" in line)
    zero = "0" * 16
    assert {"CapEff": zero, "CapBnd": zero, "NoNewPrivs": "1"} == values
    assert "nested" not in outcome.output


async def test_tools_on_path_work(isolated, folder):
    """The Python that PATH names is found, with its library."""
    outcome = await isolated.run("python3 -c 'import ssl, sqlite3'", folder=folder, limits=QUICK)
    assert (0, "") == (outcome.exit_code, outcome.output)


async def test_what_is_readable_cannot_be_written(isolated, folder, tmp_path):
    """Folders that are shown on purpose, and caches, are read only."""
    shown, cache = tmp_path / "shown", tmp_path / "cache"
    for place in (shown, cache / "wheels"):
        place.mkdir(parents=True)
        (place / "file").write_text("text\n")
    command = (
        f"cat {shown}/file ~/.cache/pip/wheels/file && echo > ~/.cache/pip/new && "
        f"! echo x > {shown}/file && ! echo x > ~/.cache/pip/wheels/file"
    )
    outcome = await isolated.run(
        command, folder=folder, limits=QUICK, readable=[shown], caches={".cache/pip": cache}
    )
    assert 0 == outcome.exit_code, outcome.output
    assert outcome.output.startswith("text\ntext\n")
    assert not (cache / "new").exists()
