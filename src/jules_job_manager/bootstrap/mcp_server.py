"""The Node MCP server as a backend: how it is started, and with which variables."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from jules_job_manager.errors import ConfigurationError

if TYPE_CHECKING:
    from jules_job_manager.ports.backend import Backend
    from jules_job_manager.ports.clock import Clock
    from jules_job_manager.settings.model import Settings


def open_mcp(settings: Settings, clock: Clock) -> Backend:
    """Return it; the server starts with the first call.

    Raises:
        ConfigurationError: see `mcp_command`.
    """
    from jules_job_manager.adapters.backends.mcp.backend import open_mcp_backend

    server = settings.mcp_server
    return open_mcp_backend(
        command=mcp_command(settings),
        environment=mcp_environment(settings),
        call_timeout_seconds=server.timeout_seconds,
        create_timeout_seconds=server.create_timeout_seconds,
        start_timeout_seconds=server.start_timeout_seconds,
        stderr_log=settings.home / "logs" / "mcp_server.log",
        clock=clock,
    )


def mcp_command(settings: Settings) -> list[str]:
    """Return the argument list that starts the MCP server.

    Raises:
        ConfigurationError: the server's file is not there, or the command line cannot be read.
    """
    server = settings.mcp_server
    if server.command:
        try:
            return shlex.split(server.command)
        except ValueError as exc:
            raise ConfigurationError(
                f"The setting mcp_server.command cannot be read: {exc}.",
                hint="Write it as in a shell, with every quotation mark closed.",
            ) from exc
    path = Path(server.path).expanduser()
    if not path.is_file():
        raise ConfigurationError(
            f"The MCP server {path} is not there.",
            hint="Build google-jules-mcp with `npm install` and set MCP_SERVER_PATH to its dist/index.js.",
        )
    return [server.node_path, str(path.resolve())]


def mcp_environment(settings: Settings) -> dict[str, str]:
    """Return the variables passed to the MCP server: only those that are set, and its data file."""
    server = settings.mcp_server
    passed = {
        "HEADLESS": server.headless,
        "TIMEOUT": server.browser_timeout,
        "DEBUG": server.debug,
        "SESSION_MODE": server.session_mode,
        "GOOGLE_AUTH_COOKIES": server.google_auth_cookies,
        "JULES_DATA_PATH": server.jules_data_path or str(settings.home / "mcp_data.json"),
    }
    return {name: value for name, value in passed.items() if value}
