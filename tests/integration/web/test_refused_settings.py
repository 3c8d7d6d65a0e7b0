"""Settings that would be taken and then do nothing, or something else."""

from __future__ import annotations

from dataclasses import replace

import pytest

from jules_job_manager.bootstrap.access import public_url
from jules_job_manager.errors import ConfigurationError
from jules_job_manager.settings.load import load_settings
from jules_job_manager.web.doors import reopen, require_known_endpoints

pytestmark = pytest.mark.integration


def _limited(settings, *entries: str):
    limits = replace(settings.rate_limits, enabled=True, endpoints=entries)
    return replace(settings, rate_limits=limits)


async def test_limits_of_endpoints_that_there_are(web, service):
    """With any names of what varies, or for one path alone."""
    entries = ("post /api/v1/tasks=20", "GET /api/v1/tasks/{x}=3", "GET /api/v1/tasks/7=3")
    require_known_endpoints(web, _limited(service.app.settings, *entries))


@pytest.mark.parametrize("entry", ["POST /api/v1/nosuch=20", "PUT /api/v1/tasks=20"])
async def test_a_limit_of_no_endpoint(web, service, entry):
    """At the start, and when the settings are read again: then all stays as it was."""
    settings = _limited(service.app.settings, entry)
    with pytest.raises(ConfigurationError, match="no such endpoint"):
        require_known_endpoints(web, settings)
    gate = web.state.gate
    with pytest.raises(ConfigurationError, match="no such endpoint"):
        await reopen(web, store=service.app.store, settings=settings, clock=service.app.clock)
    assert gate is web.state.gate


async def test_what_was_meant(web, service):
    """A slip is named with what there is."""
    with pytest.raises(ConfigurationError) as caught:
        require_known_endpoints(web, _limited(service.app.settings, "POST /api/v1/task=20"))
    assert "POST /api/v1/tasks?" in str(caught.value.hint)


@pytest.mark.parametrize(
    "address",
    ["foo", "foo.example/x", "ftp://h", "https://", "https://u:p@h", "https://h?x=1", "https://h#a", "https://h:x"],
)  # fmt: skip
def test_an_address_that_links_cannot_begin_with(environ, address):
    """Links would lead nowhere."""
    settings = load_settings({**environ, "JJM_SERVER__PUBLIC_URL": address})
    with pytest.raises(ConfigurationError, match=r"server\.public_url"):
        public_url(settings)


def test_an_address_that_links_can_begin_with(environ):
    """Behind a proxy it may have a path."""
    settings = load_settings({**environ, "JJM_SERVER__PUBLIC_URL": "https://h.example:8443/jjm/"})
    assert "https://h.example:8443/jjm" == public_url(settings)
