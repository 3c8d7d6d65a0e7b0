"""Take back what was merged for a job, by a commit that undoes it.

The commands that judge deliveries are run on the result first, unless --no-checks is given. Nothing
is pushed with --dry-run, when later work changed the same places, or when a command fails. The job
is cancelled then; `jjm queue retry` lets it begin again. Exit code 8: the code host lets it wait.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from jules_job_manager.bootstrap import App
    from jules_job_manager.cli.context import Context
    from jules_job_manager.services.reverting import Reverted


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the options."""
    from jules_job_manager.cli.arguments import add_checks, add_remotes

    parser.add_argument("key", metavar="KEY", help="the job's key, for example 'Task 1' or JJM-007")
    add_remotes(parser)
    add_checks(parser)
    parser.add_argument("--no-checks", action="store_true", help="run no command on the result")
    parser.add_argument(
        "--dry-run", action="store_true", help="only find out whether it would work"
    )


def run(args: Namespace, context: Context) -> int:
    """Take it back."""
    from jules_job_manager.cli.arguments import refuse_options
    from jules_job_manager.cli.commands.queue_run import parsed_remotes, prepare_checks
    from jules_job_manager.domain.job_keys import find_job
    from jules_job_manager.domain.text import safe_text

    settings = context.settings({"review.checks": args.check})
    refuse_options(context, {"--remote": args.remote, "--check": args.check})
    remotes = {**settings.remotes, **parsed_remotes(args.remote)}

    async def work(app: App) -> Reverted:
        job = find_job(await app.store.jobs.list_jobs(), args.key)
        if not args.no_checks and not context.server:
            await prepare_checks(context, settings)
        return await app.administration.revert(
            job, remotes=remotes, dry_run=args.dry_run, checks=not args.no_checks
        )

    found = context.run(work)
    lines, code = _told(found, dry_run=args.dry_run)
    for line in lines:
        context.write(safe_text(line))
    return code


def _told(found: Reverted, *, dry_run: bool) -> tuple[list[str], int]:
    """Return what came of it, in words, and the exit code."""
    from jules_job_manager.cli.exit_codes import FAILED, OK, PENDING
    from jules_job_manager.ports.forge import Merged, NotYet

    key = found.job.key
    if found.conflicts:
        names = ", ".join(found.conflicts)
        return [f"{key} cannot be taken back by itself: later work changed {names} too."], FAILED
    failed = [check.name for check in found.checks if check.is_failed]
    if failed:
        return [f"Nothing was taken back: without {key}, {', '.join(failed)} fails."], FAILED
    lines = []
    if found.built_on:
        lines.append(f"{', '.join(found.built_on)} built on it and stay as they are.")
    if dry_run:
        return [
            *lines,
            f"{key} could be taken back (commit {found.commit[:12]}); nothing was done.",
        ], OK
    if isinstance(found.outcome, Merged):
        return [*lines, f"{key} is taken back as {found.outcome.commit[:12]}.",
                f"Let it begin again with: jjm queue retry '{key}'"], OK  # fmt: skip
    if isinstance(found.outcome, NotYet):
        return [*lines, f"Not yet: {found.outcome.reason}. Run the command again later."], PENDING
    return [
        *lines,
        "Required checks of the code host failed on it; look at the pull request.",
    ], FAILED
