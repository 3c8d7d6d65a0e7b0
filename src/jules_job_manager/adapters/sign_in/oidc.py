"""OpenID Connect: authorization code with PKCE, state and nonce.

Source: OpenID Connect Core 1.0 section 3.1, Discovery 1.0 section 4, RFC 7636 and RFC 9700 (OAuth
security), read 2026-11. Signatures are checked by joserfc and claims by Authlib; symmetric
algorithms and `none` are never accepted, whatever the token or the provider says.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode, urlsplit

import httpx2

from jules_job_manager.adapters.api_address import checked_address
from jules_job_manager.errors import ConfigurationError, MissingExtraError, SignInRequiredError
from jules_job_manager.ports.clock import Clock
from jules_job_manager.ports.identity_provider import Identity

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "Ed25519", "EdDSA")  # fmt: skip
LEEWAY_SECONDS = 60
"""How far the clocks of provider and server may differ."""
KNOWN_SECONDS = 3600.0
"""How long the provider's description and keys are believed without asking again."""
KEYS_REST_SECONDS = 60.0
"""Least time between two readings of the keys, however many unknown keys tokens name."""
_ANSWER_SECONDS = 10.0
_MOST_BYTES = 1_000_000


def open_provider(
    *,
    issuer: str,
    client_id: str,
    client_secret: str,
    scopes: Sequence[str],
    clock: Clock,
    transport: httpx2.AsyncBaseTransport | None = None,
) -> OidcProvider:
    """Return the provider; nothing is sent before somebody signs in.

    Args:
        issuer: Its address, exactly as it calls itself.
        client_id: This server's id there.
        client_secret: Its secret; empty for a public client.
        scopes: What is asked for; `openid` is added.
        clock: Tells the time tokens are checked by.
        transport: What answers in place of the network.

    Raises:
        ConfigurationError: issuer or client id cannot be used.
        MissingExtraError: the library is not installed.
    """
    try:
        import authlib.oidc.core  # type: ignore[import-untyped] # noqa: F401 - names the extra
    except ImportError as exc:
        raise MissingExtraError("Signing in with OpenID Connect", "oidc") from exc
    checked_address(
        issuer, setting="access.oidc_issuer", what="an OpenID Connect provider",
        hint="Write it as the provider's documents have it: https://accounts.example.org",
        secret="client secret",  # noqa: S106 - what it is called in messages
    )  # fmt: skip
    if not client_id:
        raise ConfigurationError(
            "access.oidc_client_id is empty.", hint="Register this server at the provider."
        )
    http = httpx2.AsyncClient(
        timeout=_ANSWER_SECONDS, transport=transport, follow_redirects=False,
        headers={"Accept": "application/json"},
    )  # fmt: skip
    asked = ("openid", *(scope for scope in scopes if scope != "openid"))
    return OidcProvider(
        issuer=issuer, client_id=client_id, client_secret=client_secret, scopes=asked, clock=clock, http=http
    )  # fmt: skip


class OidcProvider:
    """The IdentityProvider port."""

    def __init__(
        self, *, issuer: str, client_id: str, client_secret: str, scopes: Sequence[str], clock: Clock,
        http: httpx2.AsyncClient,
    ) -> None:  # fmt: skip
        """Use `open_provider`."""
        self._issuer = issuer
        self._client_id = client_id
        self._client_secret = client_secret
        self._scopes = scopes
        self._clock = clock
        self._http = http
        self._described: dict[str, Any] = {}
        self._described_at = 0.0
        self._keys: dict[str, Any] = {}
        self._keys_at = 0.0
        self._one_at_a_time = asyncio.Lock()

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def start(self, *, redirect_uri: str, state: str, nonce: str, verifier: str) -> str:
        """Return the address to send the person to."""
        from authlib.oauth2.rfc7636 import (  # type: ignore[import-untyped]
            create_s256_code_challenge,
        )

        description = await self._description()
        query = {
            "response_type": "code", "client_id": self._client_id, "redirect_uri": redirect_uri,
            "scope": " ".join(self._scopes), "state": state, "nonce": nonce,
            "code_challenge": create_s256_code_challenge(verifier), "code_challenge_method": "S256",
        }  # fmt: skip
        endpoint = description["authorization_endpoint"]
        return f"{endpoint}{'&' if urlsplit(endpoint).query else '?'}{urlencode(query)}"

    async def finish(self, *, code: str, redirect_uri: str, nonce: str, verifier: str) -> Identity:
        """Exchange the code, check the ID token, and return who it is."""
        description = await self._description()
        form = {
            "grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri,
            "code_verifier": verifier, "client_id": self._client_id,
        }  # fmt: skip
        auth = None
        if self._client_secret and self._sends_secret_in_form(description):
            form["client_secret"] = self._client_secret
        elif self._client_secret:
            auth = httpx2.BasicAuth(self._client_id, self._client_secret)
        answer = await self._json("POST", description["token_endpoint"], form=form, auth=auth)
        token, access = answer.get("id_token"), answer.get("access_token")
        if not isinstance(token, str):
            raise _refused("its answer has no ID token")
        claims = await self._checked(token, nonce=nonce, access_token=access)
        verified = claims.get("email_verified")
        return Identity(
            issuer=self._issuer, subject=str(claims["sub"]), email=str(claims.get("email") or ""),
            is_email_verified=verified is True or verified == "true", claims=claims,
        )  # fmt: skip

    async def _checked(self, token: str, *, nonce: str, access_token: Any) -> Mapping[str, Any]:
        from authlib.oidc.core import CodeIDToken
        from joserfc import jwt
        from joserfc.errors import JoseError

        try:
            keys = await self._key_set(_key_id(token))
            found = jwt.decode(token, keys, algorithms=list(ALGORITHMS))
            options = {
                "iss": {"essential": True, "value": self._issuer},
                "aud": {"essential": True, "value": self._client_id},
            }
            params = {"nonce": nonce, "client_id": self._client_id, "access_token": access_token}
            claims = CodeIDToken(found.claims, found.header, options, params)
            claims.validate(now=int(self._clock.now().timestamp()), leeway=LEEWAY_SECONDS)
        except (JoseError, ValueError, TypeError, KeyError) as exc:
            raise _refused(f"its ID token is not good ({type(exc).__name__})") from exc
        return dict(found.claims)

    async def _key_set(self, key_id: str | None) -> Any:
        from joserfc.jwk import KeySet

        async with self._one_at_a_time:
            age = self._clock.monotonic_seconds() - self._keys_at
            known = {key.get("kid") for key in self._keys.get("keys", ())}
            is_new = key_id is not None and key_id not in known and age >= KEYS_REST_SECONDS
            if not self._keys or age >= KNOWN_SECONDS or is_new:
                self._keys = await self._json("GET", (await self._description())["jwks_uri"])
                self._keys_at = self._clock.monotonic_seconds()
        return KeySet.import_key_set({"keys": _signing_keys(self._keys)})

    async def _description(self) -> dict[str, Any]:
        age = self._clock.monotonic_seconds() - self._described_at
        if not self._described or age >= KNOWN_SECONDS:
            address = f"{self._issuer.rstrip('/')}/.well-known/openid-configuration"
            found = await self._json("GET", address)
            if found.get("issuer") != self._issuer:
                raise _refused("it calls itself by another issuer")
            for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
                self._require_safe(found.get(name), name)
            self._described = found
            self._described_at = self._clock.monotonic_seconds()
        return self._described

    def _require_safe(self, address: Any, name: str) -> None:
        try:
            checked_address(
                str(address or "").partition("?")[0], setting=name, what="the provider", hint="",
                secret="client secret",  # noqa: S106 - as above
            )  # fmt: skip
        except ConfigurationError as exc:
            raise _refused(f"its {name} is no safe address") from exc

    def _sends_secret_in_form(self, description: Mapping[str, Any]) -> bool:
        """Whether the provider takes the secret in the form only; the default is the header."""
        methods = description.get("token_endpoint_auth_methods_supported")
        return isinstance(methods, list) and "client_secret_basic" not in methods

    async def _json(
        self, method: str, address: str, *, form: Mapping[str, str] | None = None,
        auth: httpx2.BasicAuth | None = None,
    ) -> dict[str, Any]:  # fmt: skip
        try:
            response = await self._http.request(
                method, address, data=None if form is None else dict(form), auth=auth
            )
            found = response.json() if len(response.content) <= _MOST_BYTES else None
        except (httpx2.RequestError, httpx2.InvalidURL) as exc:
            raise _refused(f"it cannot be reached ({type(exc).__name__})") from exc
        except ValueError as exc:
            raise _refused("its answer is no JSON") from exc
        if response.status_code != 200 or not isinstance(found, dict):
            raise _refused(f"it answered with {response.status_code}")
        return found


def _refused(why: str) -> SignInRequiredError:
    return SignInRequiredError(
        f"The sign-in provider cannot be relied on: {why}.",
        hint="Try again; if it stays so, an admin can look at the log, or make a link: jjm key link",
        context={"given": "oidc"},
    )


def _key_id(token: str) -> str | None:
    """Return which key a token names. It is only used to look for newer keys."""
    import base64
    import json

    head = token.partition(".")[0]
    header = json.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)))
    found = header.get("kid") if isinstance(header, dict) else None
    return found if isinstance(found, str) else None


def _signing_keys(keys: Mapping[str, Any]) -> list[Any]:
    """Return the public keys that may sign; a symmetric key must never be taken from the network."""
    found = [
        key
        for key in keys.get("keys", ())
        if isinstance(key, dict)
        and key.get("kty") in {"RSA", "EC", "OKP"}
        and key.get("use") != "enc"
    ]
    if not found:
        raise ValueError("there is no key")
    return found
