"""Hiding secrets in texts that are shown or logged."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from urllib.parse import quote

MASK = "********"
SHORTEST_SECRET = 4
"""Shorter texts are left alone: masking every `1` would hide more than it saves."""
_RULES = (
    # user:password@ or token@ in an address. Source: RFC 3986, section 3.2.1. What stands for them in
    # our own hints is left: USER@ and USER:PASSWORD@, and below the value "…".
    (re.compile(r"(?<=://)(?!USER(?::PASSWORD)?@)[^/@\s'\"]+(?=@)"), MASK),
    (re.compile(r"\b(Bearer|Basic)\s+[A-Za-z0-9._~+/=-]{4,}", re.IGNORECASE), rf"\1 {MASK}"),
    # GitHub's tokens. Source: github.blog/changelog/2021-03-31-authentication-token-format-updates-are-
    # generally-available, read 2026-11. Short ones are names of things, such as `ghs_build`.
    (re.compile(r"\b(?:gh[pousr]|github_pat)_[A-Za-z0-9_]{20,}"), MASK),
    # Our own API keys, sign-in links and sessions; see domain/access.py.
    (re.compile(r"\bjjm_[a-z0-9]{8}_[A-Za-z0-9_-]{43}"), MASK),
    # Secrets of webhooks. Source: Standard Webhooks, "Signature scheme", read 2026-11.
    (re.compile(r"\bwhsec_[A-Za-z0-9+/=]{16,}"), MASK),
    # Header and query parameter of Google's APIs, and what others call theirs.
    (
        re.compile(
            r"\b((?:x-goog-api-key|x-api-key|api[_-]?key|access[_-]?token|password|passwd|secret)"
            r"['\"]?\s*[=:]\s*['\"]?|[?&](?:key|token)=)(?!…['\"])[^\s'\"&,;)}\]]+",
            re.IGNORECASE,
        ),
        rf"\1{MASK}",
    ),
)


def masked(text: str, secrets: Sequence[str] = ()) -> str:
    """Return `text` without what is a secret by its form, nor any of `secrets` (4 characters up)."""
    for secret in sorted((s for s in secrets if len(s) >= SHORTEST_SECRET), key=len, reverse=True):
        text = text.replace(secret, MASK)
    for rule, replacement in _RULES:
        text = rule.sub(replacement, text)
    return text


class KnownSecrets:
    """The secrets of this program, for everything that shows or writes texts.

    It grows while the program runs: a secret that was replaced must not be shown either.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        """Know these."""
        self._known: frozenset[str] = frozenset()
        self._ordered: tuple[str, ...] = ()
        self.add(secrets)

    def add(self, secrets: Iterable[str]) -> None:
        """Know more: each as it is, as it stands in an address, and each of its longer lines."""
        found = set(self._known)
        for secret in secrets:
            forms = {secret, quote(secret, safe=""), *_lines(secret)}
            found |= {form for form in forms if len(form) >= SHORTEST_SECRET}
        self._known = frozenset(found)
        self._ordered = tuple(sorted(found, key=len, reverse=True))

    def masked(self, text: str) -> str:
        """Return `text` without any of them, nor what is a secret by its form."""
        return masked(text, self._ordered)


LONG_LINE = 16
"""A line of a secret, such as of a private key, that is as long is a secret by itself."""


def _lines(secret: str) -> list[str]:
    lines = [line.strip() for line in secret.splitlines()]
    return [
        line for line in lines if len(lines) > 1 and len(line) >= LONG_LINE and "-----" not in line
    ]
