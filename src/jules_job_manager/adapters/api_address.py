"""Addresses of APIs that a secret is sent to."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from jules_job_manager.domain.masking import masked
from jules_job_manager.errors import ConfigurationError


def checked_address(
    text: str, *, setting: str, what: str, hint: str, secret: str, path_end: str = ""
) -> str:
    """Return the address without a final slash.

    Args:
        text: As it was configured.
        setting: Its name, for messages.
        what: Whose address it is, for messages: `GitHub's API`.
        hint: How it is to be written.
        secret: What is sent there, for messages: `key` or `token`.
        path_end: How its path must end.

    Raises:
        ConfigurationError: it is no http or https address of that form, or it would send the
            secret unencrypted to another machine.
    """
    address = text.strip().rstrip("/")
    try:
        parts = urlsplit(address)
        usable = parts.scheme in {"http", "https"} and parts.path.endswith(path_end)
        usable = usable and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable or parts.query or parts.fragment or parts.username or parts.password:
        raise ConfigurationError(
            f"{setting} {masked(text)!r} is not an address of {what}.", hint=hint
        )
    if parts.scheme == "http" and not _is_loopback(parts.hostname or ""):
        raise ConfigurationError(
            f"{setting} would send the {secret} unencrypted over the network.", hint="Use https."
        )
    return address


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
