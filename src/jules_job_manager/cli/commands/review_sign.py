"""Answer yourself for a line of a job's checklist, saying what you saw.

The line is ticked with your words as its evidence, in the queue and in the document. With
`review.unproven = "ask"`, a delivery that passed is merged once every line is proven or signed.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from jules_job_manager.bootstrap import App
    from jules_job_manager.cli.context import Context
    from jules_job_manager.domain.job import Job


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("key", metavar="KEY", help="the job's key, for example 'Task 1' or JJM-007")
    parser.add_argument("line", metavar="LINE", help="the line's number, or its beginning")
    parser.add_argument("--evidence", required=True, metavar="TEXT", help="what you saw")


def run(args: Namespace, context: Context) -> int:
    """Sign the line."""
    from jules_job_manager.domain.job_keys import find_job
    from jules_job_manager.domain.text import safe_text

    async def work(app: App) -> tuple[Job, int]:
        job = find_job(await app.store.jobs.list_jobs(), args.key)
        line = _number(job, args.line)
        return await app.interventions.sign(job, line, args.evidence), line

    job, line = context.run(work)
    item = job.checklist[line - 1]
    context.write(safe_text(f"{job.key}: {item.text} ({item.evidence})"))
    left = [item.text for item in job.checklist if not item.checked]
    if left:
        context.note(safe_text(f"Not proven yet: {'; '.join(left)}"))
    return 0


def _number(job: Job, text: str) -> int:
    """Return the number of the line meant.

    Raises:
        InvalidInputError: none or several begin like that.
    """
    from jules_job_manager.errors import InvalidInputError

    if text.isascii() and text.isdecimal() and len(text) < 9:
        return int(text)
    wanted = " ".join(text.split()).casefold()
    fitting = [
        number
        for number, item in enumerate(job.checklist, start=1)
        if " ".join(item.text.split()).casefold().startswith(wanted)
    ]
    if len(fitting) != 1:
        how = "No line begins" if not fitting else f"{len(fitting)} lines begin"
        raise InvalidInputError(
            f"{how} with {text!r}.", hint=f"Give its number: jjm queue show {job.key!r} lists them."
        )
    return fitting[0]
