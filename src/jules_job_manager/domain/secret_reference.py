"""A setting that only says where its secret is kept, such as `file:/run/secrets/jules`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

SCHEMES: Mapping[str, str] = {
    "env": "env:NAME, the name of a variable",
    "file": "file:/PATH, an absolute path or one that begins with ~",
    "keyring": "keyring:SERVICE/NAME",
    "vault": "vault:PATH#FIELD",
    "aws": "aws:NAME or aws:NAME#FIELD",
}
"""Where secrets may be kept, and how a reference to each is written."""
_FORMS: Mapping[str, re.Pattern[str]] = {
    "env": re.compile(r"(?P<name>[A-Za-z_][A-Za-z0-9_]*)"),
    "file": re.compile(r"(?P<name>[/~][^\x00-\x1f]*)"),
    "keyring": re.compile(r"(?P<name>[^/#\x00-\x1f]+/[^\x00-\x1f]+)"),
    # What the path of a URL may hold as it is, without `.` and `..` as segments.
    "vault": re.compile(
        r"(?P<name>(?!\.{1,2}(?:/|#))[\w.~@+-]+(?:/(?!\.{1,2}(?:/|#))[\w.~@+-]+)*)#(?P<field>[^#\x00-\x1f]+)"
    ),
    # Source: docs.aws.amazon.com/secretsmanager, CreateSecret "Name" (and ARNs), read 2026-11.
    "aws": re.compile(r"(?P<name>[\w/+=.@:-]{1,2048})(?:#(?P<field>[^#\x00-\x1f]+))?"),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class SecretReference:
    """Where one secret is kept."""

    scheme: str
    name: str
    field: str = ""
    """Of a secret that holds several; empty: the whole."""

    def __str__(self) -> str:
        return f"{self.scheme}:{self.name}" + (f"#{self.field}" if self.field else "")


def is_reference(value: str) -> bool:
    """Return whether a value begins like a reference; anything else is the secret itself."""
    return value.partition(":")[0] in SCHEMES and ":" in value


def reference_from(value: str) -> SecretReference:
    """Read a value that begins like a reference.

    Raises:
        ValueError: it is not written like one; the text says how, and never what was written.
    """
    scheme, _, rest = value.strip().partition(":")
    found = _FORMS[scheme].fullmatch(rest)
    if found is None:
        raise ValueError(f"write it as {SCHEMES[scheme]}")
    members = found.groupdict()
    return SecretReference(scheme=scheme, name=members["name"], field=members.get("field") or "")
