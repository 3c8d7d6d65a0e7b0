"""No sandbox: this machine as it is, with a clean environment, limits, and nothing left running.

What is run can read and change whatever this user can, and reaches the network. Off Linux only the
wall time and the output are limited, and what leaves the process group may outlive the run.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from jules_job_manager.adapters.sandboxes.running import (
    Program,
    require_folder,
    run_supervised,
    scratch_folder,
)
from jules_job_manager.ports.sandbox import DEFAULT_LIMITS, Limits, Outcome


class HostSandbox:
    """Runs commands on this machine without isolation."""

    name = "host"
    isolates = False

    def __init__(self, *, environment: Mapping[str, str]) -> None:
        """Hold the variables that every run gets; HOME and TMPDIR are always private ones."""
        self._environment = dict(environment)

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
        """Run it; `network`, `readable` and `caches` change nothing here: all can be reached.

        Raises:
            OperationFailedError: it could not be started.
        """
        del network, readable, caches
        require_folder(folder)
        async with scratch_folder() as scratch:
            places = {"HOME": scratch / "home", "TMPDIR": scratch / "tmp"}
            for place in places.values():
                place.mkdir()
            variables = {"LANG": "C.UTF-8", **self._environment, **(environment or {})}
            variables |= {name: str(place) for name, place in places.items()}
            program = Program(
                argv=["/bin/sh", "-c", command],
                folder=folder, limits=limits, environment=variables,
            )  # fmt: skip
            return await run_supervised(program)

    async def is_usable(self) -> str:
        """Return empty: it can be used wherever this program runs."""
        return ""
