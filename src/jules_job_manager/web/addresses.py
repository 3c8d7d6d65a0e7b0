"""Where a request comes from, and what that says about the browser's cookies."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

from starlette.requests import HTTPConnection

from jules_job_manager.errors import ConfigurationError

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_MOST_HOPS = 20


def networks_from(texts: Sequence[str], *, setting: str) -> tuple[Network, ...]:
    """Read addresses and networks.

    Raises:
        ConfigurationError: one is neither.
    """
    found: list[Network] = []
    for text in texts:
        try:
            found.append(ipaddress.ip_network(text.strip(), strict=False))
        except ValueError as exc:
            raise ConfigurationError(
                f"{setting} has {text!r}, which is no address or network.",
                hint="Write it as 10.0.0.7 or 10.0.0.0/8.",
            ) from exc
    return tuple(found)


def client_address(connection: HTTPConnection, trusted: Sequence[Network]) -> str:
    """Return the address a request came from, or an empty text when nothing says it.

    X-Forwarded-For is believed only from trusted proxies: it is read from its end, where the nearest
    proxy wrote, up to the first address that is no trusted proxy. What stands before that, the
    client may have made up.
    Source: developer.mozilla.org, X-Forwarded-For, "Selecting an IP address", read 2026-11.
    """
    peer = connection.client.host if connection.client else ""
    if not is_within(peer, trusted):
        return peer
    header = ",".join(connection.headers.getlist("x-forwarded-for"))
    hops = [hop.strip() for hop in header.split(",") if hop.strip()][-_MOST_HOPS:]
    found = peer
    for hop in reversed(hops):
        host = _host_of(hop)
        if host is None:
            break
        found = host
        if not is_within(host, trusted):
            break
    return found


def limited_by(address: str) -> str:
    """Return what requests of an address are counted under: itself, and of IPv6 its /64 network.

    One subscriber has a whole /64, so single addresses would be no limit. Source: RFC 6177.
    """
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address or "unknown"
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped is not None:
            return str(found.ipv4_mapped)
        return str(ipaddress.ip_network((found, 64), strict=False))
    return str(found)


def is_within(address: str, networks: Sequence[Network]) -> bool:
    """Whether an address is in one of the networks."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    return any(found in network for network in networks if network.version == found.version)


def is_plain_loopback(connection: HTTPConnection) -> bool:
    """Whether the browser runs on this machine and speaks http: secure cookies do not work there."""
    host = connection.url.hostname or ""
    peer = connection.client.host if connection.client else ""
    is_plain = connection.url.scheme in {"http", "ws"}
    return is_plain and is_loopback(host) and is_loopback(peer)


def is_loopback(host: str) -> bool:
    """Whether a name or address is this machine's own."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def _host_of(hop: str) -> str | None:
    """Return the address in an entry of X-Forwarded-For, with or without a port, or None."""
    bare = hop[1 : hop.find("]")] if hop.startswith("[") else hop
    if bare.count(":") == 1:
        bare = bare.partition(":")[0]
    try:
        return str(ipaddress.ip_address(bare))
    except ValueError:
        return None
