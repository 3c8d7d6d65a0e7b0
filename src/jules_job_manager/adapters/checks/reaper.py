"""Runs one command and ends everything it started, also what left its process group.

Started by the check runner as a program of its own (`python -I -S reaper.py COMMAND`), on Linux:
orphans of the command become children of this process (PR_SET_CHILD_SUBREAPER) instead of
init's, so they can be found and killed. It ends with its parent (PR_SET_PDEATHSIG), so a killed
run leaves no check behind. Exit code: the command's, or 128 plus its signal.
Source: prctl(2), "PR_SET_CHILD_SUBREAPER" and "PR_SET_PDEATHSIG", read 2026-11.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36


def main() -> int:
    """Run `sys.argv[1]` with the shell."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    signal.signal(signal.SIGTERM, _stop)
    child = os.posix_spawn("/bin/sh", ["/bin/sh", "-c", sys.argv[1]], os.environ, setpgroup=0,
                           setsigdef=[signal.SIGTERM, signal.SIGPIPE])  # fmt: skip
    try:
        status = _wait_for(child)
    finally:
        _end_all()
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code


def _wait_for(child: int) -> int:
    while True:
        pid, status = os.wait()
        if pid == child:
            return status


def _stop(number: int, frame: object) -> None:
    del number, frame
    _end_all()
    os._exit(128 + signal.SIGTERM)


def _end_all() -> None:
    """Kill children until there are none: a dead child's own children become ours."""
    while True:
        for pid in _children():
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        try:
            os.wait()
        except ChildProcessError:
            return


def _children() -> list[int]:
    me = str(os.getpid())
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            if stat.read_bytes().rpartition(b")")[2].split()[1].decode() == me:
                found.append(int(stat.parent.name))
    return found


if __name__ == "__main__":
    sys.exit(main())
