"""Finding a job by what was typed for its key. Importing it costs nothing: instant commands do."""

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
