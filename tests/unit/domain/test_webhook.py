"""What is sent by webhooks, when again, and to which addresses."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jules_job_manager.domain.event import Event
from jules_job_manager.domain.masking import masked
from jules_job_manager.domain.webhook import (
    RETRY_AFTER,
    WebhookEndpoint,
    body_of,
    is_usable_url,
    message_id,
    wait_after,
)

NOW = datetime(2026, 11, 24, tzinfo=UTC)


def test_the_body():
    """It is the form that Standard Webhooks recommends, and the same text every time."""
    event = Event(id=7, type="t", subject="task:1", at=NOW, actor="a", data={"b": 1, "a": "\ud800"})
    text = body_of(event)
    assert text.isascii()
    assert text == body_of(event)
    assert {
        "type": "t", "timestamp": "2026-11-24T00:00:00.000000Z",
        "data": {"id": 7, "subject": "task:1", "actor": "a", "data": {"b": 1, "a": "\ud800"}},
    } == json.loads(text)  # fmt: skip
    assert "msg_x_7" == message_id("we_x", 7)


@given(st.floats(0, 1))
def test_waits_grow_over_a_day_and_end(chance):
    """Each is longer than the one before, whatever the jitter, and the last one is known."""
    waits = [wait_after(tries, chance) for tries in range(1, len(RETRY_AFTER) + 2)]
    assert waits[-1] is None
    given_waits = [wait for wait in waits if wait is not None]
    assert sorted(given_waits) == given_waits
    assert timedelta(hours=20) < sum(given_waits, timedelta()) < timedelta(hours=40)


def test_two_secrets_while_one_is_replaced():
    """And only the new one afterwards."""
    endpoint = WebhookEndpoint(
        id="we_1", url="https://h", created_at=NOW, secret="new", old_secret="old",
        old_secret_until=NOW,
    )  # fmt: skip
    assert ("new", "old") == endpoint.secrets_at(NOW - timedelta(seconds=1))
    assert ("new",) == endpoint.secrets_at(NOW)
    assert "new" not in json.dumps(endpoint.to_dict())


@pytest.mark.parametrize("url", ["https://h/x?y=1", "http://127.0.0.1:8000", "https://[::1]/"])
def test_addresses(url):
    """Http and https, anywhere."""
    assert is_usable_url(url)


@pytest.mark.parametrize("url", [
    "", "h/x", "ftp://h", "file:///etc/passwd", "https://", "https://u:p@h", "https://h:x", "https://h:0",
    "https://h/#f", "https://h/ x", "https://h/\r\nX: y", "https://h/" + "x" * 2000, "https://[::1", "javascript:x",
])  # fmt: skip
def test_what_is_no_address(url):
    """It is refused before anything is sent."""
    assert not is_usable_url(url)


def test_secrets_are_masked_by_their_form():
    """In logs and errors, wherever they come from."""
    text = masked("secret is whsec_v5FJ5LQRaq0ctTqU8UyAeVi2iZ+L1Ex6KqmPcNzVyhY=, see")
    assert "v5FJ5" not in text
    assert text.endswith(", see")
