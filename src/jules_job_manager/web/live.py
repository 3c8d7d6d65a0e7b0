"""Live events over SSE and WebSocket: `GET /events/stream` and `/events/ws`.

Both go on after the last event a client has seen, so nothing is missed over a reconnect and nothing
comes twice. The reference is docs/reference/live.md.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import secrets
from collections import OrderedDict
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request, Response, WebSocket, WebSocketDisconnect
from fastapi.sse import format_sse_event
from starlette.requests import HTTPConnection
from starlette.types import Receive, Scope, Send

from jules_job_manager.domain.event import Event
from jules_job_manager.domain.event_filter import EventFilter
from jules_job_manager.domain.text import shorten
from jules_job_manager.errors import (
    AccessDeniedError,
    InvalidInputError,
    JulesManagerError,
    SignInRequiredError,
    StoreError,
    TooManyStreamsError,
)
from jules_job_manager.services.live import Heartbeat, LiveEvents
from jules_job_manager.settings.model import LiveSettings
from jules_job_manager.web.event_choice import ABOUT, choice_of, described_choice
from jules_job_manager.web.parameters import require_known
from jules_job_manager.web.problems import problem

RESTARTS = 1012
"""WebSocket close code: the server stops or restarts; come back. Source: IANA's registry of
WebSocket close codes, read 2026-11."""
TRY_LATER = 1013
"""WebSocket close code: too many clients, or events cannot be read; come back later."""
BAD_REQUEST = 4400
"""WebSocket close code: the filters or the id cannot be used; do not come back with the same."""
TOO_SLOW = 4408
"""WebSocket close code: the connection took nothing for too long; come back."""
LONGEST_PING = 300
"""A longer message of a client is not read, in letters."""
NOT_ALLOWED = 4403
"""WebSocket close code: the key or session is over, or may not listen any more; sign in again."""
_PARAMETERS = frozenset({*ABOUT, "after", "named", "wait"})
"""Of the WebSocket. `named` means nothing there, and is taken, since the stream has it."""
Recheck = Callable[[HTTPConnection], Awaitable[None]]


@dataclass(frozen=True, kw_only=True, slots=True)
class StreamPolicy:
    """How streams behave."""

    stalled_seconds: float = 30.0
    """A connection that takes nothing for so long is closed, > 0."""
    most_clients: int = 5000
    """Streams at once, >= 1."""
    retry_ms: int = 2000
    """Clients come back after so long, up to twice that, so that not all come at once."""
    recheck_seconds: float = 60.0
    """So often it is looked whether a client may still listen, > 0."""


def stream_policy(settings: LiveSettings) -> StreamPolicy:
    """Return the policy that the settings describe."""
    return StreamPolicy(
        stalled_seconds=settings.stalled_seconds, most_clients=settings.most_clients
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class _Wish:
    """What one client asked for."""

    after_id: int | None
    matching: EventFilter
    named: bool = False


def live_router(
    live: LiveEvents,
    policy: StreamPolicy | None = None,
    *,
    dependencies: Sequence[Any] = (),
    recheck: Recheck | None = None,
) -> APIRouter:
    """Return the routes.

    Args:
        live: Whom clients follow.
        policy: How streams behave.
        dependencies: FastAPI dependencies that say who may listen; they see HTTP and WebSocket.
        recheck: Raises SignInRequiredError or AccessDeniedError when a client may not listen any
            more; None: nobody looks again.
    """
    policy = policy or StreamPolicy()
    router = APIRouter(prefix="/events", tags=["events"], dependencies=list(dependencies))
    streams = _Streams(live, policy, recheck)

    @router.get(
        "/stream", response_class=Response, summary="Follow events",
        operation_id="follow_events", openapi_extra={"parameters": described_choice()},
        responses={
            200: {"description": "Events as they happen.", "content": {"text/event-stream": {}}},
            400: problem("A filter or an id cannot be used."),
            503: problem("Too many clients, or the events cannot be read just now."),
        },
    )  # fmt: skip
    async def stream(
        request: Request,
        last_event_id: Annotated[str | None, Header(max_length=20)] = None,
        after: Annotated[
            str | None, Query(max_length=20, description="Id of the last event that was seen.")
        ] = None,
        named: Annotated[
            bool, Query(description="Name each event by its type, for addEventListener.")
        ] = False,
    ) -> Response:
        """Send each wanted event once, in order, as server-sent events.

        `Last-Event-ID` counts before `after`. Without either, only what happens from now on.
        `type`, `subject`, `task` and `job` may be there several times. A type and the times must
        fit, and of the other three one.
        """
        matching = choice_of(request.query_params.multi_items())
        after_id = after_of(last_event_id or after)
        wish = _Wish(after_id=after_id, matching=matching, named=named)
        return await streams.open(wish, request)

    @router.websocket("/ws")
    async def socket(websocket: WebSocket) -> None:
        """Send each wanted event once, in order, as JSON; the same filters as the stream."""
        await streams.serve(websocket)

    return router


def after_of(text: str | None) -> int | None:
    """Read the id of the last event that was seen; None or an empty text: none was.

    Raises:
        InvalidInputError: it is no id.
    """
    if not text:
        return None
    if not (text.isascii() and text.isdigit()) or len(text) > 18:
        raise InvalidInputError(f"{text!r} is no id of an event.")
    return int(text)


class _Streams:
    """Every open stream of this process."""

    def __init__(self, live: LiveEvents, policy: StreamPolicy, recheck: Recheck | None) -> None:
        self._live = live
        self._policy = policy
        self._recheck = recheck
        self._texts: OrderedDict[tuple[int, bool], bytes] = OrderedDict()
        self.count = 0

    def has_room(self) -> bool:
        return self.count < self._policy.most_clients and not self._live.is_stopped

    async def open(self, wish: _Wish, request: Request) -> Response:
        """Return the stream of a client, once it is clear that it can be served."""
        if not self.has_room():
            raise _no_room()
        after_id = await self._live.begin(wish.after_id)  # before the answer has a status
        begun = _Wish(after_id=after_id, matching=wish.matching, named=wish.named)
        return _EventStream(self, begun, request)

    async def while_allowed(self, connection: HTTPConnection) -> None:
        """Look now and then whether a client may still listen. While nobody can tell, it may.

        Raises:
            SignInRequiredError, AccessDeniedError: it may not any more.
        """
        while True:
            await asyncio.sleep(self._policy.recheck_seconds)
            if self._recheck is not None:
                with contextlib.suppress(StoreError):
                    await self._recheck(connection)

    def block(self, event: Event, *, named: bool) -> bytes:
        """Return the event as it goes over SSE, made once for all clients."""
        known = self._texts.get((event.id, named))
        if known is None:
            name = event.type if named and _is_one_line(event.type) else None
            known = format_sse_event(id=str(event.id), event=name, data_str=_json(event.to_dict()))
            self._texts[event.id, named] = known
            if len(self._texts) > 1024:
                self._texts.popitem(last=False)
        return known

    def retry_ms(self) -> int:
        return self._policy.retry_ms + secrets.randbelow(self._policy.retry_ms + 1)

    async def chunks(self, wish: _Wish) -> AsyncGenerator[bytes, None]:
        """Yield what an SSE client is sent."""
        retry = self.retry_ms()
        # The id at once: who is cut off before the first event comes back to the same place.
        yield format_sse_event(id=str(wish.after_id), retry=retry, comment="jjm")
        async with aclosing(self._follow(wish)) as following:
            async for found in following:
                if isinstance(found, Heartbeat):
                    yield format_sse_event(id=str(found.id), comment="all is well")
                else:
                    yield self.block(found, named=wish.named)
        yield format_sse_event(comment="the server stops; come back", retry=retry)

    def _follow(self, wish: _Wish) -> AsyncGenerator[Event | Heartbeat, None]:
        return self._live.follow(after_id=wish.after_id, matching=wish.matching)

    async def within_patience(self, sending: Awaitable[None]) -> None:
        """Wait for the connection to take what is sent.

        Raises:
            TimeoutError: it did not for too long.
        """
        async with asyncio.timeout(self._policy.stalled_seconds):
            await sending

    async def serve(self, websocket: WebSocket) -> None:
        """Serve one WebSocket from its handshake to its end."""
        await websocket.accept()
        has_room = self.has_room()
        self.count += 1
        try:
            if not has_room:
                raise _no_room()
            await self._send_and_receive(websocket)
            ending: Exception | None = None
        except* (JulesManagerError, TimeoutError, WebSocketDisconnect, RuntimeError) as failures:
            ending = _first(failures)
        finally:
            self.count -= 1
        if isinstance(ending, WebSocketDisconnect | RuntimeError):
            return  # it is gone; RuntimeError is Starlette's word for sending after the end
        code, reason = _farewell(ending)
        with contextlib.suppress(TimeoutError, RuntimeError, WebSocketDisconnect):
            await self.within_patience(websocket.close(code, reason))

    async def _wish(self, websocket: WebSocket) -> _Wish:
        """Return what a client wants, once it is clear that it can be served."""
        query = websocket.query_params
        require_known(query, _PARAMETERS)
        matching = choice_of(query.multi_items())
        after = after_of(query.get("after"))
        if query.get("wait") == "1":
            after = await self._first_word(websocket, after)
        return _Wish(after_id=await self._live.begin(after), matching=matching)

    async def _first_word(self, websocket: WebSocket, after: int | None) -> int | None:
        """Read `{"after": 17}`.

        Raises:
            InvalidInputError: it is something else.
            TimeoutError: nothing came.
        """
        async with asyncio.timeout(self._policy.stalled_seconds):
            text = await _next_text(websocket)
        try:
            given = json.loads(text)
            word = given.get("after")
        except (ValueError, AttributeError, RecursionError) as exc:
            raise InvalidInputError("The first message is not a JSON object.") from exc
        return after if word is None else after_of(str(word))

    async def _send_and_receive(self, websocket: WebSocket) -> None:
        wish = await self._wish(websocket)
        async with asyncio.TaskGroup() as group:
            receiving = group.create_task(_answer_pings(websocket))
            allowed = group.create_task(self.while_allowed(websocket))
            async with aclosing(self._follow(wish)) as following:
                async for found in following:
                    if isinstance(found, Heartbeat):
                        word: dict[str, Any] = {"heartbeat": found.id}
                    else:
                        word = found.to_dict()
                    await self.within_patience(websocket.send_text(_json(word)))
            receiving.cancel()
            allowed.cancel()


class _EventStream(Response):
    """An SSE answer. A client that leaves, or takes nothing for too long, ends it."""

    media_type = "text/event-stream"

    def __init__(self, streams: _Streams, wish: _Wish, request: Request) -> None:
        # Source: nginx.org/en/docs/http/ngx_http_proxy_module.html (X-Accel-Buffering), read 2026-11.
        super().__init__(headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self._streams = streams
        self._wish = wish
        self._request = request

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        del scope
        self._streams.count += 1
        try:
            async with asyncio.TaskGroup() as group:
                leaving = group.create_task(_until_gone(receive))
                sending = group.create_task(self._send(send))
                allowed = group.create_task(self._until_refused())
                parts = {leaving, sending, allowed}
                await asyncio.wait(parts, return_when=asyncio.FIRST_COMPLETED)
                is_refused = allowed.done() and not sending.done()
                for part in parts:
                    part.cancel()
            if is_refused:  # who comes back hears why
                with contextlib.suppress(TimeoutError):
                    await self._streams.within_patience(send(_LAST))
        finally:
            self._streams.count -= 1

    async def _until_refused(self) -> None:
        with contextlib.suppress(SignInRequiredError, AccessDeniedError):
            await self._streams.while_allowed(self._request)

    async def _send(self, send: Send) -> None:
        start = {"type": "http.response.start", "status": 200, "headers": self.raw_headers}
        await send(start)
        try:
            async with aclosing(self._streams.chunks(self._wish)) as chunks:
                async for chunk in chunks:
                    message = {"type": "http.response.body", "body": chunk, "more_body": True}
                    await self._streams.within_patience(send(message))
        except TimeoutError:
            return  # the server closes a connection whose answer was not ended
        await send(_LAST)


_LAST = {"type": "http.response.body", "body": b"", "more_body": False}


def _no_room() -> TooManyStreamsError:
    return TooManyStreamsError(
        "There are too many live streams, or the server stops.", hint="Come back later."
    )


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _next_text(websocket: WebSocket) -> str:
    """Return the next message; one of bytes says nothing here.

    Raises:
        WebSocketDisconnect: there is none any more.
    """
    message = await websocket.receive()
    if message["type"] == "websocket.disconnect":
        raise WebSocketDisconnect(message.get("code", 1005), message.get("reason"))
    return message.get("text") or ""


async def _answer_pings(websocket: WebSocket) -> None:
    """Answer `{"ping": …}` with `{"pong": …}`; other messages are passed over."""
    while True:
        text = await _next_text(websocket)
        if len(text) > LONGEST_PING:
            continue
        try:
            given = json.loads(text)
        except (ValueError, RecursionError):
            continue
        if isinstance(given, dict) and "ping" in given:
            await websocket.send_text(json.dumps({"pong": given["ping"]}))


def _json(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))


def _is_one_line(text: str) -> bool:
    return "\n" not in text and "\r" not in text and "\0" not in text


def _farewell(ending: Exception | None) -> tuple[int, str]:
    """Return the close code and what is said with it; at most 123 bytes fit (RFC 6455, 5.5)."""
    if isinstance(ending, InvalidInputError):
        return BAD_REQUEST, shorten(str(ending), 40)
    if isinstance(ending, SignInRequiredError | AccessDeniedError):
        return NOT_ALLOWED, shorten(str(ending), 40)
    if isinstance(ending, JulesManagerError):
        return TRY_LATER, shorten(str(ending), 40)
    if isinstance(ending, TimeoutError):
        return TOO_SLOW, "nothing was taken, or said, for too long"
    return RESTARTS, "the server stops; come back"


def _first(failures: BaseExceptionGroup[Any]) -> Any:
    found: BaseException = failures
    while isinstance(found, BaseExceptionGroup):
        found = found.exceptions[0]
    return found
