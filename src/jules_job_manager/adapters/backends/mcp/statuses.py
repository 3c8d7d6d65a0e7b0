"""The page's words for where a task stands, read by key words; the words themselves are kept raw.

The server reports whatever text the page shows, lower-cased and untrimmed, never an API state.
Source: google-jules-mcp facts, section 5 (jules_get_task) and section 8, 13.
"""

from __future__ import annotations

import re

from jules_job_manager.domain.task import TaskStatus

_RULES: tuple[tuple[str, TaskStatus], ...] = (
    (r"\bunknown\b", TaskStatus.UNKNOWN),
    (r"\b(not|un)[ -]?(completed?|finished|done)\b|\bincomplete\b", TaskStatus.IN_PROGRESS),
    (r"\bcancel", TaskStatus.CANCELLED),
    (r"\b(fail|error|aborted)", TaskStatus.FAILED),
    (r"\bpaused?\b|\bpausing\b", TaskStatus.PAUSED),
    (r"\bapproved\b", TaskStatus.IN_PROGRESS),
    (r"approv|\breview (the )?plan\b|\bplan ready\b", TaskStatus.WAITING_APPROVAL),
    (r"feedback|\b(needs?|waiting for|awaiting) (your |user )?(input|reply|answer|user|you)\b",
     TaskStatus.WAITING_FEEDBACK),
    (r"\b(completed?|done|finished|merged|published|ready for review)\b", TaskStatus.COMPLETED),
    (r"\b(in[ _-]?progress|running|working|executing|coding|planning|active|resumed)\b",
     TaskStatus.IN_PROGRESS),
    (r"\b(pending|queued|waiting|starting|created|new)\b", TaskStatus.PENDING),
)  # fmt: skip


def status_from(words: str) -> TaskStatus:
    """Return the status that `words` speak of, UNKNOWN when no key word is in them."""
    text = re.sub(r"[\s_]+", " ", words).strip().lower()
    return next((status for rule, status in _RULES if re.search(rule, text)), TaskStatus.UNKNOWN)
