"""Runs one command, holds it to its limits, and ends everything it started.

Started as a program of its own (`python -I -S supervisor.py SPECIFICATION`), so it needs nothing
but the standard library. On Linux orphans of the command become its children
(PR_SET_CHILD_SUBREAPER) instead of init's, so they can be counted and killed, and it ends with its
parent (PR_SET_PDEATHSIG), so a killed run leaves nothing behind. How the run ended is written as
JSON to the descriptor that the specification names: `exit`, `over` (a limit) or `error`.
Source: prctl(2), prlimit(2), proc(5), cgroups pids controller; bwrap(1) for --json-status-fd and
--block-fd, read 2026-11.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import resource
import select
import signal
import sys
import time
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_LOOK_SECONDS = 0.05
_SPARE_PROCESSES = 16
"""The kernel's own bound lies so far above ours, so that going over it is seen and named."""
_STOP_SECONDS = 10
_PAGE = resource.getpagesize()
_TICKS = os.sysconf("SC_CLK_TCK")

Limits = dict[str, float]


class Run:
    """One command, and what is known of it."""

    def __init__(self, specification: dict[str, object]) -> None:
        """Hold what is to be run."""
        self.argv: list[str] = list(specification["argv"])  # type: ignore[call-overload]
        self.limits: Limits = dict(specification["limits"])  # type: ignore[call-overload]
        self.folder = str(specification["folder"])
        self.is_tracked = bool(specification["tracked"])
        """Whether the processes can be found one by one (Linux)."""
        self.is_bubblewrap = bool(specification["bubblewrap"])
        self.stop: list[str] = list(specification["stop"])  # type: ignore[call-overload]
        """A command that ends what is not a child of ours (a container)."""
        self.child = 0
        self.first = 0
        """Process 1 of the sandbox, whose end is that of all in it; 0: there is none."""
        self.group = ProcessGroup()
        self.status_reading = -1

    def start(self) -> None:
        """Start the command, with its limits set before it does anything."""
        if self.is_bubblewrap:
            self._start_bubblewrap()
            return
        self.child = os.fork()
        if self.child == 0:
            self._become()

    def _become(self) -> None:
        try:
            os.setpgid(0, 0)
            for number in (signal.SIGTERM, signal.SIGCHLD, signal.SIGPIPE, signal.SIGXFSZ):
                signal.signal(number, signal.SIG_DFL)
            if self.is_tracked and not self.stop:
                _limit(0, self.limits)
            os.execvp(self.argv[0], self.argv)  # noqa: S606 - the very point
        finally:
            os._exit(127)

    def _start_bubblewrap(self) -> None:
        """Start bwrap, which waits until its first process has its limits."""
        self.status_reading, status = os.pipe()
        blocked, go = os.pipe()
        for descriptor in (status, blocked):
            os.set_inheritable(descriptor, True)  # noqa: FBT003 - positional only
        options = ["--json-status-fd", str(status), "--block-fd", str(blocked)]
        argv = [self.argv[0], *options, *self.argv[1:]]
        default = [signal.SIGTERM, signal.SIGCHLD, signal.SIGPIPE, signal.SIGXFSZ]
        self.child = os.posix_spawnp(argv[0], argv, os.environ, setsigdef=default)
        os.close(status)
        os.close(blocked)
        line = b""
        while not line.endswith(b"\n") and (more := os.read(self.status_reading, 1)):
            line += more
        if line:  # else it has failed, and said why on its output
            self.first = int(json.loads(line)["child-pid"])
            with contextlib.suppress(ProcessLookupError):
                _limit(self.first, self.limits, has_own_users=True)
                self.group.make(self.first, int(self.limits["processes"]) + _SPARE_PROCESSES)
            os.write(go, b"go")
        os.close(go)

    def has_failed_to_begin(self) -> bool:
        """Return whether bubblewrap ended without having run the command."""
        if not self.is_bubblewrap:
            return False
        os.set_blocking(self.status_reading, False)
        with contextlib.suppress(BlockingIOError):
            return b"exit-code" not in os.read(self.status_reading, 4096)
        return True

    def over_limit(self) -> str:
        """Return the limit that the run is over, or empty."""
        disk = os.statvfs(self.folder)
        if disk.f_bavail * disk.f_frsize < self.limits["free_disk_bytes"]:
            return "disk"
        if not self.is_tracked or self.stop:
            return ""
        tasks, pages, ticks, pids = 0, 0, 0, []
        for pid, threads in _tree(os.getpid()):
            pids.append(pid)
            tasks += threads
            with contextlib.suppress(OSError, IndexError):
                resident, shared = Path(f"/proc/{pid}/statm").read_bytes().split()[1:3]
                pages += int(resident) - int(shared)
                stat = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
                ticks += sum(map(int, stat[11:15]))
        if tasks > self.limits["processes"] + (2 if self.is_bubblewrap else 0):
            return "processes"
        if ticks / _TICKS > self.limits["cpu_seconds"]:
            return "cpu"
        # Forked processes share pages, which are counted for each of them: look closer first.
        memory = self.limits["memory_bytes"]
        return "memory" if pages * _PAGE > memory and _proportional(pids) > memory else ""

    def end(self) -> None:
        """Kill everything; afterwards there is nothing left."""
        if self.first:
            # The kernel ends all of a process namespace with its first process.
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.first, signal.SIGKILL)
        if self.stop:
            import subprocess  # slow to load, and only containers need it

            with contextlib.suppress(OSError, subprocess.TimeoutExpired):
                subprocess.run(
                    self.stop, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL, timeout=_STOP_SECONDS, check=False,
                )  # fmt: skip
        if not self.is_bubblewrap:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.child, signal.SIGKILL)
        if self.is_tracked:
            _end_all()
        self.group.remove()


class ProcessGroup:
    """A control group that bounds the number of processes, where we may make one.

    RLIMIT_NPROC does not bind what runs as root outside, so root needs it.
    """

    def __init__(self) -> None:
        """Hold none yet."""
        self._folder: Path | None = None

    def make(self, pid: int, most: int) -> None:
        """Put the process into one of its own, if possible.

        Only where the controller has a hierarchy of its own: elsewhere a group with processes
        can hold no groups, and leaving it would leave its other bounds too.
        """
        with contextlib.suppress(OSError):
            lines = Path("/proc/self/cgroup").read_text().splitlines()
            ours = [line.split(":", 2)[2] for line in lines if line.split(":", 2)[1] == "pids"]
            if not ours:
                return
            root = Path("/sys/fs/cgroup/pids") / ours[0].lstrip("/")
            for old in root.glob("jjm-sandbox-*"):
                # What a killed supervisor left is empty now; one in use cannot be removed.
                with contextlib.suppress(OSError):
                    old.rmdir()
            folder = root / f"jjm-sandbox-{os.getpid()}"
            folder.mkdir()
            self._folder = folder
            (folder / "pids.max").write_text(str(most))
            (folder / "cgroup.procs").write_text(str(pid))

    def was_full(self) -> bool:
        """Return whether the kernel refused to start a process."""
        with contextlib.suppress(OSError, IndexError, ValueError):
            if self._folder is not None:
                return int((self._folder / "pids.events").read_text().split()[1]) > 0
        return False

    def remove(self) -> None:
        """Remove it; everything in it has ended."""
        if self._folder is not None:
            with contextlib.suppress(OSError):
                self._folder.rmdir()
            self._folder = None


def _limit(pid: int, limits: Limits, *, has_own_users: bool = False) -> None:
    """Set the bounds that hold for each process alone; `pid` 0 is this process."""
    cpu = int(limits["cpu_seconds"]) + 1
    bounds = {
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_CPU: cpu,
        resource.RLIMIT_FSIZE: int(limits["file_bytes"]),
        # Not RLIMIT_AS: Node.js, Go and Java reserve far more addresses than they use.
        resource.RLIMIT_DATA: int(limits["memory_bytes"]),
        resource.RLIMIT_NOFILE: 4096,
    }
    if has_own_users and _kernel() >= (5, 14):  # before, it counted all processes of the user
        bounds[resource.RLIMIT_NPROC] = int(limits["processes"]) + _SPARE_PROCESSES
    for kind, bound in bounds.items():
        hard = resource.prlimit(pid, kind)[1]
        least = bound if hard == resource.RLIM_INFINITY else min(bound, hard)
        resource.prlimit(pid, kind, (least, least))


def _kernel() -> tuple[int, ...]:
    numbers = os.uname().release.split("-")[0].split(".")[:2]
    return tuple(int(number) for number in numbers if number.isdecimal())


def _children(pid: int) -> tuple[list[int], int]:
    """Return the children of a process and the number of its threads."""
    found: list[int] = []
    threads = 0
    with contextlib.suppress(OSError):
        for thread in os.listdir(f"/proc/{pid}/task"):  # noqa: PTH208 - pathlib is slower here
            threads += 1
            try:
                text = Path(f"/proc/{pid}/task/{thread}/children").read_bytes()
                found += map(int, text.split())
            except FileNotFoundError:
                if not Path("/proc/self/task", str(os.getpid()), "children").exists():
                    return _children_by_parent(pid), threads
            except OSError:  # it has just ended
                pass
    return found, threads


def _children_by_parent(parent: int) -> list[int]:
    """Return the children of a process on a kernel without CONFIG_PROC_CHILDREN."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            if int(stat.read_bytes().rpartition(b")")[2].split()[1]) == parent:
                found.append(int(stat.parent.name))
    return found


def _tree(root: int) -> list[tuple[int, int]]:
    """Return every descendant of a process with the number of its threads."""
    found = []
    waiting = _children(root)[0]
    while waiting:
        pid = waiting.pop()
        children, threads = _children(pid)
        found.append((pid, threads))
        waiting += children
    return found


def _proportional(pids: list[int]) -> int:
    """Return the bytes of memory in use, shared ones counted once."""
    total = 0
    for pid in pids:
        with contextlib.suppress(OSError, ValueError):
            for line in Path(f"/proc/{pid}/smaps_rollup").read_bytes().splitlines():
                if line.startswith((b"Pss:", b"SwapPss:")):
                    total += int(line.split()[1]) * 1024
    return total


def _end_all() -> None:
    """Kill descendants until there are none: a dead child's own children become ours."""
    while True:
        pids = [pid for pid, _ in _tree(os.getpid())]
        for number in (signal.SIGSTOP, signal.SIGKILL):  # what stands still starts nothing new
            for pid in pids:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.kill(pid, number)
        try:
            os.waitpid(-1, 0 if pids else os.WNOHANG)
        except ChildProcessError:
            return


def _wait(run: Run, wakes: int, asked: list[int]) -> tuple[int | None, str]:
    """Wait for the command; return its exit code, or None and the limit it went over."""
    while True:
        with contextlib.suppress(ChildProcessError):
            while (ended := os.waitpid(-1, os.WNOHANG))[0]:
                if ended[0] == run.child:
                    code = os.waitstatus_to_exitcode(ended[1])
                    return (code if code >= 0 else 128 - code), ""
        if asked:
            return None, ""
        over = run.over_limit()
        if over:
            return None, over
        if select.select([wakes], [], [], _LOOK_SECONDS)[0]:
            with contextlib.suppress(BlockingIOError):
                os.read(wakes, 4096)


def _listen() -> tuple[int, list[int]]:
    """Return a descriptor that wakes on SIGTERM and ended children, and the requests to stop."""
    asked: list[int] = []
    reading, writing = os.pipe()
    for descriptor in (reading, writing):
        os.set_blocking(descriptor, False)
    signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
    signal.signal(signal.SIGTERM, lambda number, _frame: asked.append(number))
    return reading, asked


def main() -> int:
    """Do what the specification, JSON in the first argument, says."""
    specification = json.loads(sys.argv[1])
    status = int(specification["status"])
    os.set_inheritable(status, False)  # noqa: FBT003 - positional only
    run = Run(specification)
    wakes, asked = _listen()
    if run.is_tracked:
        libc = ctypes.CDLL(None, use_errno=True)
        libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
        if os.getppid() != specification["parent"]:
            return 1  # it died before we could say that we end with it
    began = time.monotonic()
    run.start()
    try:
        code, over = _wait(run, wakes, asked)
        if code and run.group.was_full():
            code, over = None, "processes"
    finally:
        run.end()
    failed = code is not None and run.has_failed_to_begin()
    seconds = time.monotonic() - began
    result = {"exit": code, "over": over, "failed": failed, "seconds": seconds}
    with contextlib.suppress(BrokenPipeError):
        os.write(status, json.dumps(result).encode())
    return 0


if __name__ == "__main__":
    sys.exit(main())
