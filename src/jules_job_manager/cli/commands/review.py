"""Check a branch as the queue would, or show how a job's delivery was judged.

The branch is merged into the base in a scratch checkout; the base branch's .jjm.toml, the settings
and --check say what is run there, in the sandbox. Nothing is pushed. For a job the latest review is
shown, or made again with --again. Exit code 0: accepted. 1: rejected. 8: a person must judge it.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from jules_job_manager.bootstrap import App
    from jules_job_manager.cli.context import Context
    from jules_job_manager.domain.job import Job
    from jules_job_manager.domain.report import FileDiff
    from jules_job_manager.domain.review import CheckResult, Review
    from jules_job_manager.services.check_suite import Tell
    from jules_job_manager.services.review import Reviewer
    from jules_job_manager.settings.model import Settings


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the options."""
    from jules_job_manager.cli.arguments import add_checks, add_remotes

    parser.add_argument(
        "what",
        metavar="JOB|BRANCH|PR",
        help="a job's key, a branch of the repository, or a pull request's number or web address",
    )
    parser.add_argument("--repo", metavar="OWNER/NAME", help="repository of the branch")
    parser.add_argument("--base", metavar="BRANCH", help="branch it is to be merged into (main)")
    add_remotes(parser)
    add_checks(parser)
    parser.add_argument("--again", action="store_true", help="check a job's delivery again")
    parser.add_argument(
        "--full", action="store_true", help="show what passed, and whole outputs, too"
    )
    parser.add_argument(
        "--format", choices=("terminal", "markdown", "html", "json", "sarif"), default="terminal",
        help="how it is printed (terminal)",
    )  # fmt: skip


def run(args: Namespace, context: Context) -> int:
    """Review, and print what came of it."""
    from jules_job_manager.bootstrap.queue import reviewer_of
    from jules_job_manager.cli.arguments import refuse_options
    from jules_job_manager.cli.commands.queue_run import parsed_remotes
    from jules_job_manager.cli.exit_codes import FAILED, OK, PENDING

    if args.again:
        refuse_options(context, {"--check": args.check, "--remote": args.remote})
    settings = context.settings({"review.checks": args.check})
    remotes = {**settings.remotes, **parsed_remotes(args.remote)}

    async def work(app: App) -> tuple[Job, Review, tuple[FileDiff, ...]]:
        reviewer = reviewer_of(app, settings, remotes)
        job, review = await _reviewed(app, context, settings, remotes, args, reviewer)
        return job, review, await reviewer.diffs(job, review)

    job, review, files = context.run(work)
    _print(context, job, review, files, args)
    return {"accept": OK, "reject": FAILED}.get(review.verdict.value, PENDING)


async def _reviewed(
    app: App,
    context: Context,
    settings: Settings,
    remotes: dict[str, str],
    args: Namespace,
    reviewer: Reviewer,
) -> tuple[Job, Review]:
    from jules_job_manager.cli.commands.queue_run import prepare_checks
    from jules_job_manager.domain.job_keys import matching_key
    from jules_job_manager.domain.references import request_from
    from jules_job_manager.services.repeated_reviews import latest_review

    # A store without a queue has branches to review all the same.
    known = [] if app.store.kind == "json" else await app.store.jobs.list_jobs()
    jobs = {job.key: job for job in known}
    key = matching_key(list(jobs), args.what)
    if key is None:
        request = request_from(args.what)
        job = _job_of(request, settings, remotes, args)
        await prepare_checks(context, settings)
        return job, await _of_branch(reviewer, job, request, _teller(context))
    job = jobs[key]
    if not args.again:
        return job, latest_review(job, await app.store.jobs.list_reviews(key))
    return job, await app.administration.review_again(
        job, settings=settings, remotes=remotes, tell=_teller(context),
        warn=lambda text: context.note(f"warning: {text}"),
    )  # fmt: skip


def _job_of(
    request: tuple[str, int] | None, settings: Settings, remotes: dict[str, str], args: Namespace
) -> Job:
    """Return a job that stands for the branch or the pull request.

    Raises:
        InvalidInputError: no repository is known, or git knows none of that name.
    """
    from jules_job_manager.domain.job import Job
    from jules_job_manager.domain.references import repository_from, require_branch
    from jules_job_manager.errors import InvalidInputError

    given = args.repo or (request and request[0]) or settings.queue.repository
    if not given and len(remotes) == 1:
        given = next(iter(remotes))
    if not given:
        raise InvalidInputError(
            f"There is no job {args.what!r}, and no repository is known that could have such a branch.",
            hint="Give it with --repo OWNER/NAME, and --remote OWNER/NAME=URL.",
        )
    name = require_branch(args.what) if request is None else f"#{request[1]}"
    return Job(
        key=name, title=name, branch="" if request else name, repository=repository_from(given),
        base_branch=args.base or settings.queue.base_branch or "main",
    )  # fmt: skip


def _teller(context: Context) -> Tell:
    """Return what says on a terminal how each check ended, as soon as it has."""
    from jules_job_manager.domain.text import safe_text
    from jules_job_manager.services.check_suite import tell_nobody

    if not context.is_terminal:
        return tell_nobody

    def tell(result: CheckResult) -> None:
        seconds = f" after {result.duration_seconds:.1f} s" if result.command else ""
        context.note(f"{safe_text(result.name)}: {result.conclusion.value}{seconds}")

    return tell


async def _of_branch(
    reviewer: Reviewer, job: Job, request: tuple[str, int] | None, tell: Tell
) -> Review:
    from jules_job_manager.domain.job import Attempt
    from jules_job_manager.errors import InvalidInputError

    if request is None:
        delivery = await reviewer.delivery_of_branch(job)
    else:
        delivery = await reviewer.delivery_of_request(job, request[1])
    if delivery is None:
        what = f"branch {job.branch}" if request is None else f"pull request {job.key}"
        raise InvalidInputError(f"{job.repository} has no {what}.")
    return await reviewer.review(job, Attempt(mark="", job_key=job.key, number=1), delivery, tell)


def _print(
    context: Context, job: Job, review: Review, files: tuple[FileDiff, ...], args: Namespace
) -> None:
    from jules_job_manager._version import __version__
    from jules_job_manager.cli.report import print_report
    from jules_job_manager.domain.evidence import PROMISED_FILES
    from jules_job_manager.domain.report import (
        ReportInput,
        to_html,
        to_json,
        to_markdown,
        to_sarif,
    )

    report = ReportInput(
        review=review, title=job.title, repository=job.repository, branch=job.branch,
        job=job, files=files, promised_check=PROMISED_FILES,
    )  # fmt: skip
    if args.format == "terminal":
        print_report(context, report, full=args.full)
        return
    if args.format == "sarif":
        text = to_sarif(report, version=__version__)
    else:
        text = {"markdown": to_markdown, "html": to_html, "json": to_json}[args.format](report)
    context.stdout.write(text if text.endswith("\n") else text + "\n")
