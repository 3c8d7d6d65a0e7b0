"""The units of systemd: read by systemd's own checker, and hardened as the how-to says."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from jules_job_manager.cli.table import COMMANDS

ROOT = Path(__file__).parents[3]
UNITS = ROOT / "deploy" / "systemd"
SERVICES = {"jjm.service": "serve", "jjm-worker.service": "worker"}
"""The units that run a program, and which command."""
HARDENED = {
    "NoNewPrivileges": "yes", "ProtectSystem": "strict", "ProtectHome": "yes", "PrivateTmp": "yes",
    "PrivateDevices": "yes", "DynamicUser": "yes", "User": "jjm", "StateDirectory": "jjm",
    "CapabilityBoundingSet": "",
}  # fmt: skip


def test_systemd_reads_them(tmp_path):
    """Without a word of complaint; the program is another one, since ours is not installed there."""
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip(
            "NOT CHECKED: systemd-analyze is not here, so nothing read the units of systemd"
        )
    names = sorted(file.name for file in UNITS.iterdir())
    assert sorted([*SERVICES, "jjm.socket"]) == names
    for name in names:
        text = (UNITS / name).read_text("utf-8")
        (tmp_path / name).write_text(text.replace("/opt/jjm/bin/jjm", shutil.which("true") or ""))
    done = subprocess.run(
        [analyze, "verify", "--man=no", *(tmp_path / name for name in names)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (0, "") == (done.returncode, done.stderr)


def _given(name: str) -> dict[str, str]:
    lines = (UNITS / name).read_text("utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))


@pytest.mark.parametrize("name", SERVICES)
def test_what_a_service_may_not_do(name):
    """Nobody takes one of these away unnoticed."""
    assert {**_given(name), **HARDENED} == _given(name)


@pytest.mark.parametrize(("name", "command"), SERVICES.items())
def test_what_is_run(name, command):
    """The command is one of ours; a reload is a signal to it, and it is begun again when it ends."""
    given = _given(name)
    assert f"/opt/jjm/bin/jjm {command}" == given["ExecStart"]
    assert command in COMMANDS
    assert ("/bin/kill -HUP $MAINPID", "always") == (given["ExecReload"], given["Restart"])


def test_the_worker_is_no_less_hardened_than_the_service():
    """Both run what Jules wrote; they differ in what they run and how they are called."""
    service, worker = (_given(name) for name in SERVICES)
    different = {"Description", "ExecStart"}
    assert {n: v for n, v in service.items() if n not in different} == {
        n: v for n, v in worker.items() if n not in different
    }


@pytest.mark.parametrize("name", SERVICES)
def test_there_is_time_to_end(name):
    """The service gets longer than its worker and its requests may take: twice ten seconds."""
    assert int(_given(name)["TimeoutStopSec"]) > 2 * 10


def test_units_that_the_documents_name_are_there():
    """Who follows the runbook at night finds them."""
    text = "".join(file.read_text("utf-8") for file in (ROOT / "docs").rglob("*.md"))
    named = re.findall(r"systemctl [^`\n]*?\b(jjm[a-z-]*(?:\.\w+)?)", text)
    assert {"jjm", "jjm-worker"} <= set(named)
    for name in named:
        assert (UNITS / (name if "." in name else f"{name}.service")).is_file(), name
