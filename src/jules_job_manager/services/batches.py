"""Which deliveries were refused when they were checked together."""

from __future__ import annotations

import json
from collections.abc import Iterable

from jules_job_manager.domain.orchestration.batches import batch_id
from jules_job_manager.ports.review_queue import ReviewRun
from jules_job_manager.ports.store import Store

_NOTE = "failed_batches."
MOST_KEPT = 50
"""Of one base: with every merge there is a new one."""


async def note_failed_batch(store: Store, run: ReviewRun) -> None:
    """Remember that these deliveries do not pass together on this base."""
    commits = [run.delivered_commit, *(one.delivered_commit for one in run.together)]
    name = _NOTE + run.base_commit
    known = json.loads(await store.get_note(name) or "[]")
    found = batch_id(run.base_commit, commits)
    await store.set_note(name, json.dumps([*known, found][-MOST_KEPT:]))


async def failed_batches(store: Store, bases: Iterable[str]) -> frozenset[str]:
    """Return the ids of the batches that did not pass on these bases."""
    found: set[str] = set()
    for base in sorted(set(bases)):
        found |= set(json.loads(await store.get_note(_NOTE + base) or "[]"))
    return frozenset(found)
