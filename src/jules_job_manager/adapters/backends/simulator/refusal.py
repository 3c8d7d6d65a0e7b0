"""Refusals, in the form the service gives them (google.rpc.Status)."""

from __future__ import annotations

from typing import Any

_STATUS = {
    400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED", 404: "NOT_FOUND", 429: "RESOURCE_EXHAUSTED",
    503: "UNAVAILABLE",
}  # fmt: skip


class Refusal(Exception):  # noqa: N818 - it is an answer, not a failure of ours
    """An error answer."""

    def __init__(
        self, code: int, message: str, *, status: str = "", details: list[Any] | None = None
    ) -> None:
        """Build it: HTTP `code`, message, and status name when it is not the usual one."""
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status or _STATUS.get(code, "UNKNOWN")
        self.details = details

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


def invalid(message: str = "Request contains an invalid argument.") -> Refusal:
    """Return the answer for a wrong argument."""
    return Refusal(400, message)


def unavailable() -> Refusal:
    """Return the answer of a service in trouble."""
    return Refusal(503, "The service is currently unavailable.")
