"""POST requests that may be repeated: `router = APIRouter(route_class=IdempotentRoute)`.

A POST with an `Idempotency-Key` is done once. Sent again by the same principal it gets the same
answer with `Idempotency-Replayed: true`; while it is being done, a conflict; with another method,
path, query or body, a mismatch. What raised an error is not kept, so sending it again tries again;
but an outcome that is not clear is, since it may have happened.
Source: draft-ietf-httpapi-idempotency-key-header-07, read 2026-11.

The application holds an `Idempotency` in `app.state.idempotency`.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import secrets
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any

from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from jules_job_manager.domain.access import Principal
from jules_job_manager.errors import (
    InvalidInputError,
    NotRecordedError,
    RequestInProgressError,
    RequestMismatchError,
    StoreError,
    UnclearOutcomeError,
)
from jules_job_manager.ports.clock import Clock
from jules_job_manager.ports.idempotency_store import IdempotencyStore, KeptAnswer
from jules_job_manager.web.access import gate_of
from jules_job_manager.web.problems import problem_of

_LOG = logging.getLogger(__name__)
HEADER = "Idempotency-Key"
REPLAYED_HEADER = "Idempotency-Replayed"
MOST_KEY_LETTERS = 255
_KEPT_HEADERS = ("content-type", "location", "etag", "link")
Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class Idempotency:
    """Does a request once."""

    def __init__(
        self,
        *,
        store: IdempotencyStore,
        clock: Clock,
        keep_seconds: float = 86400.0,
        lease_seconds: float = 30.0,
    ) -> None:
        """Bind the store.

        Args:
            store: Keeps the answers.
            clock: Waits between two renewals.
            keep_seconds: How long answers are kept.
            lease_seconds: So long after this server died, another may do its request.
        """
        self._store = store
        self._clock = clock
        self._keep = keep_seconds
        self._lease = lease_seconds

    async def once(self, request: Request, key: str, who: Principal, handler: Handler) -> Response:
        """Return the answer, from `handler` or as it was kept.

        Raises:
            RequestInProgressError: the same request is being done.
            RequestMismatchError: the key was used with another request.
        """
        owner = f"{who.kind}:{who.key_id if who.kind == 'key' else who.name}"
        token = secrets.token_hex(16)
        claim = await self._store.claim(
            owner, key, fingerprint=await _fingerprint(request, who), token=token,
            lease_seconds=self._lease, keep_seconds=self._keep,
        )  # fmt: skip
        if claim.outcome == "other":
            raise RequestMismatchError(hint=f"Send a new {HEADER} with a new request.")
        if claim.outcome == "running":
            raise RequestInProgressError(hint="Send it again in a moment to get its answer.")
        if claim.answer is not None:
            headers = {**dict(claim.answer.headers), REPLAYED_HEADER: "true"}
            return Response(claim.answer.body, claim.answer.status, headers=headers)
        return await self._done(request, handler, owner, key, token)

    async def _done(
        self, request: Request, handler: Handler, owner: str, key: str, token: str
    ) -> Response:
        keeper = asyncio.create_task(self._keep_claim(owner, key, token))  # ended and awaited below
        is_kept = False
        try:
            try:
                response = await handler(request)
            except (UnclearOutcomeError, NotRecordedError) as exc:
                # It may have happened, or did: sent again, it must not be done again.
                response = problem_of(exc, str(request.state.request_id))
                unclear = KeptAnswer(
                    status=response.status_code,
                    headers=(("content-type", response.headers["content-type"]),),
                    body=bytes(response.body),
                )
                await self._store.answer(owner, key, token=token, answer=unclear)
                is_kept = True
                raise
            answer = _kept(response)
            if answer is not None:
                await self._store.answer(owner, key, token=token, answer=answer)
                is_kept = True
            return response
        finally:
            keeper.cancel()
            with suppress(asyncio.CancelledError):
                await keeper
            if not is_kept:
                await self._release(owner, key, token)

    async def _release(self, owner: str, key: str, token: str) -> None:
        try:
            await asyncio.shield(self._store.release(owner, key, token=token))
        except StoreError as exc:  # it ends by itself, with its lease
            _LOG.warning("a claim was not given back: %s", exc)

    async def _keep_claim(self, owner: str, key: str, token: str) -> None:
        while True:
            await self._clock.sleep(self._lease / 3)
            try:
                await self._store.renew(owner, key, token=token, lease_seconds=self._lease)
            except StoreError as exc:
                _LOG.warning("a claim was not renewed: %s", exc)


class IdempotentRoute(APIRoute):
    """A route whose POST may be sent again."""

    def get_route_handler(self) -> Handler:
        """Return the handler, in front of which kept answers are looked for."""
        handler = super().get_route_handler()

        async def once(request: Request) -> Response:
            given = request.headers.get(HEADER)
            if given is None or request.method != "POST":
                return await handler(request)
            key = key_from(given)
            who = await gate_of(request).principal(request)
            idempotency = request.app.state.idempotency
            assert isinstance(idempotency, Idempotency)
            return await idempotency.once(request, key, who, handler)

        return once


def key_from(text: str) -> str:
    """Return the key in the header: plain, or in quotation marks as the draft has it.

    Raises:
        InvalidInputError: it is empty, too long, or not printable ASCII.
    """
    key = text.strip()
    if len(key) >= 2 and key.startswith('"') and key.endswith('"'):
        key = key[1:-1]
    if not key or len(key) > MOST_KEY_LETTERS or not (key.isascii() and key.isprintable()):
        raise InvalidInputError(
            f"The {HEADER} must have 1 to {MOST_KEY_LETTERS} printable ASCII characters.",
            hint="A random UUID is a good one.",
        )
    return key


async def _fingerprint(request: Request, who: Principal) -> str:
    """Return what changes with the request, or with what its sender may do."""
    body = hashlib.sha256(await request.body()).hexdigest()
    may = ",".join(sorted(who.permissions))
    parts = (request.method, request.url.path, request.url.query, body, may)
    return hashlib.sha256("\n".join(parts).encode("utf-8")).hexdigest()


def _kept(response: Response) -> KeptAnswer | None:
    """Return what is kept of an answer; None of a stream, and of one that says: try again."""
    if isinstance(response, StreamingResponse) or response.status_code >= 500:
        return None
    if response.status_code in {401, 403, 409, 429}:
        return None
    headers = tuple(
        (name, response.headers[name]) for name in _KEPT_HEADERS if name in response.headers
    )
    return KeptAnswer(status=response.status_code, headers=headers, body=bytes(response.body))
