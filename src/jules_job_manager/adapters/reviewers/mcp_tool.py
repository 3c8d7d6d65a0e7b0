"""Asks a reviewer that is a tool of an MCP server on stdio.

The client runs where the server runs: in the sandbox both are out of reach of this machine, and
this program reads nothing of the server but its answer.
"""

from __future__ import annotations

import shlex
import sys
from importlib.util import find_spec
from pathlib import Path

from jules_job_manager.adapters.reviewers import mcp_client
from jules_job_manager.adapters.reviewers.command import CommandReviewers
from jules_job_manager.domain.change import Change
from jules_job_manager.domain.reviewer import ReviewerSpec
from jules_job_manager.ports.reviewer import Reply

_PARTS = ("bin", "lib", "lib64", "pyvenv.cfg")


class Reviewers:
    """Asks commands and tools, each in its way."""

    def __init__(self, commands: CommandReviewers) -> None:
        """Ask all through `commands`."""
        self._commands = commands

    async def ask(self, spec: ReviewerSpec, *, request: str, change: Change) -> Reply:
        """See `ReviewerAccess.ask`."""
        if not spec.mcp:
            return await self._commands.ask(spec, request=request, change=change)
        found = find_spec("mcp")
        if found is None or found.origin is None:
            return Reply(problem="it is a tool of an MCP server, which needs the extra mcp")
        packages = Path(found.origin).parent.parent
        script = Path(mcp_client.__file__)
        # Not sys.executable's own packages alone: `-I` leaves out what a person installed for himself.
        words = [sys.executable, "-I", str(script), str(packages), spec.tool]
        command = shlex.join([*words, str(spec.timeout_seconds), *shlex.split(spec.mcp)])
        roots = {Path(sys.prefix), Path(sys.base_prefix)}
        shown = [root / part for root in roots for part in _PARTS if (root / part).exists()]
        return await self._commands.run(
            spec, f"exec {command}", request=request, change=change,
            readable=[*shown, packages, script],
        )  # fmt: skip
