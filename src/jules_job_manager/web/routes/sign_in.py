"""Signing people in and out: by a link that works once, or by a provider."""

from __future__ import annotations

from html import escape
from typing import Annotated
from urllib.parse import parse_qs

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import HTMLResponse, RedirectResponse, Response

from jules_job_manager.domain.access import Principal, csrf_token
from jules_job_manager.domain.text import safe_text
from jules_job_manager.errors import AccessDeniedError, SignInRequiredError
from jules_job_manager.services.sign_in import PROVIDER_TIME, OpenSession
from jules_job_manager.web.access import cookie_name, gate_of, public, session_text, signed_in
from jules_job_manager.web.addresses import is_plain_loopback
from jules_job_manager.web.auditing import note_audited

router = APIRouter(tags=["sign-in"])
_PROVIDER_COOKIE = "jjm_sign_in"
_MOST_FORM_BYTES = 4096
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    # `no-referrer` would make browsers hide the Origin that the form is checked by.
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}


class SessionView(BaseModel):
    """Who is signed in, and what a page needs to know of it."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "name": "ada",
                "kind": "person",
                "role": "viewer",
                "permissions": ["events:read", "queue:read", "reviews:read", "tasks:read"],
                "csrf_token": "TOKEN_OF_THIS_SESSION",
            }
        }
    )

    name: str = Field(description="The actor of events and of the audit log.")
    kind: str = Field(description="key, person or local.")
    role: str = Field(description="viewer, operator or admin.")
    permissions: list[str] = Field(description="All that may be done.")
    csrf_token: str | None = Field(
        default=None, description="To be sent as X-CSRF-Token with every change; null with a key."
    )


@router.get("/", dependencies=[Depends(public)], include_in_schema=False)
async def show_start(request: Request) -> HTMLResponse:
    """Show who is signed in and where things are, so that signing in leads somewhere."""
    try:
        who = await gate_of(request).principal(request)
    except SignInRequiredError:
        return _page('<p><a href="/sign-in">Sign in</a></p>')
    name = escape(safe_text(who.name))
    links = "".join(
        f'<li><a href="{path}">{words}</a></li>'
        for path, words in (
            ("/api/v1/approvals", "What waits for a person"),
            ("/api/v1/queue", "The queue"),
            ("/api/v1/quota", "Quota"),
            ("/health", "Health"),
            ("/api/v1/openapi.json", "The interface"),
        )
    )
    return _page(f"<p>Signed in as <strong>{name}</strong> ({who.role}).</p><ul>{links}</ul>")


@router.get("/sign-in", dependencies=[Depends(public)], include_in_schema=False)
async def show_sign_in(
    request: Request, token: Annotated[str, Query(max_length=100)] = ""
) -> HTMLResponse:
    """Show whom a link signs in, with a button: looking at it, as mail programs do, uses nothing up."""
    sign_in = gate_of(request).sign_in
    person = await sign_in.look_at_link(token) if token else None
    if person is not None:
        name, secret = escape(safe_text(person.name)), escape(token)
        body = (
            f"<p>Sign in as <strong>{name}</strong> ({person.role}).</p>"
            f'<form method="post" action="/sign-in"><input type="hidden" name="token" value="{secret}">'
            "<button>Sign in</button></form>"
        )
        return _page(body)
    said = "<p>The sign-in link does not work any more.</p>" if token else ""
    if sign_in.has_provider:
        said += '<p><a href="/sign-in/oidc">Sign in</a></p>'
    said += (
        "<p>A link that works once is printed by: <code>jjm key link NAME --role ROLE</code></p>"
    )
    return _page(said, status=410 if token else 200)


@router.post("/sign-in", dependencies=[Depends(public)], include_in_schema=False)
async def redeem_link(request: Request) -> Response:
    """Use a link up and open a session."""
    note_audited(request)
    body = await request.body()
    fields = parse_qs(body[:_MOST_FORM_BYTES].decode("utf-8", "replace"))
    gate = gate_of(request)
    try:
        _require_own_form(request)
        opened = await gate.sign_in.redeem(
            fields.get("token", [""])[0], address=gate.address(request),
            request_id=str(request.scope.get("state", {}).get("request_id", "")),
        )  # fmt: skip
    except (SignInRequiredError, AccessDeniedError) as error:
        await gate.count_failure(request, error)
        raise
    return _signed_in(request, opened)


@router.get("/sign-in/session", operation_id="show_session", response_model=SessionView)
async def show_session(
    request: Request, who: Annotated[Principal, Depends(signed_in)]
) -> SessionView:
    """Say who is signed in, and give the page its token."""
    text = session_text(request) if who.kind == "person" else None
    return SessionView(
        name=who.name, kind=who.kind.value, role=who.role.value, permissions=sorted(who.permissions),
        csrf_token=None if text is None else csrf_token(text),
    )  # fmt: skip


@router.post("/sign-out", operation_id="sign_out", status_code=204)
async def sign_out(request: Request, who: Annotated[Principal, Depends(signed_in)]) -> Response:
    """End the session."""
    note_audited(request)
    text = session_text(request)
    gate = gate_of(request)
    if text is not None and who.kind == "person":
        await gate.sign_in.sign_out(text, caller=gate.caller(request, who))
    response = Response(status_code=204)
    _take_back(request, response, cookie_name(request))
    return response


@router.get("/sign-in/oidc", dependencies=[Depends(public)], include_in_schema=False)
async def begin_oidc(request: Request) -> Response:
    """Send the person to the provider."""
    begun = await gate_of(request).sign_in.begin(_callback(request))
    response = RedirectResponse(begun.url, status_code=303, headers=_HEADERS)
    seconds = PROVIDER_TIME.total_seconds()
    _give(request, response, _provider_cookie(request), begun.browser_text, seconds)
    return response


@router.get("/sign-in/oidc/callback", dependencies=[Depends(public)], include_in_schema=False)
async def finish_oidc(
    request: Request,
    state: Annotated[str, Query(max_length=200)] = "",
    code: Annotated[str, Query(max_length=4096)] = "",
    error: Annotated[str, Query(max_length=200)] = "",
) -> Response:
    """Take the person back from the provider and open a session."""
    gate = gate_of(request)
    try:
        if error or not code:
            raise SignInRequiredError(
                "The provider did not sign you in.", hint="Begin again.", context={"given": "oidc"}
            )
        opened = await gate.sign_in.finish(
            state=state, code=code, browser_text=request.cookies.get(_provider_cookie(request), ""),
            address=gate.address(request),
            request_id=str(request.scope.get("state", {}).get("request_id", "")),
        )  # fmt: skip
    except (SignInRequiredError, AccessDeniedError) as refused:
        await gate.count_failure(request, refused)
        raise
    response = _signed_in(request, opened)
    _take_back(request, response, _provider_cookie(request))
    return response


def _signed_in(request: Request, opened: OpenSession) -> Response:
    response = RedirectResponse("/", status_code=303, headers=_HEADERS)
    left = opened.session.expires_at - opened.session.created_at
    _give(request, response, cookie_name(request), opened.text, left.total_seconds())
    return response


def _give(request: Request, response: Response, name: str, value: str, seconds: float) -> None:
    """Let the browser keep a cookie that no script and no other site's request gets."""
    response.set_cookie(
        name, value, max_age=int(seconds), path="/", httponly=True, samesite="lax",
        secure=not is_plain_loopback(request),
    )  # fmt: skip


def _take_back(request: Request, response: Response, name: str) -> None:
    response.delete_cookie(
        name, path="/", httponly=True, samesite="lax", secure=not is_plain_loopback(request)
    )


def _provider_cookie(request: Request) -> str:
    return _PROVIDER_COOKIE if is_plain_loopback(request) else f"__Host-{_PROVIDER_COOKIE}"


def _callback(request: Request) -> str:
    base = gate_of(request).public_url or str(request.base_url).rstrip("/")
    return f"{base}/sign-in/oidc/callback"


def _require_own_form(request: Request) -> None:
    """Refuse a form of another site, which would sign the person in as somebody else.

    Raises:
        AccessDeniedError: so it is.
    """
    origin = request.headers.get("origin")
    if origin is not None and origin.partition("://")[2] != request.headers.get("host", ""):
        raise AccessDeniedError(
            "The form comes from another site.", context={"given": "form of another site"}
        )


def _page(body: str, *, status: int = 200) -> HTMLResponse:
    page = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Sign in</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1"></head>'
        f"<body><main><h1>Jules Job Manager</h1>{body}</main></body></html>"
    )
    return HTMLResponse(page, status, headers=_HEADERS)
