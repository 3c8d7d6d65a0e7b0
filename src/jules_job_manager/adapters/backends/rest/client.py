"""Sends requests to the Jules REST API and reads JSON answers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import httpx2

from jules_job_manager.adapters.api_address import checked_address
from jules_job_manager.adapters.backends.rest.errors import (
    error_from_exception,
    error_from_response,
)
from jules_job_manager.adapters.half_pairs import repaired
from jules_job_manager.errors import BackendConnectionError, ConfigurationError, UnclearOutcomeError


class RestClient:
    """One base address and one key. The key is in no log and no error."""

    def __init__(
        self,
        *,
        base_url: str,
        api_key: str,
        timeout_seconds: float,
        transport: httpx2.AsyncBaseTransport | None = None,
    ) -> None:
        """Check the address and prepare the connection pool; nothing is sent yet.

        Raises:
            ConfigurationError: the address cannot be used.
        """
        self._base = checked_base_url(base_url)
        key = api_key.strip()
        if not key.isascii() or not key.isprintable():
            raise ConfigurationError(
                "The API key has characters that no key has.",
                hint="Copy it again, whole and alone.",
            )
        self._http = httpx2.AsyncClient(
            headers={"X-Goog-Api-Key": key, "Accept": "application/json"},
            timeout=timeout_seconds,
            transport=transport,
            follow_redirects=False,
            # A proxy would see the key of an unencrypted exchange, which is loopback only.
            trust_env=self._base.startswith("https:"),
        )

    async def request(
        self,
        method: str,
        path: str,
        *,
        operation: str,
        repeatable: bool,
        query: Mapping[str, str | int] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Send one request and return the JSON object of the answer (empty for an empty body).

        Args:
            method: HTTP method.
            path: What follows the base address, beginning with a slash.
            operation: Its name, for messages.
            repeatable: Whether doing it twice does no harm; if not, a lost answer is unclear.
            query: Query parameters.
            body: JSON body; None sends none.

        Raises:
            JulesManagerError: the answer was an error, or there was none.
        """
        try:
            response = await self._http.request(
                method,
                self._base + path,
                params=dict(query or {}),
                json=None if body is None else dict(body),
            )
        except (httpx2.RequestError, httpx2.InvalidURL, httpx2.StreamError) as exc:
            raise error_from_exception(exc, operation, repeatable=repeatable) from exc
        if response.status_code >= 300:
            raise error_from_response(response, operation, repeatable=repeatable)
        if not response.content:
            return {}
        try:
            value = json.loads(repaired(response.content.decode("utf-8", errors="replace")))
        except (ValueError, RecursionError) as exc:
            failure = BackendConnectionError if repeatable else UnclearOutcomeError
            raise failure(f"Jules' answer to {operation} is not JSON.") from exc
        return value if isinstance(value, dict) else {}

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()


def checked_base_url(text: str) -> str:
    """Return the address without a final slash.

    Raises:
        ConfigurationError: it is no http address ending in /v1alpha, or it would send the key
            unencrypted to another machine.
    """
    return checked_address(
        text, setting="jules.api_url", what="the Jules API", secret="key", path_end="/v1alpha",  # noqa: S106 - its name
        hint="Write it like https://jules.googleapis.com/v1alpha, without key or query.",
    )  # fmt: skip
