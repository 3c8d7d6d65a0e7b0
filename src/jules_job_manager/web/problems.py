"""Errors as `application/problem+json` (RFC 9457): the one place where they become HTTP statuses."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse

from jules_job_manager import errors as e
from jules_job_manager.domain.masking import KnownSecrets, masked
from jules_job_manager.ports.meter import Meter

_LOG = logging.getLogger(__name__)
MEDIA_TYPE = "application/problem+json"
NO_MATCH = "JJM012"
"""Code of a path or method that there is not."""
TOO_LARGE = "JJM014"
"""Code of a request that is too large."""

STATUSES: dict[type[e.JulesManagerError], int] = {
    e.JulesManagerError: 500,
    e.InvalidInputError: 400,
    e.JobNotFoundError: 404,
    e.WebhookNotFoundError: 404,
    e.RecordNotFoundError: 404,
    e.ConfigurationError: 409,
    e.AuthenticationError: 502,
    e.BackendConnectionError: 502,
    e.CircuitOpenError: 503,
    e.TaskNotFoundError: 404,
    e.OperationFailedError: 409,
    e.QuotaExceededError: 429,
    e.UnclearOutcomeError: 502,
    e.ChangedMeanwhileError: 412,
    e.StoreError: 500,
    e.StoreUnavailableError: 503,
    e.LeaseLostError: 503,
    e.BacklogError: 400,
    e.NotificationError: 502,
    e.ForgeError: 502,
    e.SignInRequiredError: 401,
    e.AccessDeniedError: 403,
    e.AccessKeyNotFoundError: 404,
    e.RateLimitedError: 429,
    e.TooManyStreamsError: 503,
    e.ConflictError: 409,
    e.RequestMismatchError: 422,
    e.ServiceUnreachableError: 502,
    e.ServiceTooOldError: 502,
}
"""A class that is missing has the status of the nearest one it inherits from."""


class Problem(BaseModel):
    """What every answer that is no success holds (RFC 9457)."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "type": "urn:jjm:problem:JJM050",
                "title": "There is no such task",
                "status": 404,
                "detail": "There is no task 123.",
                "code": "JJM050",
                "hint": "`jjm list` shows the tasks.",
                "request_id": "0d1f3c",
                "errors": [],
            }
        }
    )

    type: str = Field(description="A name for the kind of problem: urn:jjm:problem:CODE.")
    title: str = Field(description="The kind of problem, in words.")
    status: int = Field(description="The HTTP status.")
    detail: str = Field(description="One sentence about this very problem.")
    code: str = Field(description="Stable code of the error; docs/reference/errors.md lists them.")
    hint: str | None = Field(default=None, description="What to do next.")
    request_id: str = Field(default="", description="Of the request; logs and the audit name it.")
    errors: list[dict[str, Any]] = Field(
        default_factory=list, description="Which parts of the request are wrong: `at`, `problem`."
    )
    made: str | None = Field(
        default=None, description="With JJM123: the id of what the secret belongs to."
    )


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return these statuses as the `responses` of a route."""
    return {status: problem(_TITLES.get(status, "Problem")) for status in statuses}


def problem(description: str) -> dict[str, Any]:
    """Return an answer that is a problem, for the `responses` of a route."""
    schema = {"$ref": "#/components/schemas/Problem"}
    return {"description": description, "content": {MEDIA_TYPE: {"schema": schema}}}


_TITLES = {
    400: "The request cannot be used",
    401: "No credentials, or they are not valid",
    403: "Not allowed",
    404: "There is no such thing",
    405: "There is no such method here",
    409: "It cannot be done as things stand",
    412: "It changed since it was read",
    413: "The request is too large",
    415: "The body must be JSON",
    422: "The Idempotency-Key was used for another request",
    429: "Too many requests, or no quota left",
    500: "Something unexpected happened",
    502: "Jules, git or another service failed",
    503: "Not available at the moment",
}
ALWAYS = documented(400, 401, 403, 409, 429, 500, 502, 503)
"""What every route may answer."""


_OUTSIDE = "Whoever runs the service finds more in its log."


def status_of(error: e.JulesManagerError) -> int:
    """Return the HTTP status of an error."""
    for cls in type(error).__mro__:
        if cls in STATUSES:
            return STATUSES[cls]
    return 500


def problem_of(
    error: e.JulesManagerError, request_id: str, *, mask: Callable[[str], str] = masked
) -> JSONResponse:
    """Return the answer for an error, without secrets."""
    status = status_of(error)
    title = (type(error).__doc__ or "").strip().splitlines()[0].rstrip(".")
    headers = dict(getattr(error, "headers", None) or {})
    after = getattr(error, "retry_after_seconds", None)
    if after is not None:
        headers["Retry-After"] = str(max(0, round(after)))
    elif status == 503:
        headers["Retry-After"] = "5"
    detail, hint = error.for_clients, _OUTSIDE if error.outside else error.hint
    return answer(
        status, code=error.code, title=title, detail=mask(detail),
        hint=None if hint is None else mask(hint), request_id=request_id,
        headers=headers, made=getattr(error, "made", ""),
    )  # fmt: skip


def unfit(
    errors: Iterable[Mapping[str, Any]], request_id: str, *, within: str = ""
) -> JSONResponse:
    """Return the answer for values that are not as they are described.

    Args:
        errors: As pydantic tells them.
        request_id: Of the request.
        within: What all of them are in, when they do not say so.
    """
    found = [
        {
            "at": ".".join(str(part) for part in (within, *item["loc"]) if part != ""),
            "problem": _sentence(item["msg"]),
        }
        for item in errors
    ]
    first = found[0] if found else {"at": "the request", "problem": "It cannot be read."}
    return answer(
        400, code=e.InvalidInputError.code, title=_TITLES[400],
        detail=f"{first['at']}: {first['problem']}", request_id=request_id, errors=found,
    )  # fmt: skip


def answer(
    status: int,
    *,
    code: str,
    title: str,
    detail: str,
    request_id: str,
    hint: str | None = None,
    errors: Sequence[Mapping[str, Any]] = (),
    headers: Mapping[str, str] | None = None,
    made: str = "",
) -> JSONResponse:
    """Return a problem as an answer."""
    body: dict[str, Any] = {
        "type": f"urn:jjm:problem:{code}",
        "title": title,
        "status": status,
        "detail": detail,
        "code": code,
        "hint": hint,
        "request_id": request_id,
        "errors": list(errors),
    }
    if made:
        body["made"] = made
    return JSONResponse(body, status, headers=dict(headers or {}), media_type=MEDIA_TYPE)


def request_id_of(request: Request) -> str:
    """Return the id that the request was given, or an empty text."""
    return str(getattr(request.state, "request_id", ""))


def add_handlers(app: FastAPI, meter: Meter, secrets: KnownSecrets) -> None:
    """Let the application answer every error as a problem.

    Args:
        app: The application.
        meter: Counts errors by their code.
        secrets: What no answer may hold.
    """

    @app.exception_handler(e.JulesManagerError)
    async def known(request: Request, error: e.JulesManagerError) -> JSONResponse:
        meter.add("jules_errors_total", error_type=error.code)
        if isinstance(error, e.RateLimitedError):
            meter.add("jules_rate_limited_total")
        if status_of(error) >= 500:
            _LOG.warning("%s", error, extra={"request_id": request_id_of(request)})
        return problem_of(error, request_id_of(request), mask=secrets.masked)

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        return unfit(error.errors(), request_id_of(request))

    @app.exception_handler(HTTPException)
    async def http(request: Request, error: HTTPException) -> JSONResponse:
        title = _TITLES.get(error.status_code, "Problem")
        return answer(
            error.status_code, code=NO_MATCH, title=title, detail=f"{title}: {error.detail}.",
            request_id=request_id_of(request), headers=error.headers,
            hint="The interface is described at /api/v1/openapi.json.",
        )  # fmt: skip

    @app.exception_handler(ClientDisconnect)
    async def gone(request: Request, error: ClientDisconnect) -> JSONResponse:
        del error  # who sent half a request does not read the answer
        return answer(
            400, code=e.InvalidInputError.code, title=_TITLES[400],
            detail="The connection ended before the request did.",
            request_id=request_id_of(request),
        )  # fmt: skip

    @app.exception_handler(Exception)
    async def unexpected(request: Request, error: Exception) -> JSONResponse:
        meter.add("jules_errors_total", error_type=e.JulesManagerError.code)
        moment = datetime.now(UTC).isoformat(timespec="seconds")
        _LOG.error(
            "unexpected: %s", type(error).__name__, exc_info=error,
            extra={"request_id": request_id_of(request)},
        )  # fmt: skip
        return answer(
            500, code=e.JulesManagerError.code, title=_TITLES[500],
            detail=f"Something unexpected happened at {moment}.", request_id=request_id_of(request),
            hint="The log tells more; look for the request id.",
        )  # fmt: skip


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}." if not text.endswith(".") else text
