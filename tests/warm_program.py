"""Starts `jjm` without the start of an interpreter: by a fork of a process that has it imported.

`tests/warm_server.py` says why a command does the same there. What is about the start itself (what
a command imports, how the interpreter reads its environment, the installed script) is tested with a
process of its own, and so is all on systems that lack what the server needs.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.environment import bare_environment

CAN = hasattr(os, "pidfd_open") and hasattr(socket, "send_fds")
READ_AT_START = ("PYTHON", "LC_", "LANG")
"""Begin the names of variables that the interpreter itself heeds, once."""


class _Server:
    """The one server of this process, started when it is first needed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._line: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def ask(self, request: Mapping[str, Any], files: Sequence[int]) -> None:
        """Let it run a command with these files."""
        text = json.dumps(request).encode() + b"\n"
        with self._lock:
            if self._line is None:
                self._start()
            assert self._line is not None
            sent = socket.send_fds(self._line, [text[:65536]], files)
            self._line.sendall(text[sent:])

    def _start(self) -> None:
        self._line, there = socket.socketpair()
        self._process = subprocess.Popen(
            [sys.executable, Path(__file__).with_name("warm_server.py"), str(there.fileno())],
            env=bare_environment(), pass_fds=[there.fileno()], stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )  # fmt: skip
        there.close()

    def close(self) -> None:
        """End it, once all that it ran has ended."""
        with self._lock:
            if self._line is None or self._process is None:
                return
            self._line.close()
            self._process.wait(timeout=60)
            self._line = self._process = None


_SERVER = _Server()
close = _SERVER.close


class _Fork(subprocess.Popen[Any]):
    """A command that the server runs; the server is its parent and tells its exit code."""

    def _execute_child(self, args, _executable, before, _close, more_files, cwd, env, *rest):
        *_, p2cread, p2cwrite, c2pread, c2pwrite, errread, errwrite = rest[:9]
        is_new_session = rest[14]
        assert before is None
        assert not more_files
        self._told, answer = os.pipe()
        plain = [
            os.dup(n) if given == -1 else given
            for n, given in enumerate((p2cread, c2pwrite, errwrite))
        ]
        try:
            _SERVER.ask(
                {"how": args[1:3], "words": args[3:], "folder": str(cwd or Path.cwd()), "environment": env,
                 "is_new_session": is_new_session},
                [*plain, answer],
            )  # fmt: skip
        finally:
            os.close(answer)
            for made, given in zip(plain, (p2cread, c2pwrite, errwrite), strict=True):
                if made != given:
                    os.close(made)
            self._close_pipe_fds(p2cread, p2cwrite, c2pread, c2pwrite, errread, errwrite)
        self._lines = os.fdopen(self._told, "rb", buffering=0)
        self.pid = int(self._lines.readline())
        self._child_created = True

    def _internal_poll(self, *_ignored, **_more):
        if self.returncode is None and select.select([self._told], [], [], 0)[0]:
            self._take_code()
        return self.returncode

    def _wait(self, timeout):
        if self.returncode is None:
            if not select.select([self._told], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired(self.args, timeout)
            self._take_code()
        return self.returncode

    def _take_code(self) -> None:
        self.returncode = int(self._lines.readline() or b"-9")
        self._lines.close()


def start_jjm(
    words: Sequence[str], *, env: Mapping[str, str], code: str = "", **options: Any
) -> subprocess.Popen[Any]:
    """Start `jjm` with these words and this environment, and nothing else.

    Args:
        words: Its arguments.
        env: Its environment, whole.
        code: A program that is run instead; empty: `jjm` itself.
        options: As of `subprocess.Popen`.
    """
    kind = subprocess.Popen if not CAN or any(n.startswith(READ_AT_START) for n in env) else _Fork
    how = ["-c", code] if code else ["-m", "jules_job_manager"]
    return kind([sys.executable, *how, *words], env=dict(env), **options)


def run_jjm(
    words: Sequence[str], *, env: Mapping[str, str], cwd: Path, code: str = "", stdin: str = "",
    seconds: float = 100,
) -> subprocess.CompletedProcess[str]:  # fmt: skip
    """Run `jjm` (or `code`) to its end and return what it printed.

    Raises:
        subprocess.TimeoutExpired: it did not end in so many seconds; it is killed.
    """
    pipe = subprocess.PIPE
    with start_jjm(
        words, env=env, code=code, cwd=cwd, stdin=pipe, stdout=pipe, stderr=pipe, text=True
    ) as process:
        try:
            output, errors = process.communicate(stdin, timeout=seconds)
        except BaseException:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            raise
    return subprocess.CompletedProcess(process.args, process.returncode, output, errors)
