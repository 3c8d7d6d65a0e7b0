"""Keys of jobs: which there may be, and finding a job by what was typed.

Importing it costs nothing: instant commands do.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from jules_job_manager.domain.job import Job


def matching_key(keys: Sequence[str], text: str) -> str | None:
    """Return the key that `text` means, or None: an exact one first, else whatever its case."""
    if text in keys:
        return text
    wanted = " ".join(text.split()).casefold()
    return next((key for key in keys if key.casefold() == wanted), None)


def require_key(key: str) -> str:
    """Return the key of a new job, if it can be typed, seen and be a part of an address.

    Raises:
        InvalidInputError: it cannot.
    """
    from jules_job_manager.domain.text import has_something_to_see, is_hidden
    from jules_job_manager.errors import InvalidInputError

    if key in {".", ".."}:
        raise InvalidInputError(
            f"A job's key cannot be {key!r}: no address would lead to it.",
            hint="Give the job a key such as SHOP-12.",
        )
    if any(is_hidden(character) for character in key) or not has_something_to_see(key):
        raise InvalidInputError(
            f"The key {key!a} has characters that nobody sees.",
            hint="Give the job a key of letters, digits and signs, such as SHOP-12.",
        )
    return key


def find_job(jobs: Sequence[Job], text: str) -> Job:
    """Return the job that `text` means; see `matching_key`.

    Raises:
        JobNotFoundError: there is none.
    """
    from jules_job_manager.errors import JobNotFoundError

    key = matching_key([job.key for job in jobs], text)
    if key is None:
        raise JobNotFoundError(
            f"There is no job {text!r} in the queue.", hint="`jjm queue list` shows the keys."
        )
    return next(job for job in jobs if job.key == key)
