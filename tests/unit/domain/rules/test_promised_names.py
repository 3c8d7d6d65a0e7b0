"""What a prompt announces, and what it does not."""

from __future__ import annotations

import pytest

from jules_job_manager.domain.rules.promised_names import Promise, promises_in

SEED = """\
1. Create Sync Queue Service (backend/services/altimeter_sync_service.py):
   - Queue-based sync engine (use Python's asyncio queue)
   - Track sync status per entity (pending, syncing, synced, error)

3. Implement Webhook Receiver (backend/api/altimeter_webhooks.py):
   - POST /webhooks/altimeter - receive updates from Altimeter
   - Return 200 OK immediately (async processing)

5. Add Real-time Updates to Frontend:
   - Implement WebSocket endpoint: /ws/sync-status
   - Create /api/v1/sync/status endpoint for monitoring

SERVICES TO CREATE:
1. TaskService (backend/services/task_service.py)
2. EmailService (backend/services/email_service.py)

ROUTES TO REFACTOR:
- backend/api/task_routes.py
"""


def test_the_seeds_prompt():
    """Endpoints and services; not files, statuses or what is to be refactored."""
    assert promises_in(SEED) == [
        Promise("endpoint", "/webhooks/altimeter"),
        Promise("endpoint", "/ws/sync-status"),
        Promise("endpoint", "/api/v1/sync/status"),
        Promise("name", "TaskService"),
        Promise("name", "EmailService"),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "Do not create class `Old`.",
        "Use the existing `PriceService` class.",
        "Add tests for `foo()`.",
        "Add `--flag` to the command.",
        "Create `docs/index.md`.",
        "```\nclass Example: ...\nCreate class `Example`\n```",
        "The endpoint GET /api/items returns too much.",
        "CLASSES TO CREATE:\n\nSome prose about Things.",
    ],
)
def test_no_promise(text):
    """Doubt is no promise."""
    assert promises_in(text) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Add endpoint `DELETE /items/{id}`.", Promise("endpoint", "/items/{id}")),
        ("Create a class named `Basket`.", Promise("name", "Basket")),
        ("Implement the `Basket.total()` method.", Promise("name", "total")),
        ("Add a `sync_queue` table.", Promise("table", "sync_queue")),
    ],
)
def test_a_promise(text, expected):
    """One plain sentence."""
    assert promises_in(text) == [expected]
