"""Who we are at GitHub: a token, or an App that gets tokens for an hour.

Source: docs.github.com/en/apps, "Generating an installation access token for a GitHub App" (a
token ends after an hour), read 2026-11; gidgethub's documentation, "gidgethub.apps".
"""

from __future__ import annotations

import asyncio
import os
import stat
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

from jules_job_manager.errors import ConfigurationError, ForgeError
from jules_job_manager.ports.clock import Clock

_EARLY = timedelta(minutes=5)
"""So long before its end a token is replaced."""

FetchToken = Callable[[str], Awaitable[Mapping[str, Any]]]
"""Asks GitHub for a token of the App whose private key is given."""


class Auth(Protocol):
    """Gives the token that requests are made with."""

    async def token(self, fetch: FetchToken) -> str:
        """Return a token that is valid now.

        Raises:
            ForgeError: GitHub gave none.
            ConfigurationError: the private key cannot be used.
        """
        ...

    def secrets(self) -> tuple[str, ...]:
        """Return what must never be shown."""
        ...


class TokenAuth:
    """A personal access token, or one that GitHub Actions gives."""

    def __init__(self, token: str) -> None:
        """Use this token.

        Raises:
            ConfigurationError: it has characters that no token has.
        """
        self._token = token.strip()
        if not self._token.isascii() or not self._token.isprintable() or " " in self._token:
            raise ConfigurationError(
                "The GitHub token has characters that no token has.",
                hint="Copy it again, whole and alone.",
            )

    async def token(self, fetch: FetchToken) -> str:
        """Return the token."""
        del fetch
        return self._token

    def secrets(self) -> tuple[str, ...]:
        """Return the token."""
        return (self._token,)


class AppAuth:
    """An installation of a GitHub App."""

    def __init__(self, *, key_file: Path, clock: Clock) -> None:
        """Use the private key in this file.

        Raises:
            ConfigurationError: it cannot be read, or others can read it too.
        """
        self._key = read_private_key(key_file)
        self._clock = clock
        self._token = ""
        self._ends: datetime | None = None
        self._lock = asyncio.Lock()

    async def token(self, fetch: FetchToken) -> str:
        """Return a token of the installation; a new one when the last one ends soon."""
        async with self._lock:
            if self._ends is None or self._clock.now() >= self._ends - _EARLY:
                answer = await fetch(self._key)
                try:
                    ends = datetime.fromisoformat(str(answer["expires_at"]))
                    self._token = str(answer["token"])
                    self._ends = ends if ends.tzinfo else None
                except (KeyError, ValueError) as exc:
                    raise ForgeError("GitHub's token for the App was not understood.") from exc
            return self._token

    def secrets(self) -> tuple[str, ...]:
        """Return the key and the token."""
        return (self._key, self._token)


def read_private_key(path: Path) -> str:
    """Return the content of a file that only its owner can read.

    Raises:
        ConfigurationError: it cannot be read, or others can read it too.
    """
    try:
        with path.expanduser().open(encoding="ascii") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            if os.name == "posix" and mode & 0o077:
                raise ConfigurationError(
                    f"github.private_key_file {path} can be read by others (mode {mode:04o}).",
                    hint=f"Run: chmod 600 {path}",
                )
            return file.read()
    except (OSError, UnicodeDecodeError) as exc:
        why = exc.strerror if isinstance(exc, OSError) else "it is no text"
        raise ConfigurationError(
            f"github.private_key_file {path} cannot be read: {why}.",
            hint="It is the .pem file that GitHub gave for the App.",
        ) from exc
