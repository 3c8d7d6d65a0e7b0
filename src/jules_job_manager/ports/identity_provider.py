"""A provider where people prove who they are (OpenID Connect, authorization code with PKCE)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol


@dataclass(frozen=True, kw_only=True, slots=True)
class Identity:
    """Who the provider says it is. `issuer` and `subject` together never name another person."""

    issuer: str
    subject: str
    email: str = ""
    is_email_verified: bool = False
    claims: Mapping[str, Any] = field(default_factory=dict)
    """All claims of the ID token."""


class IdentityProvider(Protocol):
    """Sends people away to sign in, and reads what they come back with."""

    async def start(self, *, redirect_uri: str, state: str, nonce: str, verifier: str) -> str:
        """Return the address to send the person to.

        Raises:
            SignInRequiredError: the provider cannot be used at the moment.
        """
        ...

    async def finish(self, *, code: str, redirect_uri: str, nonce: str, verifier: str) -> Identity:
        """Exchange the code, check the ID token in every respect, and return who it is.

        Raises:
            SignInRequiredError: something is not as it must be.
        """
        ...

    async def aclose(self) -> None:
        """Let go of the connections. Safe to call twice."""
        ...
