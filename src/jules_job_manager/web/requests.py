"""What every request gets: an id, a line in the log, and a limit of size."""

from __future__ import annotations

import logging
import re
import secrets
import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from jules_job_manager.web.problems import answer

_LOG = logging.getLogger(__name__)
_GOOD_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}\Z")
HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"DENY"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"cache-control", b"no-store"),
)
"""On every answer that does not set them itself. Source: OWASP REST Security cheat sheet, read 2026-11."""


class Requests:
    """ASGI middleware around the whole application."""

    def __init__(self, app: ASGIApp, *, most_bytes: int) -> None:
        """Wrap `app`; bodies of more than `most_bytes` are refused with 413."""
        self._app = app
        self._most = most_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a connection."""
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        given = dict(scope["headers"]).get(b"x-request-id", b"")
        request_id = given.decode("ascii") if _GOOD_ID.match(given) else secrets.token_hex(8)
        scope.setdefault("state", {})["request_id"] = request_id
        if scope["type"] == "websocket":
            await self._app(scope, receive, send)
            return
        shown = scope.get("raw_path", b"").decode("ascii", "replace")  # still encoded: one line
        started, status = time.monotonic(), 0

        async def answering(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                named = {name.lower() for name, _ in message["headers"]}
                extra = [(name, value) for name, value in HEADERS if name not in named]
                extra.append((b"x-request-id", request_id.encode("ascii")))
                message = {**message, "headers": [*message["headers"], *extra]}
            await send(message)

        try:
            await self._within(scope, receive, answering, request_id)
        finally:
            _LOG.info(
                "%s %s %d", scope["method"], shown, status,
                extra={"action": "request", "request_id": request_id,
                       "milliseconds": round((time.monotonic() - started) * 1000, 1)},
            )  # fmt: skip

    async def _within(self, scope: Scope, receive: Receive, send: Send, request_id: str) -> None:
        length = dict(scope["headers"]).get(b"content-length", b"0")
        if not length.isdigit() or int(length) > self._most:
            await self._too_large(request_id)(scope, receive, send)
            return
        seen, refused = 0, False

        async def counted() -> Message:
            nonlocal seen, refused
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > self._most:  # sent in chunks, without a length
                refused = True
                return {"type": "http.disconnect"}
            return message

        begun = False

        async def once(message: Message) -> None:
            nonlocal begun
            if refused and not begun:
                return  # whatever the route says of half a body
            begun = True
            await send(message)

        try:
            await self._app(scope, counted, once)
        except Exception:
            if not refused:
                raise
        if refused and not begun:
            await self._too_large(request_id)(scope, receive, send)

    def _too_large(self, request_id: str) -> ASGIApp:
        return answer(
            413, code="JJM013", title="The request is too large",
            detail=f"The body has more than {self._most} bytes.", request_id=request_id,
            hint="Send it in parts, or raise server.max_body_bytes.",
        )  # fmt: skip
