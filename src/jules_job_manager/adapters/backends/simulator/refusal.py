"""Refusals, in the form the service gives them (google.rpc.Status)."""

from __future__ import annotations

from typing import Any

_STATUS = {
    400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED", 404: "NOT_FOUND", 429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL", 503: "UNAVAILABLE",
}  # fmt: skip


class AnswerCutError(Exception):
    """The connection ends in the middle of the answer; what was asked for was done."""


class Refusal(Exception):  # noqa: N818 - it is an answer, not a failure of ours
    """An error answer."""

    def __init__(
        self,
        code: int,
        message: str,
        *,
        status: str = "",
        details: list[Any] | None = None,
        retry_after_seconds: int = 0,
    ) -> None:
        """Build it: HTTP `code`, message, and status name when it is not the usual one."""
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status or _STATUS.get(code, "UNKNOWN")
        self.details = details
        self.headers = {"Retry-After": str(retry_after_seconds)} if retry_after_seconds else {}

    def body(self) -> dict[str, Any]:
        """Return the JSON envelope."""
        error: dict[str, Any] = {"code": self.code, "message": self.message, "status": self.status}
        if self.details:
            error["details"] = self.details
        return {"error": error}


def not_found() -> Refusal:
    """Return the answer for what does not exist (or not yet)."""
    return Refusal(404, "Requested entity was not found.")


def precondition() -> Refusal:
    """Return the bare refusal that says nothing."""
    return Refusal(400, "Precondition check failed.", status="FAILED_PRECONDITION")


def exhausted(retry_after_seconds: int) -> Refusal:
    """Return the answer for a quota that is used up; 0 names no time to wait."""
    return Refusal(
        429,
        "Resource has been exhausted (e.g. check quota).",
        retry_after_seconds=retry_after_seconds,
    )


def invalid(message: str = "Request contains an invalid argument.") -> Refusal:
    """Return the answer for a wrong argument."""
    return Refusal(400, message)


def unavailable() -> Refusal:
    """Return the answer of a service in trouble."""
    return Refusal(503, "The service is currently unavailable.")


def internal() -> Refusal:
    """Return the answer of a service that met what it did not expect."""
    return Refusal(500, "Internal error encountered.")
