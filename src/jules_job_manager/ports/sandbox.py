"""Runs a command on code that nobody has read, so that it can harm nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

MIB = 1024 * 1024


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """What one run may use, all its processes together unless said otherwise. All above 0."""

    wall_seconds: float = 900.0
    cpu_seconds: float = 7200.0
    memory_bytes: int = 4096 * MIB
    processes: int = 512
    """Threads count too."""
    file_bytes: int = 1024 * MIB
    """The largest single file."""
    free_disk_bytes: int = 256 * MIB
    """The run is ended when the disk of its folder has less free space than this."""
    output_bytes: int = 64 * MIB
    """The run is ended when it has written more than this."""
    kept_output_bytes: int = 65536
    """Most output kept, head and tail."""


DEFAULT_LIMITS = Limits()


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """How a run ended."""

    exit_code: int | None
    """The command's, or 128 plus the signal that ended it; None when the run was ended for it."""
    timed_out: bool = False
    over_limit: str = ""
    """The limit that ended it, where known: wall, cpu, memory, processes, file, disk, output."""
    output: str = ""
    """Head and tail of what was written on both streams, with a line that says what is left out."""
    output_bytes: int = 0
    log_sha256: str = ""
    """Hash of everything that was read, also of what `output` leaves out."""
    duration_seconds: float = 0.0


class Sandbox(Protocol):
    """A way to run a command on hostile code.

    No process outlives its run, whatever it does; nor does a run outlive this program.
    """

    @property
    def name(self) -> str:
        """The word for it in the settings."""
        ...

    @property
    def isolates(self) -> bool:
        """Whether files, processes and the network of this machine are out of reach."""
        ...

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
        """Run `command` with `/bin/sh -c` in `folder`.

        Args:
            command: What a person configured; never text of an agent.
            folder: The scratch checkout: the working folder, and the only place outside the
                private HOME and TMPDIR that can be written, its `.git` excepted.
            limits: What it may use.
            network: Whether it reaches the network of this machine.
            environment: Variables to add; nothing else of ours is there.
            readable: Further files and folders it may read, where they are.
            caches: Folders whose entries can be read under HOME, by their path there
                (`.cache/pip`). What is written beside them is private to the run.

        Raises:
            OperationFailedError: it could not be started.
        """
        ...

    async def is_usable(self) -> str:
        """Return empty, or one sentence that says why it cannot be used here and what to do."""
        ...
