"""The units of systemd: read by systemd's own checker, and hardened as the how-to says."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

UNITS = Path(__file__).parents[3] / "deploy" / "systemd"
HARDENED = {
    "NoNewPrivileges": "yes", "ProtectSystem": "strict", "ProtectHome": "yes", "PrivateTmp": "yes",
    "PrivateDevices": "yes", "DynamicUser": "yes", "StateDirectory": "jjm", "CapabilityBoundingSet": "",
}  # fmt: skip


def test_systemd_reads_them(tmp_path):
    """Without a word of complaint; the program is another one, since ours is not installed there."""
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip(
            "NOT CHECKED: systemd-analyze is not here, so nothing read the units of systemd"
        )
    for name in ("jjm.service", "jjm.socket"):
        text = (UNITS / name).read_text("utf-8")
        (tmp_path / name).write_text(text.replace("/opt/jjm/bin/jjm", shutil.which("true") or ""))
    done = subprocess.run(
        [analyze, "verify", "--man=no", tmp_path / "jjm.service", tmp_path / "jjm.socket"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (0, "") == (done.returncode, done.stderr)


def test_what_the_service_may_not_do():
    """Nobody takes one of these away unnoticed."""
    lines = (UNITS / "jjm.service").read_text("utf-8").splitlines()
    given = dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))
    assert HARDENED == {name: given[name] for name in HARDENED}


def test_there_is_time_to_end():
    """The service gets longer than its worker and its requests may take: twice ten seconds."""
    text = (UNITS / "jjm.service").read_text("utf-8")
    (seconds,) = [line for line in text.splitlines() if line.startswith("TimeoutStopSec=")]
    assert int(seconds.partition("=")[2]) > 2 * 10
