"""Hiding secrets in texts that are shown or logged."""

from __future__ import annotations

import re
from collections.abc import Sequence

MASK = "********"
SHORTEST_SECRET = 4
"""Shorter texts are left alone: masking every `1` would hide more than it saves."""
_RULES = (
    # user:password@ or token@ in an address. Source: RFC 3986, section 3.2.1.
    (re.compile(r"(?<=://)[^/@\s'\"]+(?=@)"), MASK),
    (re.compile(r"\b(Bearer|Basic)\s+[A-Za-z0-9._~+/=-]{4,}", re.IGNORECASE), rf"\1 {MASK}"),
    # GitHub's tokens. Source: github.blog/changelog/2021-03-31-authentication-token-format-updates-are-
    # generally-available, read 2026-11. Short ones are names of things, such as `ghs_build`.
    (re.compile(r"\b(?:gh[pousr]|github_pat)_[A-Za-z0-9_]{20,}"), MASK),
    # Secrets of webhooks. Source: Standard Webhooks, "Signature scheme", read 2026-11.
    (re.compile(r"\bwhsec_[A-Za-z0-9+/=]{16,}"), MASK),
    # Header and query parameter of Google's APIs, and what others call theirs.
    (
        re.compile(
            r"\b((?:x-goog-api-key|x-api-key|api[_-]?key|access[_-]?token|password|passwd|secret)"
            r"['\"]?\s*[=:]\s*['\"]?|[?&](?:key|token)=)[^\s'\"&,;)}\]]+",
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
