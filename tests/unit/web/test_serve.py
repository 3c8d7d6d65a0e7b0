"""Where the service listens, and when it refuses to."""

from __future__ import annotations

import socket
from dataclasses import replace

import pytest

from jules_job_manager.errors import ConfigurationError
from jules_job_manager.settings.model import MetricsSettings, ServerSettings
from jules_job_manager.web.metrics import require_safe_metrics
from jules_job_manager.web.serve import address_of, is_loopback, open_socket, require_safe


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
def test_this_machine_alone_needs_no_certificate(host):
    """Keys that stay on the machine are not read by others."""
    assert is_loopback(host)
    require_safe(ServerSettings(host=host))


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.7", "example.org", ""])
def test_a_network_needs_tls_or_a_proxy(host):
    """Without it a key would travel in clear text, so it is refused with what to do."""
    with pytest.raises(ConfigurationError, match="clear text") as refused:
        require_safe(ServerSettings(host=host))
    assert "server.tls_certificate" in refused.value.hint
    require_safe(ServerSettings(host=host, behind_proxy=True))


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.7", "example.org", ""])
def test_metrics_on_a_network_are_wanted_by_name(host):
    """No key is asked for on their port, so it is refused with what to do."""
    given = MetricsSettings(host=host, port=9090)
    with pytest.raises(ConfigurationError, match="without a key") as refused:
        require_safe_metrics(given)
    assert "metrics.allow_public" in refused.value.hint
    for safe in ({"allow_public": True}, {"port": 0}, {"enabled": False}, {"host": "::1"}):
        require_safe_metrics(replace(given, **safe))


def test_files_of_tls(tmp_path):
    """Both are there, and the key is its owner's alone."""
    certificate, key = tmp_path / "c.pem", tmp_path / "k.pem"
    given = ServerSettings(host="0.0.0.0", tls_certificate=str(certificate), tls_key=str(key))
    with pytest.raises(ConfigurationError, match="both"):
        require_safe(replace(given, tls_key=""))
    with pytest.raises(ConfigurationError, match="not there"):
        require_safe(given)
    certificate.write_text("")
    key.write_text("")
    key.chmod(0o644)
    with pytest.raises(ConfigurationError, match="Others can read"):
        require_safe(given)
    key.chmod(0o600)
    require_safe(given)


def test_a_port_that_is_taken_is_said():
    """With another one as the way out."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ConfigurationError, match=f"port {port}"):
            open_socket(ServerSettings(port=port))


def test_the_address_that_is_shown_works_on_this_machine():
    """Every address of the machine is shown as one of its own."""
    settings = ServerSettings(host="0.0.0.0", port=0)
    with open_socket(settings) as listener:
        assert address_of(listener, settings).startswith("http://127.0.0.1:")
    settings = replace(settings, tls_certificate="c")
    with open_socket(settings) as listener:
        assert address_of(listener, settings).startswith("https://127.0.0.1:")
