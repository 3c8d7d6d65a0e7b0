"""What is said of a connection to a service that could not be made, or broke."""

from __future__ import annotations

import httpx2
import pytest
from tests.clocks import FakeClock

from jules_job_manager.client.connection import Connection
from jules_job_manager.errors import ServiceUnreachableError

HTTP, HTTPS = "http://127.0.0.1:8787", "https://jjm.example.org"


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("address", "error", "words"),
    [
        (HTTPS, httpx2.ConnectError("[SSL: CERTIFICATE_VERIFY_FAILED] unable to get local issuer"), "SSL_CERT_FILE"),
        (HTTP, httpx2.RemoteProtocolError("Server disconnected without sending a response."), "with https://"),
        (HTTPS, httpx2.ConnectError("[SSL: WRONG_VERSION_NUMBER] wrong version number"), "with http://"),
        (HTTPS, httpx2.RemoteProtocolError("Server disconnected without sending a response."), "jjm serve"),
        (HTTP, httpx2.ConnectError(""), "jjm serve"),
    ],
)  # fmt: skip
async def test_the_hint_fits_the_error(address, error, words):
    """One sentence that ends once, and what to do about just that."""

    def broken(request):
        raise error

    transport = httpx2.MockTransport(broken)
    connection = Connection(
        address, api_key="", timeout_seconds=1, transport=transport, clock=FakeClock()
    )
    with pytest.raises(ServiceUnreachableError) as caught:
        await connection.json("GET", "/x")
    assert words in str(caught.value.hint)
    assert ".." not in caught.value.message
    await connection.aclose()
