"""The server's failures in our words.

Every tool failure is JSON-RPC error -32603 with a text of many lines, terminal colours and
machine paths; only the text tells them apart. Source: google-jules-mcp facts, section 6.
"""

from __future__ import annotations

import re
from typing import Any

from jules_job_manager.adapters.backends.mcp.process import (
    CallTimedOutError,
    RefusedError,
    ServerGoneError,
)
from jules_job_manager.adapters.backends.mcp.stderr_log import without_ansi
from jules_job_manager.adapters.backends.mcp.texts import UnreadableTextError, clean_task_id
from jules_job_manager.domain.text import shorten
from jules_job_manager.errors import (
    AuthenticationError,
    ConfigurationError,
    InvalidInputError,
    JulesManagerError,
    MCPConnectionError,
    OperationFailedError,
    UnclearOutcomeError,
    UnsupportedOperationError,
)

Failure = CallTimedOutError | ServerGoneError | RefusedError
SIGN_IN_HINT = (
    "Sign in for the server: set GOOGLE_AUTH_COOKIES, or SESSION_MODE=persistent with a profile."
)
_LOOK = "Look with `jjm list` and at jules.google.com before you try again."
_PREFIX = re.compile(r"^(?:MCP error -?\d+: )*(?:Error in \w+: )?")
_URL = re.compile(r"https://jules\.google\.com/[A-Za-z0-9/_?=&#%.-]*(?:task|session)s?/[\w-]+")
_BEFORE_ANY_CLICK = ("browserType.launch:", "page.goto:")


def needs_restart(failure: Failure) -> bool:
    """Whether every later call would fail too: the server never starts a second browser."""
    return isinstance(failure, RefusedError) and "has been closed" in failure.message


def error_from(failure: Failure, operation: str, *, repeatable: bool) -> JulesManagerError:
    """Return the error that `failure` of `operation` stands for.

    With `repeatable` False (create, message, approve, resume) a lost answer is unclear.
    """
    context: dict[str, Any] = {"operation": operation}
    if isinstance(failure, RefusedError):
        return _from_refusal(failure, operation, context, repeatable=repeatable)
    lost = "did not answer in time" if isinstance(failure, CallTimedOutError) else "ended"
    if repeatable:
        return MCPConnectionError(
            f"The MCP server {lost} during {operation}; it will be restarted.", context=context
        )
    return UnclearOutcomeError(
        f"The MCP server {lost} during {operation}; it may have happened.",
        hint=_LOOK,
        context=context,
    )


def plain(message: str) -> str:
    """Return the first line of a server's message, without prefixes and colours, short."""
    text = _PREFIX.sub("", without_ansi(message).strip())
    return shorten(text.split("\n", 1)[0], 300)


def _from_refusal(
    failure: RefusedError, operation: str, context: dict[str, Any], *, repeatable: bool
) -> JulesManagerError:
    text = without_ansi(failure.message)
    context["mcp_code"] = failure.code
    certain = _certain(text, operation, context)
    if certain is not None:
        return certain
    if "has been closed" in text:
        if repeatable or any(step in text for step in _BEFORE_ANY_CLICK):
            return MCPConnectionError(
                "The MCP server's browser has ended; the server will be restarted.",
                context=context,
            )
        return _unclear(text, operation, context)
    if "Timeout" in text and "exceeded" in text:
        if repeatable:
            return MCPConnectionError(
                f"Jules' page was too slow during {operation}: {plain(text)}",
                hint=SIGN_IN_HINT,
                context=context,
            )
        return _unclear(text, operation, context)
    if "net::ERR_" in text:
        return MCPConnectionError(f"Jules' page did not load: {plain(text)}", context=context)
    return OperationFailedError(f"Jules did not {operation}: {plain(text)}", context=context)


def _certain(text: str, operation: str, context: dict[str, Any]) -> JulesManagerError | None:
    """Return the error of a failure that happened before Jules was told anything."""
    if is_unknown_tool(text):
        return UnsupportedOperationError(f"The MCP server has no tool to {operation}.")
    if "Executable doesn't exist" in text or "npx playwright install" in text:
        return ConfigurationError(
            "The MCP server has no browser.",
            hint="In its folder run: npx playwright install chromium",
            context=context,
        )
    if "browserType.launch" in text:
        return ConfigurationError(
            "The MCP server cannot start its browser.",
            hint="Set HEADLESS=true where there is no display; its log has the details.",
            context=context,
        )
    if "must be set for" in text or "are required for browserbase" in text:
        return ConfigurationError(f"The MCP server is set up wrongly: {plain(text)}.")
    if "accounts.google.com" in text:
        return AuthenticationError(
            "Jules' page asks to sign in.", hint=SIGN_IN_HINT, context=context
        )
    if "swebot-option" in text and "Timeout" in text:
        return InvalidInputError(
            "Jules does not offer this repository.",
            hint="Connect it at https://jules.google.com.",
            context=context,
        )
    if operation == "send message" and "locator.fill" in text and "Timeout" in text:
        return AuthenticationError(
            "Jules' page has no box for a message; probably nobody is signed in.",
            hint=SIGN_IN_HINT,
            context=context,
        )
    return None


def is_unknown_tool(text: str) -> bool:
    """Whether the server says that it has no such tool."""
    return "Unknown tool" in text or "Method not found" in text


def _unclear(text: str, operation: str, context: dict[str, Any]) -> UnclearOutcomeError:
    """Build the error of an operation that was cut short, naming the task the page had reached."""
    reached = ""
    for url in reversed(_URL.findall(text)):
        try:
            context["task_id"] = clean_task_id(url)
        except UnreadableTextError:
            continue
        reached = context["url"] = url
        break
    where = f" The page had reached {reached}." if reached else ""
    return UnclearOutcomeError(
        f"Jules' page was too slow during {operation}; it may have happened.{where}",
        hint=f"{_LOOK} If nothing ever arrives: {SIGN_IN_HINT[0].lower()}{SIGN_IN_HINT[1:]}",
        context=context,
    )
