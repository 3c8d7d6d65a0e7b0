"""Runs checks in a sandbox."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from jules_job_manager.adapters.scratch_folders import ScratchFolder
from jules_job_manager.domain.review import CheckResult, Conclusion
from jules_job_manager.errors import ConfigurationError, OperationFailedError
from jules_job_manager.ports.sandbox import DEFAULT_LIMITS, Limits, Outcome, Sandbox

_LIMIT_WORDS = {
    "cpu": "time on the processors", "memory": "memory", "processes": "processes",
    "file": "size of a file", "disk": "space on the disk", "output": "output",
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class SandboxOptions:
    """What every check of a repository gets."""

    limits: Limits = DEFAULT_LIMITS
    readable: Sequence[Path] = ()
    caches: Mapping[str, Path] = field(default_factory=dict)


class SandboxCheckRunner:
    """Runs each check in a sandbox of its own."""

    def __init__(self, sandbox: Sandbox, options: SandboxOptions) -> None:
        """Run checks in `sandbox`."""
        self._sandbox = sandbox
        self._options = options
        self._is_usable = False

    async def run(
        self,
        command: str,
        *,
        folder: Path,
        timeout_seconds: float,
        output_limit_bytes: int = 65536,
        network: bool = False,
    ) -> CheckResult:
        """Run `command` in `folder`; the result's name is the command.

        Raises:
            ConfigurationError: the sandbox cannot be used on this machine.
            OperationFailedError: the command could not be started.
        """
        if not self._is_usable:
            await require_usable(self._sandbox)
            self._is_usable = True
        limits = replace(
            self._options.limits, wall_seconds=timeout_seconds, kept_output_bytes=output_limit_bytes
        )
        outcome = await self._sandbox.run(
            command,
            folder=folder,
            limits=limits,
            network=network,
            readable=self._options.readable,
            caches=self._options.caches,
        )
        return CheckResult(
            name=command,
            conclusion=_conclusion(outcome),
            output=outcome.output + _note(outcome),
            exit_code=outcome.exit_code,
            duration_seconds=outcome.duration_seconds,
            command=command,
            log_sha256=outcome.log_sha256,
        )

    @asynccontextmanager
    async def copied(self, folder: Path) -> AsyncIterator[Path]:
        """Copy the folder as it is, links as links, into a scratch folder of its own.

        Raises:
            OperationFailedError: it cannot be copied.
        """
        scratch = await asyncio.to_thread(ScratchFolder, "jjm-check-")
        copy = scratch.path / "tree"
        try:
            try:
                await asyncio.to_thread(shutil.copytree, folder, copy, symlinks=True)
            except (OSError, shutil.Error) as exc:
                words = str(exc.args[0][0][-1]) if isinstance(exc, shutil.Error) else str(exc)
                raise OperationFailedError(
                    f"The prepared files cannot be copied for a check: {words}"
                ) from exc
            yield copy
        finally:
            await asyncio.to_thread(scratch.remove)


async def require_usable(sandbox: Sandbox) -> None:
    """Do nothing when the sandbox can be used.

    Raises:
        ConfigurationError: it cannot.
    """
    problem = await sandbox.is_usable()
    if problem:
        raise ConfigurationError(
            f"Checks have no sandbox: {problem}",
            hint="Or set review.sandbox to container; or, at your own risk, to host: checks then run "
            "what Jules wrote with all your rights.",
        )


def _conclusion(outcome: Outcome) -> Conclusion:
    if outcome.timed_out:
        return Conclusion.TIMED_OUT
    return Conclusion.SUCCESS if outcome.exit_code == 0 else Conclusion.FAILURE


def _note(outcome: Outcome) -> str:
    word = _LIMIT_WORDS.get(outcome.over_limit)
    return f"\n[ended: over the limit of {word}]\n" if word else ""
