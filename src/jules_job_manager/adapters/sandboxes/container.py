"""A container of podman or docker, held as tightly as the bubblewrap sandbox.

The tools are those of the image. The engine keeps the limits of memory and processes; this program
those of wall time and output, and it removes the container by its name whatever happens.
Source: podman-run(1) and docker run, read 2026-11.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
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
from jules_job_manager.errors import ConfigurationError, OperationFailedError
from jules_job_manager.ports.sandbox import DEFAULT_LIMITS, MIB, Limits, Outcome

ENGINES = ("podman", "docker")
_IMAGE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/:@-]{0,254}\Z")
_ENGINE_FAILED = 125
_ENGINE_VARIABLES = (
    "PATH", "HOME", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME", "DOCKER_HOST", "DOCKER_CONFIG",
    "CONTAINER_HOST", "DBUS_SESSION_BUS_ADDRESS",
)  # fmt: skip


class ContainerSandbox:
    """Runs commands in containers that are removed at once."""

    name = "container"
    isolates = True

    def __init__(self, *, image: str, environment: Mapping[str, str]) -> None:
        """Run `image`; the engine is found on the PATH of `environment`, and gets what it needs of it.

        Raises:
            ConfigurationError: the image's name is none.
        """
        if not _IMAGE.match(image):
            raise ConfigurationError(
                f"review.container_image is {image!r}, which names no image.",
                hint="Write it as docker.io/library/python:3.12-slim.",
            )
        self._image = image
        self._environment = {k: environment[k] for k in _ENGINE_VARIABLES if k in environment}

    @property
    def _engine(self) -> str | None:
        path = self._environment.get("PATH", os.defpath)
        return next((found for name in ENGINES if (found := shutil.which(name, path=path))), None)

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
        """Run it in a container; the folder is `/checkout` there.

        Raises:
            OperationFailedError: there is no engine, or it could not make the container.
        """
        engine = self._engine
        if engine is None:
            raise OperationFailedError("Neither podman nor docker is installed.")
        require_folder(folder)
        name = f"jjm-check-{secrets.token_hex(6)}"
        argv = [
            engine, "run", "--rm", "--init", "--name", name,
            *_isolation(limits, network=network),
            *_user(engine),
            *_mounts(folder, readable, caches or {}),
            *_variables(environment or {}),
            "--entrypoint", "/bin/sh", self._image, "-c", command,
        ]  # fmt: skip
        async with scratch_folder() as scratch:
            program = Program(
                argv=argv, folder=folder, working_folder=scratch, limits=limits,
                environment=self._environment, stop=[engine, "rm", "--force", name],
                has_own_exit_code=frozenset({_ENGINE_FAILED}),
            )  # fmt: skip
            return await run_supervised(program)

    async def is_usable(self) -> str:
        """Ask the engine whether it works; the image is not looked for."""
        engine = self._engine
        if engine is None:
            return "neither podman nor docker is installed. Install podman."
        error = await error_of([engine, "info"], self._environment)
        return f"{engine} does not work ({error}). Start its service." if error else ""


def _isolation(limits: Limits, *, network: bool) -> list[str]:
    options = [
        "--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges",
        "--ipc", "private", "--hostname", "sandbox",
        "--pids-limit", str(limits.processes),
        "--memory", str(limits.memory_bytes), "--memory-swap", str(limits.memory_bytes),
        "--ulimit", "core=0", "--ulimit", "nofile=4096",
        "--ulimit", f"fsize={limits.file_bytes}", "--ulimit", f"cpu={int(limits.cpu_seconds) + 1}",
    ]  # fmt: skip
    for place, share in {"/tmp": 2, HOME: 4}.items():  # noqa: S108 - theirs
        size = max(MIB, limits.memory_bytes // share)
        options += ["--tmpfs", f"{place}:rw,exec,nosuid,nodev,size={size},mode=1777"]
    return options if network else ["--network", "none", *options]


def _user(engine: str) -> list[str]:
    """Return the options that make files of the checkout ours, and root in there nobody."""
    if not hasattr(os, "getuid"):
        return []
    if Path(engine).name == "podman" and os.getuid() != 0:
        return ["--userns", "keep-id"]
    return ["--user", f"{os.getuid()}:{os.getgid()}"]


def _mounts(folder: Path, readable: Sequence[Path], caches: Mapping[str, Path]) -> list[str]:
    options = [*_mount(folder, CHECKOUT, is_read_only=False), "--workdir", CHECKOUT]
    git = folder / ".git"
    if git.exists() and not git.is_symlink():
        options += _mount(git, f"{CHECKOUT}/.git")
    for path in readable:
        if path.exists():
            options += _mount(path, str(path))
    for place, cache in caches.items():
        for entry in sorted(cache.iterdir()) if cache.is_dir() else []:
            options += _mount(entry, f"{HOME}/{place}/{entry.name}")
    return options


def _mount(source: Path, target: str, *, is_read_only: bool = True) -> list[str]:
    if any(mark in f"{source}{target}" for mark in ',"\n'):
        raise OperationFailedError(f"{str(source)!r} cannot be shown to a container.")
    ending = ",readonly" if is_read_only else ""
    return ["--mount", f"type=bind,source={source},target={target}{ending}"]


def _variables(more: Mapping[str, str]) -> list[str]:
    places = {"HOME": HOME, "TMPDIR": "/tmp", "LANG": "C.UTF-8"}  # noqa: S108 - theirs
    options = []
    for name, value in {**more, **places}.items():
        options += ["--env", f"{name}={value}"]
    return options
