"""Node.js programs for tests: their packages installed once, from a lock file, and kept."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from filelock import FileLock


def installed(config: pytest.Config, source: Path) -> tuple[str, Path]:
    """Return the node program and a folder with the files of `source` and their packages.

    Skips the test, saying why, where node or the packages are not to be had; in CI, which
    promises to install node, that is a failure.
    """
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        _unavailable("node and npm are not installed")
    folder = Path(config.cache.mkdir(f"node-{source.parent.name}"))
    with FileLock(folder / "lock"):
        wanted = (source / "package-lock.json").read_text()
        done = folder / "installed-lock.json"
        if not done.exists() or done.read_text() != wanted:
            for name in ("package.json", "package-lock.json"):
                shutil.copy(source / name, folder)
            ran = subprocess.run(
                [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
                cwd=folder, capture_output=True, text=True, check=False,
            )  # fmt: skip
            if ran.returncode:
                _unavailable(f"npm could not install the packages: {ran.stderr[-300:]}")
            done.write_text(wanted)
        for script in source.glob("*.mjs"):
            shutil.copy(script, folder)
    return node, folder


def _unavailable(reason: str) -> None:
    if os.environ.get("CI"):
        pytest.fail(f"the Node tests cannot run: {reason}")
    pytest.skip(reason)
