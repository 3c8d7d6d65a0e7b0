"""One connection to a service: sends, tries again where that is safe, and turns problems into errors."""

from __future__ import annotations

import uuid
from collections.abc import AsyncGenerator, Mapping
from typing import Any
from urllib.parse import quote, urlsplit

import httpx2

from jules_job_manager._version import __version__
from jules_job_manager.adapters.system_clock import SystemClock
from jules_job_manager.client.problems import error_of
from jules_job_manager.client.tries import LostBehindProxyError, Tries
from jules_job_manager.errors import ConfigurationError, ServiceUnreachableError
from jules_job_manager.ports.clock import Clock

LONG_SECONDS = 3600.0
"""Longest wait for an answer that the service works out in a repository."""
PATIENCE_SECONDS = 300.0
"""Longest wait for the answer to a change that the service is at work on."""
SILENCE_SECONDS = 120.0
"""A live stream that says nothing for so long is broken; the service says every 15 s that it is there."""
_INTERFACE = "/api/v1"
_ONE_KEY = (
    "Set JJM_SERVER_KEY to one key alone; `cat` of several files, as `first-admin.*.key` may mean, "
    "joins their keys."
)

_IS_IT_THERE = "Is `jjm serve` running there? Without --server, commands work on this machine."
_OWN_AUTHORITY = "Where its certificate is from an authority of your own, name the file of that authority: SSL_CERT_FILE."
_PERHAPS_HTTPS = "If it speaks TLS there, write its address with https://."
_PERHAPS_HTTP = "If it speaks no TLS there, write its address with http://."


class Connection:
    """A service, and the key that it knows us by."""

    def __init__(
        self,
        address: str,
        *,
        api_key: str,
        timeout_seconds: float,
        transport: httpx2.AsyncBaseTransport | None = None,
        clock: Clock | None = None,
    ) -> None:
        """Talk to the service at `address`; nothing is sent yet. `clock` waits between two tries.

        Raises:
            ConfigurationError: the address or the key cannot be one, or the address would send the
                key in clear text.
        """
        self.address = checked_address(address)
        api_key = checked_key(api_key)
        headers = {"User-Agent": f"jjm/{__version__}", "Accept": "application/json"}
        if api_key:
            headers["Authorization"] = f"Bearer {api_key}"
        self._timeout = timeout_seconds
        self._clock = clock or SystemClock()
        self._client = httpx2.AsyncClient(
            base_url=self.address, headers=headers, timeout=timeout_seconds, transport=transport
        )

    async def json(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        headers: Mapping[str, str | None] | None = None,
        body: Any = None,
        once: bool = False,
        takes_long: bool = False,
    ) -> Any:
        """Send a request and return the JSON of its answer.

        A POST carries an Idempotency-Key of its own, so that sending it again does nothing twice. One
        that makes a secret, and whose first answer was lost, ends with an AlreadyIssuedError that
        says what it belongs to. While the service still works on it, it is asked for again.
        With `once` the service does not look at such a key, so it is sent once.
        With `takes_long` the answer may take minutes.

        Raises:
            ServiceUnreachableError: no answer came, or one that is not the service's.
            UnclearOutcomeError: no answer came to a change that the service may have been told.
            JulesManagerError: the service refused; the class is the one that it raised there.
        """
        answer = await self._answer(
            method, path, query=query, headers=headers, body=body, once=once, takes_long=takes_long
        )
        try:
            return answer.json()
        except ValueError as exc:
            raise self._unreachable("what answered there is no service of jjm") from exc

    async def text(self, method: str, path: str, **request: Any) -> str:
        """Send a request and return the text of its answer; see `json`."""
        return (await self._answer(method, path, **request)).text

    async def nothing(self, method: str, path: str, **request: Any) -> None:
        """Send a request whose answer says nothing more; see `json`."""
        await self._answer(method, path, **request)

    async def health(self) -> Any:
        """Return what the service says of itself, also when that is not good; see `json`."""
        answer = await self._send("GET", "/health", None, {}, None, takes_long=False)
        if answer.status_code not in {200, 503}:
            raise error_of(answer, self.address)
        try:
            found = answer.json()
            _ = (found["status"], found["version"])
        except (ValueError, KeyError, TypeError) as exc:
            raise self._unreachable("what answered there is no service of jjm") from exc
        return found

    async def follow(
        self, path: str, *, query: Mapping[str, Any], headers: Mapping[str, str]
    ) -> AsyncGenerator[httpx2.ServerSentEvent, None]:
        """Yield what a stream of server-sent events sends, until it ends.

        Raises:
            ServiceUnreachableError: it cannot be had, or broke; `SILENCE_SECONDS` without a word count
                as broken.
            JulesManagerError: the service refused; as `json`.
        """
        timeout = httpx2.Timeout(self._timeout, read=SILENCE_SECONDS)
        try:
            async with self._client.sse(
                path, params=dict(query), headers=dict(headers), timeout=timeout
            ) as source:
                if not source.response.is_success:
                    await source.response.aread()
                    raise error_of(source.response, self.address)
                async for message in source:
                    yield message
        except httpx2.TransportError as exc:
            raise self._broken(exc) from exc

    async def _answer(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        headers: Mapping[str, str | None] | None = None,
        body: Any = None,
        once: bool = False,
        takes_long: bool = False,
    ) -> httpx2.Response:
        given = {name: value for name, value in (headers or {}).items() if value is not None}
        if method == "POST" and not once:
            given["Idempotency-Key"] = str(uuid.uuid4())
        tries = Tries(
            self.address,
            self._clock,
            changes=method != "GET",
            repeats=method in {"GET", "POST", "PUT", "DELETE"} and not once,
            patience_seconds=LONG_SECONDS if takes_long else PATIENCE_SECONDS,
        )

        async def send() -> httpx2.Response:
            answer = await self._send(method, path, query, given, body, takes_long=takes_long)
            if answer.is_success:
                return answer
            error = error_of(answer, self.address)
            if answer.status_code in {502, 504} and isinstance(error, ServiceUnreachableError):
                raise error from LostBehindProxyError()
            raise error

        return await tries.until_answered(send)

    async def _send(
        self,
        method: str,
        path: str,
        query: Mapping[str, Any] | None,
        headers: Mapping[str, str],
        body: Any,
        *,
        takes_long: bool,
    ) -> httpx2.Response:
        timeout = httpx2.Timeout(self._timeout, read=LONG_SECONDS if takes_long else self._timeout)
        parameters = {n: _word(value) for n, value in (query or {}).items() if value is not None}
        try:
            return await self._client.request(
                method, path, params=parameters, headers=headers, json=body, timeout=timeout
            )
        except httpx2.TimeoutException as exc:
            raise self._unreachable("it did not answer in time") from exc
        except httpx2.TransportError as exc:
            raise self._broken(exc) from exc

    def _broken(self, exc: httpx2.TransportError) -> ServiceUnreachableError:
        """Return the error for a connection that could not be made, or broke."""
        why = str(exc).rstrip(".") or type(exc).__name__
        if "CERTIFICATE_VERIFY_FAILED" in why:
            return self._unreachable(why, hint=_OWN_AUTHORITY)
        if isinstance(exc, httpx2.RemoteProtocolError) and self.address.startswith("http:"):
            return self._unreachable(why, hint=_PERHAPS_HTTPS)
        if "WRONG_VERSION_NUMBER" in why or "RECORD_LAYER_FAILURE" in why:
            return self._unreachable(why, hint=_PERHAPS_HTTP)
        return self._unreachable(why)

    def _unreachable(self, why: str, *, hint: str = _IS_IT_THERE) -> ServiceUnreachableError:
        return ServiceUnreachableError(
            f"The service at {self.address} cannot be reached: {why}.", hint=hint
        )

    async def aclose(self) -> None:
        """Let go of the connection. Safe to call twice."""
        await self._client.aclose()


def checked_address(address: str) -> str:
    """Return the address of a service without a slash, or the path of its interface, at its end.

    Raises:
        ConfigurationError: it is no http or https address, holds a password, or would send the key
            in clear text to another machine.
    """
    try:
        parts = urlsplit(address)
        host = parts.hostname or ""
        _ = parts.port
    except ValueError:
        parts, host = urlsplit(""), ""
    if parts.scheme not in {"http", "https"} or not host or parts.query or parts.fragment:
        raise ConfigurationError(
            f"{address!r} is no address of a service.", hint="Write it as https://HOST:PORT."
        )
    if parts.username or parts.password:
        raise ConfigurationError(
            "The address of the service must not hold a password.",
            hint="Set JJM_SERVER_KEY to a key of the service.",
        )
    if parts.scheme == "http" and host not in {"localhost", "127.0.0.1", "::1"}:
        raise ConfigurationError(
            f"{address} would send your key in clear text over the network.",
            hint="Use https; for a machine of your own, a tunnel: ssh -L 8787:127.0.0.1:8787 HOST",
        )
    return address.rstrip("/").removesuffix(_INTERFACE).rstrip("/")


def checked_key(key: str) -> str:
    """Return the key of a service without blanks around it.

    Raises:
        ConfigurationError: no request could carry it. The message does not show it.
    """
    found = key.strip()
    if len(found.split()) > 1:
        raise ConfigurationError(
            "The key of the service is several words or lines; a key is one word.", hint=_ONE_KEY
        )
    if not all("!" <= sign <= "~" for sign in found):
        raise ConfigurationError(
            "The key of the service has a character that is in no key.", hint=_ONE_KEY
        )
    return found


def path_part(text: str) -> str:
    """Return a text as one part of a path, whatever is in it."""
    return quote(text, safe="")


def _word(value: Any) -> str | list[str]:
    if isinstance(value, list):
        return [str(item) for item in value]
    return str(value).lower() if isinstance(value, bool) else str(value)
