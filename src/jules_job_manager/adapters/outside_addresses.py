"""Which addresses a request that users ask for may go to, and which would reach into the network."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Awaitable, Callable, Sequence

from jules_job_manager.errors import ConfigurationError

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolver = Callable[[str, int], Awaitable[Sequence[str]]]
"""Returns the addresses of a host, in the order in which to try them; OSError: there are none."""
_METADATA = frozenset({ipaddress.ip_address("168.63.129.16")})
"""Metadata services at addresses that look public. Source: learn.microsoft.com, "What is IP address
168.63.129.16?", read 2026-11. The others are link-local or private."""
_SPECIAL = tuple(map(ipaddress.ip_network, ("192.0.0.0/24", "64:ff9b:1::/48")))
"""Not of the public network, which Python before 3.13 does not know. Source: IANA's registries of
special-purpose addresses, read 2026-11."""
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
"""An IPv4 address in the last 32 bits. Source: RFC 6052, section 2.1."""


class AllowedPrivate:
    """What users allow in spite of its address: names of hosts, addresses and networks."""

    def __init__(self, entries: Sequence[str]) -> None:
        """Read the entries.

        Raises:
            ConfigurationError: one is no name, address or network.
        """
        self._hosts: set[str] = set()
        self._networks: list[ipaddress.IPv4Network | ipaddress.IPv6Network] = []
        for entry in entries:
            try:
                self._networks.append(ipaddress.ip_network(entry.strip("[]")))
            except ValueError:
                if "/" in entry or not entry.strip() or " " in entry:
                    raise ConfigurationError(
                        f"webhooks.allow_private {entry!r} is no host, address or network.",
                        hint="Write it as hooks.example.org, 10.1.2.3 or 10.0.0.0/8.",
                    ) from None
                self._hosts.add(entry.strip().rstrip(".").lower())

    def allows(self, host: str, address: Address) -> bool:
        """Return whether this address of the host is allowed by name."""
        return host.rstrip(".").lower() in self._hosts or any(
            address in network for network in self._networks
        )

    def may_allow(self, host: str) -> bool:
        """Return whether some address of this host could be allowed."""
        return host.rstrip(".").lower() in self._hosts or bool(self._networks)


def literal_address(host: str) -> Address | None:
    """Return the address that a host is by itself, in any form that systems take; None: it is a name."""
    plain = host.strip("[]").rstrip(".").lower()
    if plain == "localhost" or plain.endswith(".localhost"):  # RFC 6761, section 6.3
        return ipaddress.IPv4Address("127.0.0.1")
    try:
        return ipaddress.ip_address(plain.partition("%")[0])
    except ValueError:
        pass
    try:
        return ipaddress.IPv4Address(socket.inet_aton(plain))  # 127.1, 0x7f000001, 2130706433
    except OSError:
        return None


def is_outside(address: Address) -> bool:
    """Return whether the address is one of the public network, whatever it is wrapped in."""
    inner = _wrapped(address)
    if inner is not None:
        return is_outside(inner)
    is_special = address in _METADATA or any(address in network for network in _SPECIAL)
    return address.is_global and not address.is_multicast and not is_special


def _wrapped(address: Address) -> Address | None:
    if isinstance(address, ipaddress.IPv4Address):
        return None
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    teredo = address.teredo[1] if address.teredo is not None else None
    return address.ipv4_mapped or address.sixtofour or teredo


async def system_resolver(host: str, port: int) -> Sequence[str]:
    """Ask the system for the addresses of a host."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(entry[4][0]) for entry in found]
