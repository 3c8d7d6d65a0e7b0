"""Jules Job Manager: turn a backlog into merged, verified work done by Google Jules.

The public names of the package load on first use, so that `import jules_job_manager` and the
command line start at once.
"""

from __future__ import annotations

from jules_job_manager._version import __version__

TYPE_CHECKING = False  # typing.TYPE_CHECKING without the import: `jjm --version` must be instant
if TYPE_CHECKING:
    from jules_job_manager.domain.artifact import SourceFile
    from jules_job_manager.domain.plan import Plan, PlanStep
    from jules_job_manager.domain.task import ChatMessage, JulesTask, TaskStatus
    from jules_job_manager.errors import (
        AuthenticationError,
        BackendConnectionError,
        ConfigurationError,
        InvalidInputError,
        JulesManagerError,
        MCPConnectionError,
        OperationFailedError,
        StoreError,
        TaskNotFoundError,
    )
    from jules_job_manager.scripting.job_manager import JobManager
    from jules_job_manager.scripting.mcp_client import MCPClient
    from jules_job_manager.scripting.storage import Storage

_HOMES = {
    "AuthenticationError": "errors",
    "BackendConnectionError": "errors",
    "ChatMessage": "domain.task",
    "ConfigurationError": "errors",
    "InvalidInputError": "errors",
    "JobManager": "scripting.job_manager",
    "JulesManagerError": "errors",
    "JulesTask": "domain.task",
    "MCPClient": "scripting.mcp_client",
    "MCPConnectionError": "errors",
    "OperationFailedError": "errors",
    "Plan": "domain.plan",
    "PlanStep": "domain.plan",
    "SourceFile": "domain.artifact",
    "Storage": "scripting.storage",
    "StoreError": "errors",
    "TaskNotFoundError": "errors",
    "TaskStatus": "domain.task",
}

__all__ = [
    "AuthenticationError",
    "BackendConnectionError",
    "ChatMessage",
    "ConfigurationError",
    "InvalidInputError",
    "JobManager",
    "JulesManagerError",
    "JulesTask",
    "MCPClient",
    "MCPConnectionError",
    "OperationFailedError",
    "Plan",
    "PlanStep",
    "SourceFile",
    "Storage",
    "StoreError",
    "TaskNotFoundError",
    "TaskStatus",
    "__version__",
]


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{home}"), name)
