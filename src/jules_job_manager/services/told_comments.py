"""Which comments of a pull request a task was told already, so that each is told once."""

from __future__ import annotations

import json
from dataclasses import replace

from jules_job_manager.domain.pull_request import PullRequestFeedback
from jules_job_manager.ports.store import Store
from jules_job_manager.services.feedback import MOST_COMMENTS

_NOTE = "told_comments."


async def untold(
    store: Store, mark: str, number: int, told: PullRequestFeedback
) -> PullRequestFeedback:
    """Return the feedback without comments that went out in an earlier round, and note the rest.

    A round that is sent again gets the same comments again.

    Args:
        store: Keeps what was told.
        mark: Of the attempt.
        number: Of the round, from 1.
        told: What there is.
    """
    note = await store.get_note(_NOTE + mark)
    rounds: dict[str, int] = json.loads(note) if note else {}
    new = [c for c in told.comments if rounds.get(c.id, number) == number][:MOST_COMMENTS]
    known = rounds | {comment.id: number for comment in new}
    if known != rounds:
        await store.set_note(_NOTE + mark, json.dumps(known))
    return replace(told, comments=tuple(new))
