"""What the service refuses becomes the very error that it raised there."""

from __future__ import annotations

import inspect
from typing import Any

import httpx2

from jules_job_manager import errors as e
from jules_job_manager._version import __version__

NO_MATCH = "JJM012"
"""Code of a path or method that the service does not have."""
_BY_CODE: dict[str, type[e.JulesManagerError]] = {
    found.code: found
    for _, found in inspect.getmembers(e, inspect.isclass)
    if issubclass(found, e.JulesManagerError)
}


def error_of(answer: httpx2.Response, address: str) -> e.JulesManagerError:
    """Return the error that an answer stands for.

    What is not a problem of the service (a proxy's page, say) becomes a ServiceUnreachableError.
    """
    try:
        problem: Any = answer.json()
        code, detail = str(problem["code"]), str(problem["detail"])
    except (ValueError, KeyError, TypeError):
        return e.ServiceUnreachableError(
            f"What answered is no service of jjm (status {answer.status_code}).",
            hint="Check the address that --server, JJM_SERVER or client.server names.",
        )
    if code == NO_MATCH and answer.status_code in {404, 405}:
        return e.ServiceTooOldError(
            f"The service at {address} does not know this; it may be older than this jjm "
            f"({__version__}).",
            hint="`jjm doctor` shows both versions; bring them to the same one.",
        )
    hint = problem.get("hint")
    said = _in_words(detail, problem.get("errors"))
    error = _made(_BY_CODE.get(code, e.JulesManagerError), said, answer)
    error.hint = None if hint is None else str(hint)
    error.context = {"request_id": str(problem.get("request_id", ""))}
    if isinstance(error, e.AlreadyIssuedError):
        error.made = str(problem.get("made") or "")
    return error


def _in_words(detail: str, errors: Any) -> str:
    """Return what is wrong with a part of the request, without the interface's name of its place."""
    try:
        parts = str(errors[0]["at"]).split(".")
        found = str(errors[0]["problem"])
    except (KeyError, IndexError, TypeError):
        return detail
    name = next((part for part in reversed(parts[1:]) if not part.isdecimal()), "request")
    return (
        f"The service does not take this {name.replace('_', ' ')}: {found[:1].lower()}{found[1:]}"
    )


def error_named(code: str, message: str, hint: str | None) -> e.JulesManagerError:
    """Return the error with this code, which a service gave as a part of an answer."""
    cls = _BY_CODE.get(code, e.JulesManagerError)
    error = cls.__new__(cls)
    e.JulesManagerError.__init__(error, message, hint=hint)
    return error


def _made(
    cls: type[e.JulesManagerError], detail: str, answer: httpx2.Response
) -> e.JulesManagerError:
    """Return an error of this class with this message, whatever its own way of being made is."""
    error = cls.__new__(cls)
    e.JulesManagerError.__init__(error, detail)
    after = answer.headers.get("Retry-After", "")
    if "retry_after_seconds" in inspect.signature(cls).parameters:
        error.retry_after_seconds = float(after) if after.isdecimal() else None  # type: ignore[attr-defined]
    return error
