"""The example of the page on webhooks works, and its figures are those of the code."""

from __future__ import annotations

import json
import re
import time
from datetime import UTC, datetime
from pathlib import Path

from jules_job_manager.adapters.webhook_signer import StandardSigner
from jules_job_manager.domain.event import Event
from jules_job_manager.domain.webhook import RETRY_AFTER, body_of
from jules_job_manager.web import live

PAGES = Path(__file__).parents[3] / "docs" / "reference"


def _page(name: str) -> str:
    return (PAGES / name).read_text(encoding="utf-8")


def test_the_example_checks_a_message():
    """What it accepts was sent by us; what it refuses was not."""
    (code,) = re.findall(r"```python\n(.*?)```", _page("webhooks.md"), re.DOTALL)
    space: dict = {}
    exec(code, space)
    signer = StandardSigner()
    secret = signer.new_secret()
    event = Event(
        id=42, type="task_state_changed", subject="task:123", at=datetime(2026, 11, 24, 12, tzinfo=UTC),
        data={"from": "in_progress", "to": "completed"},
    )  # fmt: skip
    body = body_of(event)
    (shown,) = re.findall(r"```json\n(.*?)\n```", _page("webhooks.md"))
    assert shown == body
    headers = dict(
        signer.headers(message_id="msg_1", timestamp=int(time.time()), body=body, secrets=(secret,))
    )
    assert json.loads(body) == space["receive"](body, headers, secret)
    assert space["receive"](body + " ", headers, secret) is None
    assert space["receive"](body, headers, signer.new_secret()) is None


def test_the_waits():
    """The page names every one."""
    words = "5 seconds, 1, 5 and 30 minutes, 2, 5, 10 and 14 hours"
    assert words in " ".join(_page("webhooks.md").split())
    assert (5, 60, 300, 1800, 7200, 18000, 36000, 50400) == RETRY_AFTER


def test_the_close_codes():
    """The page on live events lists each."""
    codes = (live.RESTARTS, live.TRY_LATER, live.BAD_REQUEST, live.NOT_ALLOWED, live.TOO_SLOW)
    listed = re.findall(r"^\| (\d{4}) \|", _page("live.md"), re.MULTILINE)
    assert sorted(codes) == sorted(map(int, listed))
