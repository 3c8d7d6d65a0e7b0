"""What a request asks for, read as strictly as the service reads it.

Source: Jules REST reference v1alpha, sections 3, 7 and 8 (read 2026-11).
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from starlette.requests import Request

from jules_job_manager.adapters.backends.simulator import refusal
from jules_job_manager.adapters.backends.simulator.engine import CreateRequest
from jules_job_manager.adapters.backends.simulator.refusal import Refusal
from jules_job_manager.domain.clockwork import from_rfc3339

MOST_ON_A_PAGE = 100
_CREATE_MEMBERS = {
    "prompt",
    "title",
    "sourceContext",
    "requirePlanApproval",
    "automationMode",
    "name",
    "id",
}
_TIME_FILTER = re.compile(r'create_time\s*>\s*"([^"]+)"')
_NAME_FILTER = re.compile(r'name\s*=\s*"?([^\s"]+)"?')


def create_request(body: Any) -> CreateRequest:
    """Return what a create asks for.

    Raises:
        Refusal: it is not accepted.
    """
    only_members(body, _CREATE_MEMBERS)
    wire = body if isinstance(body, Mapping) else {}
    prompt, mode = wire.get("prompt"), wire.get("automationMode", "")
    if not isinstance(prompt, str) or not prompt.strip():
        raise refusal.invalid()
    if mode not in ("", "AUTOMATION_MODE_UNSPECIFIED", "AUTO_CREATE_PR"):
        kind = "type.googleapis.com/google.labs.jules.v1alpha.AutomationMode"
        message = f"Invalid value at 'session.automation_mode' ({kind}), \"{mode}\""
        violation = {"field": "session.automation_mode", "description": message}
        details = [
            {"@type": "type.googleapis.com/google.rpc.BadRequest", "fieldViolations": [violation]}
        ]
        raise Refusal(400, message, details=details)
    context = wire.get("sourceContext", {})
    github = context.get("githubRepoContext") or {} if isinstance(context, Mapping) else None
    if not isinstance(github, Mapping):
        raise refusal.invalid()
    branch, source = github.get("startingBranch", ""), context.get("source", "")
    title, gate = wire.get("title", ""), wire.get("requirePlanApproval", False)
    fits = all(isinstance(text, str) for text in (branch, source, title)) and gate in (True, False)
    if not fits or (context and not branch):
        raise refusal.invalid()
    return CreateRequest(
        prompt=prompt,
        title=title,
        source=source,
        starting_branch=branch,
        require_plan_approval=bool(gate),
        automation_mode="AUTO_CREATE_PR" if mode == "AUTO_CREATE_PR" else "",
    )


def require_key(request: Request, *, refused: bool) -> None:
    """Refuse a request without a key, in the words the service has for it.

    Raises:
        Refusal: it is not accepted.
    """
    given = request.headers.get("x-goog-api-key")
    if given and not refused:
        return
    message = "Request is missing required authentication credential."
    if given:  # what a bad key is told; the words mislead, the code does not
        message = (
            "API keys are not supported by this API. Expected OAuth2 access token or other "
            "authentication credentials that assert a principal."
        )
    info = {
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        "reason": "CREDENTIALS_MISSING",
        "domain": "googleapis.com",
    }
    raise Refusal(401, message, details=[info])


def json_body(body: bytes) -> Any:
    """Return the JSON object of a body; an empty body is an empty object.

    Raises:
        Refusal: it is not accepted.
    """
    if not body:
        return {}
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        raise refusal.invalid("Invalid JSON payload received.") from None
    if not isinstance(value, dict):
        raise refusal.invalid("Invalid JSON payload received. Expected an object.")
    return value


def only_members(body: Any, allowed: set[str]) -> None:
    """Refuse a body with a member that the method does not know.

    Raises:
        Refusal: it is not accepted.
    """
    for name in body:
        if name not in allowed:
            raise refusal.invalid(
                f'Invalid JSON payload received. Unknown name "{name}": Cannot find field.'
            )


def only_query(request: Request, allowed: set[str]) -> None:
    """Refuse a query parameter that the method does not know.

    Raises:
        Refusal: it is not accepted.
    """
    system = {"fields", "key", "alt", "prettyPrint"}
    for name in request.query_params:
        if name not in allowed | system:
            raise refusal.invalid(
                f'Invalid JSON payload received. Unknown name "{name}": Cannot bind query parameter.'
            )


def time_filter(text: str) -> datetime:
    """Return the moment of a filter `create_time > "…"`, which is exclusive.

    Raises:
        Refusal: it is not accepted.
    """
    found = _TIME_FILTER.fullmatch(text.strip())
    try:
        if found is None:
            raise ValueError(text)
        return from_rfc3339(found.group(1))
    except ValueError:
        raise refusal.invalid("Invalid filter.") from None


def moment_of(wire: Mapping[str, Any]) -> datetime:
    """Return when what was written came to be, as the filter compares it."""
    return from_rfc3339(wire["createTime"])


def page_of(
    request: Request,
    member: str,
    items: list[dict[str, Any]],
    default_size: int,
    write: Callable[[dict[str, Any]], dict[str, Any]] = dict,
) -> dict[str, Any]:
    """Return one page of the items, each written by `write`, with a token for the next.

    Raises:
        Refusal: it is not accepted.
    """
    try:
        size = int(request.query_params.get("pageSize") or default_size)
        token = request.query_params.get("pageToken", "")
        start = json.loads(base64.b64decode(token, validate=True))["offset"] if token else 0
    except (ValueError, KeyError, TypeError, RecursionError, binascii.Error):
        raise refusal.invalid() from None
    if size < 0 or not isinstance(start, int) or start < 0:
        raise refusal.invalid()
    size = min(size or default_size, MOST_ON_A_PAGE)
    page = [write(item) for item in items[start : start + size]]
    answer: dict[str, Any] = {member: page} if page else {}
    if start + size < len(items):
        token = base64.b64encode(json.dumps({"offset": start + size}).encode()).decode()
        answer["nextPageToken"] = token
    return answer


def archived_filter(text: str) -> set[bool]:
    """Return which values of `archived` a filter of sessions lets through.

    Raises:
        Refusal: it is another filter.
    """
    plain = text.replace(" ", "").lower()
    wanted = {"": {False}, "archived=true": {True}, "archived=false": {False}}.get(plain)
    if wanted is None:
        if set(plain.split("or")) != {"archived=true", "archived=false"}:
            raise refusal.invalid("Invalid filter.")
        wanted = {True, False}
    return wanted


def name_filter(text: str) -> set[str]:
    """Return the names that a filter of sources lets through, quoted or not.

    Raises:
        Refusal: it is another filter.
    """
    names = set(_NAME_FILTER.findall(text))
    if not names:
        raise refusal.invalid("Invalid filter.")
    return names
