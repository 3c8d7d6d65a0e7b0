"""POST requests that may be repeated: `router = APIRouter(route_class=IdempotentRoute)`.

A POST with an `Idempotency-Key` is done once. Sent again by the same principal it gets the same
answer with `Idempotency-Replayed: true`; while it is being done, a conflict; with another method,
path, query or body, a mismatch. What raised an error is not kept, so sending it again tries again;
but an outcome that is not clear is, since it may have happened. When a try was begun and nobody knows
how it ended (the server was killed, or the database went away), the next one hears so from `is_again`;
a route whose work cannot be looked for first depends on `done_once`, which refuses.

Where the answer holds a secret (`IssuingRoute`), it is not kept: the store would have the secret in clear
text. Sent again, such a request hears that it was done, and what the secret belongs to
(`AlreadyIssuedError`).
Source: draft-ietf-httpapi-idempotency-key-header-07, read 2026-11.

The application holds an `Idempotency` in `app.state.idempotency`.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import secrets
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from jules_job_manager.domain.access import Principal
from jules_job_manager.errors import (
    AlreadyIssuedError,
    InvalidInputError,
    JulesManagerError,
    NotRecordedError,
    RequestInProgressError,
    RequestMismatchError,
    StoreError,
    UnclearOutcomeError,
)
from jules_job_manager.ports.clock import Clock
from jules_job_manager.ports.idempotency_store import IdempotencyStore, KeptAnswer
from jules_job_manager.web.access import gate_of
from jules_job_manager.web.problems import problem_of, request_id_of

_LOG = logging.getLogger(__name__)
HEADER = "Idempotency-Key"
REPLAYED_HEADER = "Idempotency-Replayed"
MOST_KEY_LETTERS = 255
_AGAIN = "jjm_again"
_ISSUED = "jjm_issued"
_KEPT_HEADERS = ("content-type", "location", "etag", "link")
Handler = Callable[[Request], Coroutine[Any, Any, Response]]
Keep = Callable[[Request, Response], KeptAnswer | None]
"""Returns what is kept of an answer; None: nothing, it may be tried again."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Held:
    """A claim of this try."""

    owner: str
    key: str
    token: str
    is_again: bool


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

    async def once(
        self, request: Request, key: str, who: Principal, handler: Handler, keep: Keep
    ) -> Response:
        """Return the answer, from `handler` or as it was kept by `keep`.

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
            raise RequestInProgressError(
                hint=f"Send it again in a moment, with the same {HEADER}, to get its answer."
            )
        if claim.answer is not None:
            headers = {**dict(claim.answer.headers), REPLAYED_HEADER: "true"}
            return Response(claim.answer.body, claim.answer.status, headers=headers)
        request.scope.setdefault("state", {})[_AGAIN] = claim.is_again
        mine = _Held(owner=owner, key=key, token=token, is_again=claim.is_again)
        return await self._done(request, handler, mine, keep)

    async def _done(self, request: Request, handler: Handler, mine: _Held, keep: Keep) -> Response:
        keeper = asyncio.create_task(self._keep_claim(mine))  # ended and awaited below
        end: Callable[[_Held], Awaitable[None]] = (
            self._leave
        )  # until it is known that nothing was done
        try:
            response = await handler(request)
            answer = keep(request, response)
            end = self._release if answer is None else await self._answered(mine, answer)
            return response
        except (UnclearOutcomeError, NotRecordedError) as exc:
            # It may have happened, or did: sent again, it must not be done again.
            end = await self._answered(mine, _taken(problem_of(exc, request_id_of(request))))
            raise
        except StoreError:
            raise  # perhaps written, and only the answer of the database was lost
        except JulesManagerError:
            end = self._release
            raise
        except (RequestValidationError, HTTPException):
            end = self._release
            raise
        finally:
            keeper.cancel()
            with suppress(asyncio.CancelledError):
                await keeper
            await end(mine)

    async def _answered(
        self, mine: _Held, answer: KeptAnswer
    ) -> Callable[[_Held], Awaitable[None]]:
        """Keep an answer, and return what is to be done with the claim.

        The work is done: that its answer cannot be kept is no reason to call it failed.
        """
        try:
            await self._store.answer(mine.owner, mine.key, token=mine.token, answer=answer)
        except StoreError as exc:
            _LOG.warning("the answer to a request was not kept: %s", exc)
            return self._leave
        return _nothing

    async def _release(self, mine: _Held) -> None:
        """Let the next try begin as if there had been none; or as this one began."""
        if mine.is_again:
            await self._leave(mine)
            return
        try:
            await asyncio.shield(self._store.release(mine.owner, mine.key, token=mine.token))
        except StoreError as exc:  # it ends by itself, with its lease
            _LOG.warning("a claim was not given back: %s", exc)

    async def _leave(self, mine: _Held) -> None:
        """Let the next try begin, and know that this one may have done the work."""
        try:
            await asyncio.shield(
                self._store.renew(mine.owner, mine.key, token=mine.token, lease_seconds=0)
            )
        except StoreError as exc:  # it ends by itself, with its lease
            _LOG.warning("a claim was not given back: %s", exc)

    async def _keep_claim(self, mine: _Held) -> None:
        while True:
            await self._clock.sleep(self._lease / 3)
            try:
                await self._store.renew(
                    mine.owner, mine.key, token=mine.token, lease_seconds=self._lease
                )
            except StoreError as exc:
                _LOG.warning("a claim was not renewed: %s", exc)


async def _nothing(mine: _Held) -> None:
    del mine


def is_again(request: Request) -> bool:
    """Whether an earlier try of this very request was begun, and nobody knows how it ended."""
    return bool(request.scope.get("state", {}).get(_AGAIN, False))


async def done_once(request: Request) -> None:
    """Be the dependency of a route whose work cannot be looked for: `Depends(done_once)`.

    Raises:
        UnclearOutcomeError: an earlier try may have done it.
    """
    if is_again(request):
        raise UnclearOutcomeError(
            "The server that was asked first ended, or lost its database, before it said what it did.",
            hint=f"Look whether it happened. If it did not, send it with a new {HEADER}.",
        )


def note_issued(request: Request, made: str, *, hint: str) -> None:
    """Say what a request made whose answer holds a secret, for whoever sends it again.

    Args:
        request: Of an `IssuingRoute`.
        made: Id of what has the secret, or empty.
        hint: How to get to a secret when the answer was lost.
    """
    request.scope.setdefault("state", {})[_ISSUED] = (made, hint)


class IdempotentRoute(APIRoute):
    """A route whose POST may be sent again."""

    def kept(self, request: Request, response: Response) -> KeptAnswer | None:
        """Return what is kept of an answer; None of a stream, and of one that says: try again."""
        del request
        if isinstance(response, StreamingResponse) or response.status_code >= 500:
            return None
        if response.status_code in {401, 403, 409, 429}:
            return None
        return _taken(response)

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
            return await idempotency.once(request, key, who, handler, self.kept)

        return once


class IssuingRoute(IdempotentRoute):
    """A route whose POST may be sent again, and whose answer holds a secret that is not kept.

    Such a route depends on `done_once`: a second secret would take the place of the first, or be
    one more that nobody knows of.
    """

    def kept(self, request: Request, response: Response) -> KeptAnswer | None:
        """Return that it was done, and for what; None of what did not work."""
        if not 200 <= response.status_code < 300:
            return None
        made, hint = request.scope.get("state", {}).get(_ISSUED, ("", None))
        said = f" It belongs to {made}." if made else ""
        error = AlreadyIssuedError(
            "It was done the first time; the secret was in that answer, which is not given again."
            f"{said}",
            made=made, hint=hint,
        )  # fmt: skip
        problem = problem_of(error, request_id_of(request))
        if "location" in response.headers:
            problem.headers["location"] = response.headers["location"]
        return _taken(problem)


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


def _taken(response: Response) -> KeptAnswer:
    headers = tuple(
        (name, response.headers[name]) for name in _KEPT_HEADERS if name in response.headers
    )
    return KeptAnswer(status=response.status_code, headers=headers, body=bytes(response.body))
