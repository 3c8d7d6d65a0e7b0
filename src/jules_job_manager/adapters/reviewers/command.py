"""Asks a reviewer that is a command: the request on stdin, the answer on stdout."""

from __future__ import annotations

import asyncio
import contextlib
import shlex
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from jules_job_manager.adapters.reviewers.workplace import ANSWER, REQUEST, furnish, read_answer
from jules_job_manager.adapters.scratch_folders import ScratchFolder
from jules_job_manager.domain.change import Change
from jules_job_manager.domain.reviewer import ReviewerSpec
from jules_job_manager.domain.reviewers import MOST_ANSWER_BYTES
from jules_job_manager.domain.text import shorten
from jules_job_manager.errors import JulesManagerError
from jules_job_manager.ports.reviewer import Reply
from jules_job_manager.ports.sandbox import MIB, Limits, Outcome, Sandbox

VARIABLES = "variables.sh"
_LARGEST_FILE_BYTES = 64 * MIB


class CommandReviewers:
    """Runs each reviewer in the sandbox that checks run in, or as the person where that is said."""

    def __init__(
        self,
        *,
        sandbox: Sandbox,
        host: Sandbox,
        limits: Limits,
        readable: Sequence[Path] = (),
        environment: Mapping[str, str],
    ) -> None:
        """Take both places to run in.

        Args:
            sandbox: Where reviewers run.
            host: Where those with `sandbox = false` run; only a person's own settings can say so.
            limits: What one run may use; its time is the reviewer's own.
            readable: Further files and folders to be seen in the sandbox.
            environment: Of this program: whole for those outside, named variables for the others.
        """
        self._sandbox = sandbox
        self._host = host
        self._limits = limits
        self._readable = tuple(readable)
        self._environment = dict(environment)

    async def ask(self, spec: ReviewerSpec, *, request: str, change: Change) -> Reply:
        """See `ReviewerAccess.ask`."""
        return await self.run(spec, spec.command, request=request, change=change)

    async def run(
        self,
        spec: ReviewerSpec,
        command: str,
        *,
        request: str,
        change: Change,
        readable: Sequence[Path] = (),
    ) -> Reply:
        """Run `command` for a reviewer; see `ReviewerAccess.ask`.

        Args:
            spec: Who is asked.
            command: Run by the shell, in the folder that is laid out for it.
            request: What is on its stdin.
            change: The files to lay out.
            readable: Further files and folders for this command.
        """
        try:
            async with _scratch() as folder:
                await asyncio.to_thread(furnish, folder, request=request, change=change)
                outcome = await self._run(spec, command, folder, readable)
                answer = await asyncio.to_thread(read_answer, folder, most_bytes=MOST_ANSWER_BYTES)
        except (JulesManagerError, OSError) as exc:
            return Reply(problem=f"it could not be asked ({shorten(str(exc), 300).rstrip('.')})")
        problem = _problem(spec, outcome)
        if not problem and answer is None:
            problem = "its answer was replaced by something that is no file"
        return Reply(
            answer=answer or b"", problem=problem, log=outcome.output,
            duration_seconds=outcome.duration_seconds,
        )  # fmt: skip

    async def _run(
        self, spec: ReviewerSpec, command: str, folder: Path, readable: Sequence[Path]
    ) -> Outcome:
        limits = replace(
            self._limits, wall_seconds=spec.timeout_seconds, file_bytes=_LARGEST_FILE_BYTES
        )
        streams = f"exec <{REQUEST} >{ANSWER}\n"
        if spec.sandbox:
            prefix = streams + _handed_over(folder, spec, self._environment)
            return await self._sandbox.run(
                prefix + command, folder=folder, limits=limits, network=spec.network,
                readable=[*self._readable, *readable],
            )  # fmt: skip
        # An agent of the person finds its own settings in the real home folder.
        home = shlex.quote(self._environment.get("HOME", ""))
        return await self._host.run(
            f"{streams}HOME={home}\nexport HOME\n{command}", folder=folder, limits=limits,
            network=True, environment=self._environment,
        )  # fmt: skip


def _handed_over(folder: Path, spec: ReviewerSpec, environment: Mapping[str, str]) -> str:
    """Return the lines that set the reviewer's variables; their values stand in a file of its own.

    On a command line every user of this machine could read them.
    """
    given = [name for name in spec.environment if name in environment]
    if not given:
        return ""
    file = folder / VARIABLES
    file.touch(mode=0o600)
    lines = [f"{name}={shlex.quote(environment[name])}\nexport {name}\n" for name in given]
    file.write_text("".join(lines), encoding="utf-8", errors="surrogateescape")
    return f". ./{VARIABLES}\nrm -f {VARIABLES}\n"


@contextlib.asynccontextmanager
async def _scratch() -> AsyncIterator[Path]:
    scratch = await asyncio.to_thread(ScratchFolder, "jjm-reviewer-")
    try:
        folder = scratch.path / "work"
        folder.mkdir()
        yield folder
    finally:
        await asyncio.to_thread(scratch.remove)


def _problem(spec: ReviewerSpec, outcome: Outcome) -> str:
    if outcome.timed_out:
        return f"it took longer than {spec.timeout_seconds:g} s"
    if outcome.over_limit:
        return f"it went over the limit of {outcome.over_limit}"
    if outcome.exit_code:
        last = shorten(outcome.output.strip().rpartition("\n")[2], 200)
        return f"it ended with {outcome.exit_code}" + (f" ({last})" if last else "")
    return ""
