"""A small OpenID Connect provider: real signatures, PKCE, codes that work once; wrong on purpose if told."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from urllib.parse import parse_qs, urlsplit

import httpx2
from fastapi import FastAPI, Request
from joserfc import jwt
from joserfc.jwk import RSAKey
from starlette.responses import JSONResponse

ISSUER = "https://id.example.org"
CLIENT = "jjm"
SECRET = "hunter22"


class Provider:
    """What it knows, and what it is to do wrong."""

    def __init__(self, now: int) -> None:
        self.now = now
        self.key = RSAKey.generate_key(2048, {"kid": "k1", "use": "sig"})
        self.claims: dict = {}
        """Members of the ID token that are other than they should be; None leaves one out."""
        self.sign = self.signed
        self.issuer = ISSUER
        self.asked: list[str] = []
        self._codes: dict[str, dict] = {}
        self.app = self._app()

    def transport(self) -> httpx2.ASGITransport:
        """Return what answers in place of the network."""
        return httpx2.ASGITransport(app=self.app)

    def approve(self, url: str) -> tuple[str, str]:
        """Sign the person in, who was sent to `url`; return the state and the code."""
        query = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
        assert ("code", CLIENT, "S256") == (
            query["response_type"], query["client_id"], query["code_challenge_method"]
        )  # fmt: skip
        assert "openid" in query["scope"].split()
        code = f"code-{len(self._codes)}"
        self._codes[code] = query
        return query["state"], code

    def signed(self, claims: dict) -> str:
        """Return a good token."""
        return jwt.encode({"alg": "RS256", "kid": self.key.kid}, claims, self.key)

    def unsigned(self, claims: dict) -> str:
        """Return a token of the algorithm `none`."""
        parts = ({"alg": "none", "kid": "k1"}, claims)
        return ".".join(_encoded(json.dumps(part).encode()) for part in parts) + "."

    def signed_by_its_public_key(self, claims: dict) -> str:
        """Return a token whose secret everybody knows: the public key."""
        parts = ({"alg": "HS256", "kid": "k1"}, claims)
        text = ".".join(_encoded(json.dumps(part).encode()) for part in parts)
        secret = self.key.as_pem(private=False)  # by hand: the library refuses to do this
        return f"{text}.{_encoded(hmac.digest(secret, text.encode(), 'sha256'))}"

    def signed_by_another(self, claims: dict) -> str:
        """Return a token by a key that only calls itself the right one."""
        other = RSAKey.generate_key(2048)
        return jwt.encode({"alg": "RS256", "kid": "k1"}, claims, other)

    def _app(self) -> FastAPI:
        app = FastAPI()

        @app.get("/.well-known/openid-configuration")
        async def describe():
            self.asked.append("describe")
            return {
                "issuer": self.issuer, "authorization_endpoint": f"{ISSUER}/authorize",
                "token_endpoint": f"{ISSUER}/token", "jwks_uri": f"{ISSUER}/keys",
            }  # fmt: skip

        @app.get("/keys")
        async def keys():
            self.asked.append("keys")
            return {"keys": [self.key.as_dict(private=False)]}

        @app.post("/token")
        async def token(request: Request):
            return self._token(
                request, {k: v[0] for k, v in parse_qs((await request.body()).decode()).items()}
            )

        return app

    def _token(self, request: Request, form: dict[str, str]) -> JSONResponse:
        query = self._codes.pop(form.get("code", ""), None)
        secret = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        challenge = _encoded(hashlib.sha256(form.get("code_verifier", "").encode()).digest())
        if (
            query is None
            or request.headers.get("authorization") != f"Basic {secret}"
            or challenge != query["code_challenge"]
            or form.get("redirect_uri") != query["redirect_uri"]
        ):
            return JSONResponse({"error": "invalid_grant"}, 400)
        claims = {
            "iss": ISSUER, "sub": "42", "aud": CLIENT, "iat": self.now, "exp": self.now + 300,
            "nonce": query["nonce"], "email": "Ada@example.org", "email_verified": True, **self.claims,
        }  # fmt: skip
        claims = {name: value for name, value in claims.items() if value is not None}
        return JSONResponse(
            {"access_token": "a", "token_type": "Bearer", "id_token": self.sign(claims)}
        )


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
