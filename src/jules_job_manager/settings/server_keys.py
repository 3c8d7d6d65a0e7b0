"""Which key a service gets: one that was given for its address, and no other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, kw_only=True, slots=True)
class GivenKey:
    """What one place of settings (the file, the environment …) says of a service."""

    origin: str
    """How the place is called."""
    server: str = ""
    key: str = ""
    is_passing: bool = False
    """Whether it is for one run, as the environment is: its key may come without an address."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ChosenKey:
    """The key for an address; without one, why a key that is known is not for it."""

    key: str = ""
    origin: str = ""
    withheld: str = ""
    """One sentence about the key that was not used; empty: there is none, or one was found."""


def chosen_key(server: str, places: Sequence[GivenKey], kept: Mapping[str, str]) -> ChosenKey:
    """Return the key for a service.

    A key belongs to the address that its own place gives, else to that of the places under it. One
    of the environment that no address stands beside or under is for whatever service is named.

    Args:
        server: Address of the service.
        places: What each place says, those that count most first.
        kept: Keys of `[servers]`, by address.
    """
    withheld = ""
    for number, place in enumerate(places):
        if not place.key:
            continue
        address = next((under.server for under in places[number:] if under.server), "")
        if (not address and place.is_passing) or (address and is_same(address, server)):
            return ChosenKey(key=place.key, origin=place.origin)
        whose = f"is for {address}" if address else "has no address beside it"
        withheld = withheld or f"The key from {place.origin} {whose}, so {server} does not get it."
    for address, key in kept.items():
        if is_same(address, server):
            return ChosenKey(key=key, origin=f'[servers."{address}"]')
    return ChosenKey(withheld=withheld)


def is_same(one: str, other: str) -> bool:
    """Whether two addresses have the same scheme, host and port; what is no address has none."""
    origin = _origin(one)
    return origin is not None and origin == _origin(other)


def _origin(address: str) -> tuple[str, str, int | None] | None:
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        return None
    if not parts.scheme or not parts.hostname:
        return None
    return parts.scheme, parts.hostname, port or _PORTS.get(parts.scheme)
