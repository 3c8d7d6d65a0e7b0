"""Which addresses webhooks may go to."""

from __future__ import annotations

import ipaddress

import pytest

from jules_job_manager.adapters.outside_addresses import AllowedPrivate, is_outside
from jules_job_manager.errors import ConfigurationError

INSIDE = [
    "127.0.0.1", "127.1.2.3", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254",
    "100.100.100.200", "168.63.129.16", "192.0.0.192", "224.0.0.1", "239.1.1.1", "255.255.255.255", "198.18.0.1",
    "::", "::1", "fe80::1", "fd00:ec2::254", "fc00::1", "ff02::1", "ff0e::1",
    "::ffff:127.0.0.1", "::ffff:169.254.169.254", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "2002:7f00:1::",
    "2001:0:7f00:1::1", "2001:db8::1",
]  # fmt: skip
OUTSIDE = ["1.1.1.1", "93.184.216.34", "2606:4700::1111", "::ffff:1.1.1.1", "64:ff9b::101:101"]


@pytest.mark.parametrize("text", INSIDE)
def test_inside(text):
    """Loopback, private, link-local, multicast, metadata, and each of them in disguise."""
    assert not is_outside(ipaddress.ip_address(text))


@pytest.mark.parametrize("text", OUTSIDE)
def test_outside(text):
    """Public addresses are not in the way."""
    assert is_outside(ipaddress.ip_address(text))


def test_what_is_allowed():
    """By the name of the host, or by address or network; nothing else."""
    allowed = AllowedPrivate(["Hooks.Internal", "10.0.0.0/8", "::1"])
    assert allowed.allows("hooks.internal.", ipaddress.ip_address("192.168.0.1"))
    assert allowed.allows("x", ipaddress.ip_address("10.9.9.9"))
    assert allowed.allows("localhost", ipaddress.ip_address("::1"))
    assert not allowed.allows("x.hooks.internal", ipaddress.ip_address("192.168.0.1"))
    assert not allowed.allows("localhost", ipaddress.ip_address("127.0.0.1"))
    for wrong in ("", "10.0.0.0/99", "a b", "http://x/"):
        with pytest.raises(ConfigurationError, match="allow_private"):
            AllowedPrivate([wrong])
