"""What every request gets: a line in the log, headers that browsers heed, and a limit of size."""

from __future__ import annotations

import logging
import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from jules_job_manager.web.problems import TOO_LARGE, answer

_LOG = logging.getLogger(__name__)
HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"DENY"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"cache-control", b"no-store"),
)
"""On every answer that does not set them itself. Source: OWASP REST Security cheat sheet, read 2026-11."""


class Requests:
    """ASGI middleware around the whole application, inside of what gives requests their id."""

    def __init__(self, app: ASGIApp, *, most_bytes: int) -> None:
        """Wrap `app`; bodies of more than `most_bytes` are refused with 413."""
        self._app = app
        self._most = most_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = str(scope.get("state", {}).get("request_id", ""))
        started, status = time.monotonic(), 0

        async def answering(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                named = {name.lower() for name, _ in message["headers"]}
                extra = [(name, value) for name, value in HEADERS if name not in named]
                message = {**message, "headers": [*message["headers"], *extra]}
            await send(message)

        try:
            await self._within(scope, receive, answering, request_id)
        except Exception:
            status = status or 500  # what is around this answers it
            raise
        finally:
            if _LOG.isEnabledFor(logging.INFO):
                shown = scope.get("raw_path", b"").decode(
                    "ascii", "replace"
                )  # still encoded: one line
                taken = round((time.monotonic() - started) * 1000, 1)
                more = {"action": "request", "milliseconds": taken}
                _LOG.info("%s %s %d", scope["method"], shown, status, extra=more)

    async def _within(self, scope: Scope, receive: Receive, send: Send, request_id: str) -> None:
        length = next((v for k, v in scope["headers"] if k == b"content-length"), b"0")
        if not length.isdigit() or int(length) > self._most:
            await self._too_large(request_id)(scope, receive, send)
            return
        if scope["method"] == "GET" and length == b"0" and not _is_chunked(scope):
            await self._app(scope, receive, send)  # no body, nothing to count
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
            413, code=TOO_LARGE, title="The request is too large",
            detail=f"The body has more than {self._most} bytes.", request_id=request_id,
            hint="Send it in parts, or raise server.max_body_bytes.",
        )  # fmt: skip


def _is_chunked(scope: Scope) -> bool:
    return any(name == b"transfer-encoding" for name, _ in scope["headers"])
