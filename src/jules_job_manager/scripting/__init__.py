"""The synchronous classes of the tickets, for scripts: a thin edge over the asynchronous core."""

from __future__ import annotations

from jules_job_manager.scripting.job_manager import JobManager
from jules_job_manager.scripting.mcp_client import MCPClient
from jules_job_manager.scripting.storage import Storage

__all__ = ["JobManager", "MCPClient", "Storage"]
