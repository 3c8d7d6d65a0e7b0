"""Sends webhooks over HTTP to addresses that users gave, and to no others.

The host is resolved once, every address it has is looked at, and the connection goes to the very
address that was looked at: a name that answers otherwise the next time changes nothing.
"""

from __future__ import annotations

import asyncio
import ipaddress
import time
from collections.abc import Mapping

import httpx2

from jules_job_manager._version import __version__
from jules_job_manager.adapters.outside_addresses import (
    Address,
    AllowedPrivate,
    Resolver,
    is_outside,
    literal_address,
    system_resolver,
)
from jules_job_manager.domain.text import storable_text
from jules_job_manager.domain.webhook import LONGEST_ANSWER
from jules_job_manager.ports.webhook_sender import SendResult

MOST_BYTES = 16 * 1024
"""Read of an answer; the rest is not waited for."""


class HttpWebhookSender:
    """The WebhookSender port on httpx2."""

    def __init__(
        self,
        *,
        timeout_seconds: float,
        allowed: AllowedPrivate,
        resolve: Resolver = system_resolver,
        verify: str | bool = True,
    ) -> None:
        """Make the client.

        Args:
            timeout_seconds: Longest time for the whole of it, > 0.
            allowed: What is allowed in spite of its address.
            resolve: Finds addresses.
            verify: False, or a file of authorities; True: those of the system.
        """
        self._timeout = timeout_seconds
        self._allowed = allowed
        self._resolve = resolve
        self._client = httpx2.AsyncClient(
            follow_redirects=False, trust_env=False, verify=verify, timeout=timeout_seconds,
            limits=httpx2.Limits(max_keepalive_connections=0),
        )  # fmt: skip

    def refusal(self, url: str) -> str:
        """Return why nothing would ever be sent there, or an empty text."""
        target = httpx2.URL(url)
        is_plain = target.scheme != "https"
        address = literal_address(target.host)
        if address is not None:
            return self._refused(target.host, address, is_plain=is_plain)
        return (
            _unencrypted(target.host)
            if is_plain and not self._allowed.may_allow(target.host)
            else ""
        )

    async def send(self, url: str, *, body: str, headers: Mapping[str, str]) -> SendResult:
        """POST the body."""
        begun = time.perf_counter()
        status, answer, error = None, "", ""
        try:
            async with asyncio.timeout(self._timeout):
                status, answer = await self._post(url, body, headers)
        except TimeoutError:
            error = f"no whole answer within {self._timeout:g} seconds"
        except PermissionError as exc:
            error = str(exc)
        except (httpx2.HTTPError, httpx2.InvalidURL, OSError, ValueError) as exc:
            error = str(exc) or type(exc).__name__
        latency = int(1000 * (time.perf_counter() - begun))
        return SendResult(
            status=status, latency_ms=latency, answer=answer, error=storable_text(error)[:300]
        )

    async def aclose(self) -> None:
        """Close the client."""
        await self._client.aclose()

    async def _post(self, url: str, body: str, headers: Mapping[str, str]) -> tuple[int, str]:
        target = httpx2.URL(url)
        host = target.host
        port = target.port or (443 if target.scheme == "https" else 80)
        address = await self._checked(host, port, is_plain=target.scheme != "https")
        request = self._client.build_request(
            "POST", target.copy_with(host=address), content=body.encode(),
            headers={
                **headers, "Content-Type": "application/json", "User-Agent": f"jjm/{__version__}",
                "Host": target.netloc.decode("ascii"),
            },
            extensions={"sni_hostname": host},
        )  # fmt: skip
        answer = await self._client.send(request, stream=True)
        try:
            text = b""
            async for chunk in answer.aiter_raw():
                text += chunk
                if len(text) >= MOST_BYTES:
                    break
        finally:
            await answer.aclose()
        return answer.status_code, storable_text(text.decode("utf-8", "replace"))[:LONGEST_ANSWER]

    async def _checked(self, host: str, port: int, *, is_plain: bool) -> str:
        """Return an address of the host that may be connected to.

        Raises:
            PermissionError: one of its addresses may not.
            OSError: it has none.
        """
        found = [
            ipaddress.ip_address(text.partition("%")[0]) for text in await self._resolve(host, port)
        ]
        if not found:
            raise OSError(f"{host} has no address")
        for address in found:
            if why := self._refused(host, address, is_plain=is_plain):
                raise PermissionError(why)
        return str(found[0])

    def _refused(self, host: str, address: Address, *, is_plain: bool) -> str:
        if self._allowed.allows(host, address):
            return ""
        if not is_outside(address):
            return (
                f"{host} is {address}, an address inside the network; "
                "webhooks.allow_private does not list it"
            )
        return _unencrypted(host) if is_plain else ""


def _unencrypted(host: str) -> str:
    return f"{host} would be sent to unencrypted; use https"
