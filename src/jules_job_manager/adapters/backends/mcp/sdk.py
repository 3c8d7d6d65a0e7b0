"""The parts of the MCP SDK that are used, imported when first needed.

The SDK takes most of a second to import and comes with an extra, so nothing imports it at the
top, and its names are looked up here alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Any

from jules_job_manager.errors import MissingExtraError

REQUEST_TIMED_OUT = -32001
CONNECTION_CLOSED = -32000


@dataclass(frozen=True, kw_only=True, slots=True)
class Sdk:
    """Names of the SDK. They are Any, because the SDK need not be installed to check types."""

    client: Any
    error: type[Exception]
    request: Any
    session_message: Any
    message_adapter: Any
    any_object: Any
    """Accepts any JSON object as a result, so that lenient reading stays with us."""


def load_sdk() -> Sdk:
    """Import the SDK.

    Raises:
        MissingExtraError: it is not installed.
    """
    try:
        mcp, types = import_module("mcp"), import_module("mcp_types")
        message = import_module("mcp.shared.message")
        pydantic = import_module("pydantic")
    except ImportError as exc:
        raise MissingExtraError("Reaching Jules over MCP", "mcp") from exc
    return Sdk(
        client=mcp.Client,
        error=mcp.MCPError,
        request=types.Request[dict[str, Any], str],
        session_message=message.SessionMessage,
        message_adapter=types.jsonrpc_message_adapter,
        any_object=pydantic.TypeAdapter(dict[str, Any]),
    )
