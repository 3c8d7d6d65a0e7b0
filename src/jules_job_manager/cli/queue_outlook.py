"""What `jjm queue run --dry-run` prints, beside the store and through a service."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from jules_job_manager.bootstrap import App
    from jules_job_manager.cli.context import Context


async def print_outlook(app: App, context: Context, would: Mapping[str, str]) -> None:
    """Print what would become of each job, and why nothing would start when that is so."""
    from jules_job_manager.domain.text import safe_text
    from jules_job_manager.services.outlook import WOULD_START

    for key, text in would.items():
        context.write(f"{safe_text(key)}\t{safe_text(text)}")
    if not any(text.startswith(WOULD_START) for text in would.values()):
        context.note(safe_text(f"Nothing would start: {await _why_nothing(app)}"))


async def _why_nothing(app: App) -> str:
    from jules_job_manager.cli.commands.queue_why import sentence
    from jules_job_manager.domain.job import JobStatus

    paused = (await app.queue_pace())["paused"]
    if paused:
        return f"the queue is paused ({paused}). Go on with: jjm queue resume"
    jobs = await app.store.jobs.list_jobs()
    for job in jobs:
        if job.status in {JobStatus.READY, JobStatus.BLOCKED}:
            _, told = await app.why(job.key)
            return f"{job.key} {sentence(str(told['reason']))}."
    counts: dict[str, int] = {}
    for job in jobs:
        counts[job.status.value] = counts.get(job.status.value, 0) + 1
    stand = ", ".join(f"{number} {status}" for status, number in counts.items())
    return f"no job waits for its turn ({stand})."
