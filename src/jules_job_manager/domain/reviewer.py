"""One configured reviewer."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass

MOST_RETRIES = 5
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")


@dataclass(frozen=True, kw_only=True, slots=True)
class ReviewerSpec:
    """Who is asked, how, and what the answer is worth."""

    name: str
    command: str = ""
    """Run by the shell; empty: it is a tool of an MCP server."""
    mcp: str = ""
    """Command line of an MCP server on stdio, split as a shell would; empty: it is a command."""
    tool: str = ""
    """The tool of that server."""
    required: bool = False
    """Whether its rejection rejects the delivery, and no clear answer asks a person."""
    timeout_seconds: float = 600.0
    retries: int = 0
    """How often it is asked again, at most 5 times, when no answer of it can be used."""
    network: bool = False
    may_prove: tuple[str, ...] = ()
    """Lines of a checklist that its word ticks where no check could; `*` stands for any text."""
    after_failure: bool = False
    """Whether it is asked although a required check has failed already."""
    sandbox: bool = True
    """False only in a person's own settings: it then runs with all that person's rights."""
    environment: tuple[str, ...] = ()
    """Names of variables that are passed on; only from a person's own settings."""

    @property
    def title(self) -> str:
        """What its result is called; no check and no rule is called so."""
        return f"reviewer {self.name}"

    @property
    def problem(self) -> str:
        """What is wrong with it, to be put after its name; empty: nothing."""
        if not self.name.strip() or not self.name.isprintable():
            return "needs a name"
        if bool(self.command.strip()) == bool(self.mcp.strip()):
            return "needs either a command or an MCP server (mcp)"
        if bool(self.mcp.strip()) != bool(self.tool.strip()):
            return "needs mcp and tool together"
        if not 0 <= self.retries <= MOST_RETRIES:
            return f"has retries that are not from 0 to {MOST_RETRIES}"
        if not all(_VARIABLE.match(name) for name in self.environment):
            return "has an environment that names no variables"
        try:
            shlex.split(self.mcp)
        except ValueError as exc:
            return f"has an mcp that cannot be read: {exc}"
        return ""
