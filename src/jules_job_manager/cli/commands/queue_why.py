"""Say in words why a job is not running, and when it will.

It reads the store and asks neither Jules nor git, so it says what was last seen.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from jules_job_manager.cli.context import Context
    from jules_job_manager.domain.job import Job

FIELDS = ("key", "status", "waits_for", "reason", "until", "ahead")


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the options."""
    from jules_job_manager.cli.output import add_json_options

    parser.add_argument("key", metavar="KEY", help="the job's key, for example 'Task 1' or JJM-007")
    add_json_options(parser, FIELDS)


def run(args: Namespace, context: Context) -> int:
    """Explain the job."""
    from jules_job_manager.cli import output
    from jules_job_manager.domain.text import safe_text

    fields = output.json_fields(args, FIELDS)
    job, told = context.run(lambda app: app.why(args.key))
    if fields is not None:
        output.print_json(context, output.pick(told, fields), args.jq)
        return 0
    for line in _lines(job, told):
        context.write(safe_text(line))
    return 0


def _lines(job: Job, told: dict[str, object]) -> list[str]:
    """Return the explanation as lines for a person."""
    from jules_job_manager.cli.output import local_time_of
    from jules_job_manager.domain.job import JobStatus

    if job.status is JobStatus.DRAFT:
        return [f"{job.key} is a draft: {job.reason or 'it has no prompt yet'}.",
                _where_to_write(job)]  # fmt: skip
    if job.status not in {JobStatus.READY, JobStatus.BLOCKED}:
        return _past_waiting(job)
    if told["waits_for"] is None:
        lines = [f"{job.key} may start now: jjm queue run"]
    else:
        lines = [f"{job.key} {sentence(str(told['reason']))}."]
    if told["until"] and told["waits_for"] != "schedule":  # the reason has said it
        lines.append(f"It can start at {local_time_of(str(told['until']))} at the earliest.")
    if told["ahead"]:
        lines.append(_ahead(int(str(told["ahead"]))))
    return [*lines, *_help(job, str(told["reason"]))] if told["waits_for"] == "person" else lines


def _where_to_write(job: Job) -> str:
    from urllib.parse import quote

    if job.backlog:
        return "Write its prompt in the document and import it again."
    return (
        "It is in no document; give it a prompt over the API of a service: "
        f"PATCH /api/v1/jobs/{quote(job.key, safe='')}"
    )


def _ahead(count: int) -> str:
    return "1 job stands before it." if count == 1 else f"{count} jobs stand before it."


def _past_waiting(job: Job) -> list[str]:
    """Return how a job stands that does not wait for its turn, and what a person can do."""
    from jules_job_manager.domain.job import JobStatus

    verbs = {
        JobStatus.FAILED: "has failed", JobStatus.DONE: "is done",
        JobStatus.CANCELLED: "is cancelled", JobStatus.NEEDS_YOU: "needs you",
    }  # fmt: skip
    said = f"{job.key} {verbs.get(job.status, f'is {job.status.value}')}"
    lines = [f"{said}: {job.reason}" if job.reason else f"{said}."]
    if job.status in {JobStatus.FAILED, JobStatus.NEEDS_YOU}:
        lines.append(f"The whole story: jjm queue story '{job.key}'")
    if job.status in {JobStatus.FAILED, JobStatus.CANCELLED}:
        lines.append(f"Bring it back with: jjm queue retry '{job.key}'")
    return lines


def _help(job: Job, reason: str) -> list[str]:
    """Return how a person ends what a person began."""
    if reason.startswith("held: "):
        return [f"Let it go on with: jjm queue release '{job.key}'"]
    return ["Let the queue go on with: jjm queue resume"]


def sentence(reason: str) -> str:
    """Return why a job waits as what follows its key."""
    if reason.startswith("held: "):
        return f"is {reason}"
    verbs = ("waits", "starts", "has ", "is ")
    return reason if reason.startswith(verbs) else f"waits: {reason}"
