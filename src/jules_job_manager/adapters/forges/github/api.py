"""Requests to GitHub's REST API, by gidgethub over our HTTP client.

Answers are remembered with their ETags: one that has not changed costs nothing of the quota.
Source: docs.github.com/en/rest/using-the-rest-api/best-practices-for-using-the-rest-api, read
2026-11; gidgethub's documentation, "gidgethub.abc", read 2026-11.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Literal
from urllib.parse import urlsplit

import httpx2
from gidgethub import GitHubException, HTTPException, apps
from gidgethub.abc import GitHubAPI
from jwt.exceptions import PyJWTError

from jules_job_manager._version import __version__
from jules_job_manager.adapters.forges.github.answers import limit_reached, refusal, unreachable
from jules_job_manager.adapters.forges.github.auth import Auth
from jules_job_manager.adapters.forges.github.limits import pause_seconds, used_up_until
from jules_job_manager.errors import ConfigurationError, ForgeError
from jules_job_manager.ports.clock import Clock

_MOST_CACHED = 200
_MOST_TRIES = 3
_VERSION = {"x-github-api-version": "2022-11-28"}


class _Answers(dict[str, tuple[str | None, str | None, Any, str | None]]):
    """The newest answers by address, with their ETags."""

    def __setitem__(self, url: str, value: tuple[str | None, str | None, Any, str | None]) -> None:
        self.pop(url, None)
        super().__setitem__(url, value)
        while len(self) > _MOST_CACHED:
            del self[next(iter(self))]


class _Requests(GitHubAPI):
    """gidgethub on our HTTP client, clock and patience."""

    def __init__(
        self, http: httpx2.AsyncClient, *, base_url: str, clock: Clock, longest_wait_seconds: float
    ) -> None:
        super().__init__(f"jules-job-manager/{__version__}", cache=_Answers(), base_url=base_url)
        self._http = http
        self._clock = clock
        self._longest_wait = longest_wait_seconds
        self._closed_until: datetime | None = None
        self._origin = urlsplit(base_url)[:2]

    async def _request(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes = b""
    ) -> tuple[int, Mapping[str, str], bytes]:
        if urlsplit(url)[:2] != self._origin:
            raise ForgeError("GitHub named an address on another host; it was not followed.")
        answer = await self._http.request(method, url, headers=dict(headers), content=body)
        self._close(used_up_until(answer.headers, now=self._clock.now()))
        return answer.status_code, answer.headers, answer.content

    async def sleep(self, seconds: float) -> None:
        await self._clock.sleep(seconds)

    def _close(self, seconds: float | None) -> None:
        if seconds is not None:
            until = self._clock.now() + timedelta(seconds=seconds)
            self._closed_until = max(until, self._closed_until or until)

    async def manage_rate_limit(self, *, method: str, url: str) -> None:
        """Wait while GitHub wants to be left alone.

        Raises:
            ForgeError: that is longer than we wait.
        """
        del method, url
        if self._closed_until is None:
            return
        seconds = (self._closed_until - self._clock.now()).total_seconds()
        if seconds > self._longest_wait:
            raise limit_reached(seconds)
        self._closed_until = None
        if seconds > 0:
            await self._clock.sleep(seconds)

    async def handle_rate_limit_error(
        self, *, method: str, url: str, exception: HTTPException, attempt: int
    ) -> bool:
        """Return whether the request is made again: refused for a limit, or a read that broke."""
        del url
        status = int(exception.status_code)
        pause = pause_seconds(
            status, exception.headers, str(exception), now=self._clock.now(), attempt=attempt
        )
        self._close(pause)
        if pause is not None and (attempt >= _MOST_TRIES or pause > self._longest_wait):
            raise limit_reached(pause) from exception
        if pause is None and method == "GET" and status >= 500 and attempt < _MOST_TRIES:
            await self._clock.sleep(float(attempt))
            return True
        return pause is not None


class GitHubApi:
    """One address of the API and one identity."""

    def __init__(
        self,
        *,
        base_url: str,
        auth: Auth,
        clock: Clock,
        timeout_seconds: float,
        longest_wait_seconds: float,
        app_id: str = "",
        installation_id: str = "",
        transport: httpx2.AsyncBaseTransport | None = None,
    ) -> None:
        """Prepare the connections; nothing is sent yet.

        Args:
            base_url: Such as https://api.github.com, or https://HOST/api/v3.
            auth: Gives tokens.
            clock: Tells the time.
            timeout_seconds: Longest wait for one answer, > 0.
            longest_wait_seconds: Longest wait for a rate limit, >= 0; what lasts longer is an error.
            app_id: Of the App, if `auth` is one.
            installation_id: Of the App's installation.
            transport: Instead of the network.
        """
        self._http = httpx2.AsyncClient(
            timeout=timeout_seconds, transport=transport, follow_redirects=False,
            trust_env=base_url.startswith("https:"),
        )  # fmt: skip
        self._requests = _Requests(
            self._http, base_url=base_url, clock=clock, longest_wait_seconds=longest_wait_seconds
        )
        self._auth = auth
        self._app_id = app_id
        self._installation_id = installation_id

    async def token(self) -> str:
        """Return a token that is valid now, for git.

        Raises:
            ForgeError: GitHub gave none.
            ConfigurationError: the private key cannot be used.
        """
        return await self._auth.token(self._app_token)

    async def _app_token(self, key: str) -> Mapping[str, Any]:
        try:
            apps.get_jwt(app_id=self._app_id, private_key=key)
        except (PyJWTError, ValueError) as exc:
            raise ConfigurationError(
                "github.private_key_file holds no private key of an App.",
                hint="It is the .pem file that GitHub gave for the App.",
            ) from exc

        async def ask() -> Any:
            return await apps.get_installation_access_token(
                self._requests, installation_id=self._installation_id, app_id=self._app_id,
                private_key=key,
            )  # fmt: skip

        answer = await self._tried(ask, "give the App a token")
        return answer if isinstance(answer, Mapping) else {}

    async def get(self, path: str, what: str) -> Any:
        """Return what GitHub has at the path.

        Args:
            path: After the base address; whatever is not fixed in it is quoted.
            what: What it is for, as in "GitHub did not …".

        Raises:
            ForgeError: it did not answer, or refused (`context["status"]`).
        """

        async def ask() -> Any:
            return await self._requests.getitem(
                path, oauth_token=await self.token(), extra_headers=_VERSION
            )

        return await self._tried(ask, what)

    async def get_all(self, path: str, what: str, *, most: int, key: str = "items") -> list[Any]:
        """Return the items of a list that comes in pages, at most `most` (>= 1).

        Args:
            path: As for `get`.
            what: As for `get`.
            most: Further ones are not asked for.
            key: Member of the answer that has the list, where the answer is not the list itself.

        Raises:
            ForgeError: as for `get`.
        """

        async def ask() -> list[Any]:
            found: list[Any] = []
            pages = self._requests.getiter(
                path, oauth_token=await self.token(), extra_headers=_VERSION, iterable_key=key
            )
            async for item in pages:
                found.append(item)
                if len(found) >= most:
                    break
            await pages.aclose()
            return found

        found: list[Any] = await self._tried(ask, what)
        return found

    async def send(
        self, method: Literal["POST", "PUT", "PATCH"], path: str, body: Mapping[str, Any], what: str
    ) -> Any:
        """Change something: POST, PUT or PATCH. It is never repeated when the answer is lost.

        Raises:
            ForgeError: as for `get`; with `context["unclear"]` it may have happened.
        """

        async def ask() -> Any:
            given: dict[str, Any] = {
                "data": dict(body), "oauth_token": await self.token(), "extra_headers": _VERSION,
            }  # fmt: skip
            if method == "POST":
                return await self._requests.post(path, **given)
            if method == "PUT":
                return await self._requests.put(path, **given)
            return await self._requests.patch(path, **given)

        return await self._tried(ask, what)

    async def _tried(self, ask: Callable[[], Awaitable[Any]], what: str) -> Any:
        try:
            return await ask()
        except HTTPException as exc:
            secrets = self._auth.secrets()
            raise refusal(int(exc.status_code), str(exc), what, secrets) from exc
        except (httpx2.RequestError, httpx2.InvalidURL, httpx2.StreamError) as exc:
            raise unreachable(what, exc) from exc
        except (GitHubException, LookupError, TypeError, ValueError, AttributeError) as exc:
            raise ForgeError(f"GitHub's answer was not understood: it did not {what}.") from exc

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()
