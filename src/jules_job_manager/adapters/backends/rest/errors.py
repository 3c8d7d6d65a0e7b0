"""HTTP answers and failures in our words, by code and status, never by text.

Source: Jules REST reference v1alpha, section 8 (read 2026-11).
"""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx2

from jules_job_manager.errors import (
    AuthenticationError,
    BackendConnectionError,
    InvalidInputError,
    JulesManagerError,
    OperationFailedError,
    PreconditionFailedError,
    QuotaExceededError,
    TaskNotFoundError,
    UnclearOutcomeError,
)

LONGEST_RETRY_AFTER_SECONDS = 86_400.0


def error_from_response(
    response: httpx2.Response, operation: str, *, repeatable: bool
) -> JulesManagerError:
    """Return the error that an answer with a status of 400 or above stands for.

    With `repeatable` False (create, message) a server failure leaves the outcome unclear.
    """
    status, message = _envelope(response)
    context: dict[str, Any] = {"operation": operation, "http_status": response.status_code}
    context["status"] = status
    code = response.status_code
    if code == 401 or status == "UNAUTHENTICATED":
        return AuthenticationError(
            "Jules refused the API key.",
            hint="Make a new one at https://jules.google.com/settings#api and set JULES_API_KEY.",
            context=context,
        )
    if code == 403:
        return AuthenticationError(f"The API key may not do this: {message}", context=context)
    if code == 404:
        return TaskNotFoundError(
            f"Jules does not know what {operation} asked for.", context=context
        )
    if code == 429 or status == "RESOURCE_EXHAUSTED":
        return QuotaExceededError(
            "Jules' quota is used up for now.",
            retry_after_seconds=retry_after_seconds(response),
            hint="Wait for a task to leave the last 24 hours, or use a larger plan.",
            context=context,
        )
    if status == "FAILED_PRECONDITION":
        return PreconditionFailedError(f"Jules refused {operation}: {message}", context=context)
    if code >= 500:
        if (wait := retry_after_seconds(response)) is not None:
            context["retry_after_seconds"] = wait
        return _server_failure(operation, message, context, repeatable=repeatable)
    if code == 400:
        return InvalidInputError(f"Jules did not accept {operation}: {message}", context=context)
    return OperationFailedError(f"Jules answered {code} to {operation}: {message}", context=context)


def error_from_exception(
    exc: httpx2.RequestError | httpx2.InvalidURL | httpx2.StreamError,
    operation: str,
    *,
    repeatable: bool,
) -> JulesManagerError:
    """Return the error that a failed exchange stands for."""
    context = {"operation": operation, "cause": type(exc).__name__}
    never_sent = isinstance(exc, httpx2.ConnectError | httpx2.ConnectTimeout | httpx2.PoolTimeout)
    if repeatable or never_sent:
        words = (
            "did not answer in time"
            if isinstance(exc, httpx2.TimeoutException)
            else "cannot be reached"
        )
        return BackendConnectionError(
            f"Jules {words} ({type(exc).__name__}).",
            hint="Check the network and jules.api_url; `jjm doctor` tries both.",
            context=context,
        )
    return UnclearOutcomeError(
        f"The answer to {operation} was lost; it may have happened.",
        hint="Look with `jjm list` before you try again.",
        context=context,
    )


def retry_after_seconds(response: httpx2.Response, now: datetime | None = None) -> float | None:
    """Return what `Retry-After` asks for in seconds (0 to a day), or None. Both forms are read."""
    text = response.headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        return min(float(text), LONGEST_RETRY_AFTER_SECONDS)
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    seconds = (moment - (now or datetime.now(UTC))).total_seconds()
    return min(max(0.0, seconds), LONGEST_RETRY_AFTER_SECONDS)


def _server_failure(
    operation: str, message: str, context: dict[str, Any], *, repeatable: bool
) -> JulesManagerError:
    if repeatable:
        return BackendConnectionError(f"Jules has trouble of its own: {message}", context=context)
    return UnclearOutcomeError(
        f"Jules failed during {operation}; it may have happened.",
        hint="Look with `jjm list` before you try again.",
        context=context,
    )


def _envelope(response: httpx2.Response) -> tuple[str, str]:
    try:
        error = response.json()["error"]
        status, message = str(error.get("status", "")), str(error.get("message", ""))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        status, message = "", ""
    return status, message[:500] or f"HTTP {response.status_code}"
