"""A process that has imported the program, and forks itself for each command it is asked to run.

Run by `tests.warm_program` as a script with the number of a socket. A request is one line of JSON
with four open files: the command's own input, output and errors, and where to write its process
id and, at its end, its exit code, a line each.

What a command does here is what it does in a process that was started for it: the fork runs
`python -m jules_job_manager` by the same `runpy` that the interpreter uses for `-m`, with its own
process id, arguments, folder, environment and files, and ends as an interpreter ends. All that it
does not do again is what every start does alike: starting the interpreter and importing modules,
which read nothing of the environment and start nothing.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import importlib
import json
import os
import pkgutil
import runpy
import selectors
import signal
import socket
import sys
import threading
import time
from dataclasses import dataclass, field
from typing import Any

PROGRAM = "jules_job_manager"
LATE = (
    "aiosqlite", "argparse", "asyncpg", "ftfy", "httpx2", "jq", "limits", "markdown_it", "rich.console",
    "rich.live", "rich.markdown", "rich.panel", "rich.table", "runpy", "sqlalchemy.dialects.postgresql.asyncpg",
    "sqlalchemy.dialects.sqlite.aiosqlite", "sqlalchemy.ext.asyncio", "tomlkit", "unidiff",
)  # fmt: skip
"""Modules that commands import when they need them."""
LEFT_OUT = (f"{PROGRAM}.__main__", "migrations")
"""What is run, not imported."""


def _import_everything() -> None:
    package = importlib.import_module(PROGRAM)
    for found in pkgutil.walk_packages(package.__path__, f"{PROGRAM}."):
        if not any(part in found.name for part in LEFT_OUT):
            with contextlib.suppress(ImportError):  # an extra that is not installed
                importlib.import_module(found.name)
    for name in LATE:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)


def _coverage() -> Any:
    coverage = sys.modules.get("coverage")
    return None if coverage is None else coverage.Coverage.current()


@dataclass
class Forks:
    """The commands that run."""

    line: socket.socket
    waiting: selectors.BaseSelector = field(default_factory=selectors.DefaultSelector)
    running: dict[int, tuple[int, int]] = field(default_factory=dict)
    """Process id and the file for its exit code, by the file that tells of its end."""
    how: tuple[str, str] = ("-m", PROGRAM)
    """What a fork is to run, by the option of the interpreter."""

    def serve(self) -> bool:
        """Run what is asked until the line is closed; return whether this is a command's own fork."""
        self.waiting.register(self.line, selectors.EVENT_READ)
        while True:
            for key, _ in self.waiting.select():
                if key.fd != self.line.fileno():
                    self._finish(key.fd)
                elif (asked := self._next()) is None:
                    return False
                elif self._fork(*asked):
                    return True

    def _next(self) -> tuple[dict[str, Any], list[int]] | None:
        text, files, _, _ = socket.recv_fds(self.line, 65536, 4)
        while text and not text.endswith(b"\n"):
            text += self.line.recv(65536)
        return (json.loads(text), files) if text else None

    def _fork(self, asked: dict[str, Any], files: list[int]) -> bool:
        pid = os.fork()
        if pid == 0:
            self._forget()
            _become(asked, files)
            self.how = asked["how"]
            return True
        for given in files[:3]:
            os.close(given)
        os.write(files[3], b"%d\n" % pid)
        told = os.pidfd_open(pid)
        self.running[told] = (pid, files[3])
        self.waiting.register(told, selectors.EVENT_READ)
        return False

    def _finish(self, told: int) -> None:
        self.waiting.unregister(told)
        os.close(told)
        pid, answer = self.running.pop(told)
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        with contextlib.suppress(BrokenPipeError):  # nobody waits for it
            os.write(answer, b"%d\n" % code)
        os.close(answer)

    def _forget(self) -> None:
        """Close what belongs to the server, in a fork of it."""
        self.waiting.close()
        self.line.close()
        for told, (_, answer) in self.running.items():
            os.close(told)
            os.close(answer)


def _become(asked: dict[str, Any], files: list[int]) -> None:
    """Take on what a process is given at its start."""
    if asked["is_new_session"]:
        os.setsid()
    for number, given in enumerate(files[:3]):
        os.dup2(given, number)
    for given in files:
        os.close(given)
    _open_standard_files()
    os.chdir(asked["folder"])
    os.environ.clear()
    os.environ.update(asked["environment"])
    time.tzset()
    counted = _coverage()
    if counted is not None and not any(name.startswith("COVERAGE_PROCESS_") for name in os.environ):
        counted._auto_save = False
        counted.stop()
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
    sys.path[0] = asked["folder"]
    sys.argv[:] = ["-c", *asked["words"]]


def _run(option: str, what: str) -> None:
    """Run what the interpreter's option `-m` or `-c` would, and end as an interpreter does, but for taking every module apart again."""
    code: object = None
    try:
        if option == "-m":
            runpy.run_module(what, run_name="__main__", alter_sys=True)
        else:
            exec(what, {"__name__": "__main__"})
    except SystemExit as exc:
        code = exc.code
    assert code is None or isinstance(code, int)
    threading._shutdown()
    atexit._run_exitfuncs()
    try:
        sys.stdout.flush()
    except OSError:
        code = 120  # the interpreter's own answer to output that it cannot write
    os._exit(code or 0)


def _open_standard_files() -> None:
    """Open input, output and errors anew: the server's own remember what kind of file they are."""
    encoding, errors = sys.stdout.encoding, sys.stdout.errors
    how = {"encoding": encoding, "closefd": False}
    sys.stdin = sys.__stdin__ = os.fdopen(0, errors=errors, **how)
    sys.stdout = sys.__stdout__ = os.fdopen(1, "w", errors=errors, **how)
    sys.stderr = sys.__stderr__ = os.fdopen(2, "w", errors="backslashreplace", **how)
    sys.stderr.reconfigure(line_buffering=True)


def main() -> None:
    """Serve the socket whose number is the first argument."""
    line = socket.socket(fileno=int(sys.argv[1]))
    _import_everything()
    if (counted := _coverage()) is not None:
        counted.save()
        counted.get_data().close(force=True)
        # A fork shall write down its own lines only, and not look once more for what nobody ran.
        counted._collector.data.clear()
        counted._post_save_work = lambda: None
    assert threading.active_count() == 1
    gc.collect()
    gc.freeze()
    forks = Forks(line)
    if forks.serve():
        _run(*forks.how)


if __name__ == "__main__":
    main()
