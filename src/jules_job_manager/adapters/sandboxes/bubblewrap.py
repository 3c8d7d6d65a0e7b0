"""Linux namespaces, set up by bubblewrap: the sandbox used where nothing else is asked for.

Inside there is a read-only system, the checkout at `/checkout`, and an empty HOME and `/tmp` in
memory; no other file of this machine, no other process, and no network. Source: bwrap(1) 0.8.
"""

from __future__ import annotations

import asyncio
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from jules_job_manager.adapters.sandboxes.running import (
    CHECKOUT,
    HOME,
    Program,
    error_of,
    require_folder,
    run_supervised,
    scratch_folder,
)
from jules_job_manager.adapters.sandboxes.tool_paths import SYSTEM, tool_paths, usable_path
from jules_job_manager.errors import OperationFailedError
from jules_job_manager.ports.sandbox import DEFAULT_LIMITS, MIB, Limits, Outcome

_USER = 1000
_ETC = (
    "ld.so.cache", "ld.so.conf", "ld.so.conf.d", "alternatives", "localtime", "timezone",
    "mime.types", "os-release", "ssl/certs", "ssl/openssl.cnf", "ca-certificates",
    "pki/tls/certs", "pki/ca-trust/extracted", "crypto-policies", "fonts", "protocols", "services",
)  # fmt: skip
"""What programs need of /etc; nothing in it is secret."""
_ETC_PATTERNS = ("java-*",)
_STUBS = {
    "passwd": f"root:x:0:0::/:/bin/sh\nsandbox:x:{_USER}:{_USER}::{HOME}:/bin/sh\n",
    "group": f"root:x:0:\nsandbox:x:{_USER}:\n",
    "hosts": "127.0.0.1 localhost\n::1 localhost\n",
    "nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\n",
}
INSTALL = "Install bubblewrap (Debian, Ubuntu, Fedora: package bubblewrap)"


class BubblewrapSandbox:
    """Runs commands in namespaces of their own."""

    name = "bubblewrap"
    isolates = True

    def __init__(self, *, path: str, home: Path, program: str = "bwrap") -> None:
        """Show the programs on `path`; `home` is the home folder to keep out of sight."""
        self._path = path
        self._home = home
        self._name = program
        self._features = ""

    async def run(
        self,
        command: str,
        *,
        folder: Path,
        limits: Limits = DEFAULT_LIMITS,
        network: bool = False,
        environment: Mapping[str, str] | None = None,
        readable: Sequence[Path] = (),
        caches: Mapping[str, Path] | None = None,
    ) -> Outcome:
        """Run it in the sandbox; the folder is `/checkout` there.

        Raises:
            OperationFailedError: bubblewrap is missing or could not make the sandbox.
        """
        program = shutil.which(self._name)
        if program is None:
            raise OperationFailedError("bubblewrap is not installed.", hint=f"{INSTALL}.")
        require_folder(folder)
        self._features = self._features or await asyncio.to_thread(_features, program)
        async with scratch_folder() as scratch:
            options = [
                *_isolation(self._features, network=network),
                *_system(scratch, network=network),
                *self._private(limits),
                *_caches(caches or {}),
                *_readable([*tool_paths(self._path, home=self._home), *readable]),
                *_checkout(folder),
                "--remount-ro", "/",
                *self._variables(environment or {}),
            ]  # fmt: skip
            argv = [program, *options, "--", "/bin/sh", "-c", command]
            run = Program(
                argv=argv, folder=folder, working_folder=scratch, limits=limits, environment={},
                is_bubblewrap=True,
            )  # fmt: skip
            return await run_supervised(run)

    def _private(self, limits: Limits) -> list[str]:
        """What is written and lost: it is memory, so all of it has a size."""
        options = []
        for place, share in {"/tmp": 2, HOME: 4, "/dev/shm": 4}.items():  # noqa: S108 - theirs
            if "--size" in self._features:
                options += ["--size", str(max(MIB, limits.memory_bytes // share))]
            options += ["--tmpfs", place]
        return [*options, "--remount-ro", "/dev"]

    def _variables(self, more: Mapping[str, str]) -> list[str]:
        places = {"HOME": HOME, "TMPDIR": "/tmp", "USER": "sandbox"}  # noqa: S108 - theirs
        variables = {"LANG": "C.UTF-8", "PATH": usable_path(self._path), **more, **places}
        options = ["--clearenv"]
        for name, value in variables.items():
            options += ["--setenv", name, value]
        return options

    async def is_usable(self) -> str:
        """Make a sandbox that does nothing; say what is in the way."""
        program = shutil.which(self._name)
        if program is None:
            return f"bubblewrap is not installed. {INSTALL}."
        argv = [program, *_isolation("", network=False), "--ro-bind", "/", "/", "true"]
        error = await error_of(argv)
        if not error:
            return ""
        return (
            f"bubblewrap cannot make a sandbox here ({error}). Allow user namespaces: "
            "sysctl kernel.unprivileged_userns_clone=1, user.max_user_namespaces above 0, and on "
            "Ubuntu 24.04 an AppArmor profile for bwrap."
        )


def _features(program: str) -> str:
    done = subprocess.run([program, "--help"], capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


def _isolation(features: str, *, network: bool) -> list[str]:
    options = [
        "--unshare-user", "--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try",
        "--uid", str(_USER), "--gid", str(_USER), "--hostname", "sandbox",
        "--die-with-parent", "--new-session", "--cap-drop", "ALL",
    ]  # fmt: skip
    if "--disable-userns" in features:
        options.append("--disable-userns")
    return options if network else ["--unshare-net", *options]


def _system(scratch: Path, *, network: bool) -> list[str]:
    options = ["--proc", "/proc", "--dev", "/dev"]
    for root in map(Path, SYSTEM):
        if root.is_symlink():
            options += ["--symlink", str(root.readlink()), str(root)]
        elif root.is_dir():
            options += ["--ro-bind", str(root), str(root)]
    etc = Path("/etc")
    shown = [etc / name for name in _ETC]
    shown += [path for pattern in _ETC_PATTERNS for path in etc.glob(pattern)]
    if network:
        shown.append(etc / "resolv.conf")
    for path in shown:
        options += ["--ro-bind-try", str(path), str(path)]
    for name, text in _STUBS.items():
        stub = scratch / name
        stub.write_text(text, encoding="utf-8")
        options += ["--ro-bind", str(stub), f"/etc/{name}"]
    return options


def _readable(paths: Sequence[Path]) -> list[str]:
    """Show each at its own place; where it lies inside another one, once is enough."""
    options = []
    shown: list[Path] = []
    for path in sorted(dict.fromkeys(paths)):
        if not any(path.is_relative_to(other) for other in shown):
            shown.append(path)
            options += ["--ro-bind-try", str(path), str(path)]
    return options


def _caches(caches: Mapping[str, Path]) -> list[str]:
    """Show the entries, not the folders: pip uses a cache only if its folder can be written."""
    options = []
    for place, cache in caches.items():
        entries = sorted(cache.iterdir()) if cache.is_dir() else []
        for entry in entries:
            options += ["--ro-bind-try", str(entry), f"{HOME}/{place}/{entry.name}"]
    return options


def _checkout(folder: Path) -> list[str]:
    options = ["--bind", str(folder), CHECKOUT, "--chdir", CHECKOUT]
    git = folder / ".git"
    if git.exists() and not git.is_symlink():
        # git runs programs that a repository's configuration names, and we run git there later.
        options += ["--ro-bind", str(git), f"{CHECKOUT}/.git"]
    return options
