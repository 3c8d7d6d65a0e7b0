"""Where a request comes from, whatever its sender writes into it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import HTTPConnection

from jules_job_manager.errors import ConfigurationError
from jules_job_manager.web.addresses import (
    client_address,
    is_loopback,
    is_plain_loopback,
    limited_by,
    networks_from,
)

PROXIES = networks_from(["10.0.0.0/8", "fd00::1"], setting="s")


def connection(peer: str | None, *forwarded: str, scheme: str = "https", host: str = "h"):
    headers = [(b"x-forwarded-for", value.encode("latin-1", "replace")) for value in forwarded]
    return HTTPConnection(
        {
            "type": "http", "scheme": scheme, "path": "/", "query_string": b"", "server": (host, 80),
            "client": None if peer is None else (peer, 1), "headers": [*headers, (b"host", host.encode())],
        }
    )  # fmt: skip


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        (None, (), ""),
        ("192.0.2.1", ("1.1.1.1",), "192.0.2.1"),
        ("10.0.0.1", (), "10.0.0.1"),
        ("10.0.0.1", ("1.1.1.1",), "1.1.1.1"),
        ("10.0.0.1", ("6.6.6.6, 1.1.1.1, 10.0.0.2",), "1.1.1.1"),
        ("10.0.0.1", ("6.6.6.6", "1.1.1.1"), "1.1.1.1"),
        ("10.0.0.1", ("6.6.6.6, evil",), "10.0.0.1"),
        ("10.0.0.1", ("10.0.0.3, 10.0.0.2",), "10.0.0.3"),
        ("fd00::1", ("[2001:db8::7]:4711",), "2001:db8::7"),
        ("10.0.0.1", ("1.1.1.1:80",), "1.1.1.1"),
        ("10.0.0.1", ("2001:db8::7",), "2001:db8::7"),
        ("fd00::2", ("1.1.1.1",), "fd00::2"),
    ],
)
def test_addresses(peer, forwarded, address):
    """From the end, as far as trusted proxies wrote it."""
    assert address == client_address(connection(peer, *forwarded), PROXIES)


@given(st.text(), st.lists(st.text(), max_size=3))
def test_any_header(peer, forwarded):
    """Anything may be written into it."""
    client_address(connection(peer, *forwarded), PROXIES)
    assert isinstance(client_address(connection("10.0.0.1", *forwarded), PROXIES), str)
    assert limited_by(peer)


def test_what_is_counted_together():
    """All of a network of IPv6; an IPv4 address however it is written."""
    assert (
        limited_by("2001:db8::1") == limited_by("2001:db8::ffff:1") != limited_by("2001:db8:0:1::1")
    )
    assert "1.2.3.4" == limited_by("::ffff:1.2.3.4") == limited_by("1.2.3.4")
    assert "unknown" == limited_by("")


@pytest.mark.parametrize("text", ["", "x", "10.0.0.0/33", "10.0.0.1:80"])
def test_networks_that_are_none(text):
    """Said with the setting."""
    with pytest.raises(ConfigurationError, match=r"access\.trusted_proxies"):
        networks_from([text], setting="access.trusted_proxies")


@pytest.mark.parametrize(
    ("peer", "scheme", "host", "is_it"),
    [
        ("127.0.0.1", "http", "localhost", True), ("::1", "http", "[::1]", True), ("127.0.0.1", "http", "127.0.0.1", True),
        ("127.0.0.1", "https", "localhost", False), ("127.0.0.1", "http", "jjm.example.org", False),
        ("10.0.0.1", "http", "localhost", False), (None, "http", "localhost", False),
    ],
)  # fmt: skip
def test_this_machine_without_https(peer, scheme, host, is_it):
    """Only when all three say so."""
    assert is_it == is_plain_loopback(connection(peer, scheme=scheme, host=host))


def test_names_of_this_machine():
    """And those that only look like it."""
    assert is_loopback("localhost")
    assert not is_loopback("localhost.example.org")
