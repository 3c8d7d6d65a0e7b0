"""Read a backlog document into the queue.

The document stays as it is. Importing again brings texts up to date; jobs that have begun keep
their state. Lines that could not be understood are listed on stderr with their numbers.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from jules_job_manager.bootstrap import App
    from jules_job_manager.cli.context import Context
    from jules_job_manager.services.backlog_change import ImportReport


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the options."""
    from jules_job_manager.cli.output import add_json_options
    from jules_job_manager.cli.queue_jobs import FIELDS

    parser.add_argument("file", metavar="FILE", help="backlog document (Markdown)")
    parser.add_argument("--repo", metavar="OWNER/NAME", default="", help="repository of its jobs")
    parser.add_argument("--base", metavar="BRANCH", default="", help="branch the jobs start from")
    parser.add_argument(
        "--moved-from", metavar="FILE", help="the path it had before; its jobs go along"
    )
    parser.add_argument("--dry-run", action="store_true", help="only show what would happen")
    add_json_options(parser, FIELDS)


def run(args: Namespace, context: Context) -> int:
    """Import the document and print what came of it."""
    from jules_job_manager.cli import output
    from jules_job_manager.cli.queue_jobs import FIELDS
    from jules_job_manager.domain.references import repository_from, require_branch

    fields = output.json_fields(args, FIELDS)
    path, content = _read(args.file)
    repository = repository_from(args.repo) if args.repo else ""
    base = require_branch(args.base) if args.base else ""

    async def work(app: App) -> ImportReport:
        report = await app.backlogs.import_backlog(
            path=path,
            content=content,
            repository=repository,
            base_branch=base,
            moved_from=_absolute(args.moved_from) if args.moved_from else "",
            dry_run=args.dry_run,
        )
        if not args.dry_run:
            await app.documents().remember(path, content)
        return report

    with output.progress(context, "Reading the backlog …"):
        report = context.run(work)
    for problem in (*report.problems, *report.differences):
        context.note(f"{args.file}:{problem.line}: {problem.message}")
    if fields is not None:
        output.print_json(
            context, [output.pick(job.to_dict(), fields) for job in report.jobs], args.jq
        )
    else:
        _print(context, report, dry_run=args.dry_run)
    return 0


def _read(name: str) -> tuple[str, bytes]:
    from pathlib import Path

    from jules_job_manager.errors import InvalidInputError

    path = _absolute(name)
    try:
        return path, Path(path).read_bytes()
    except OSError as exc:
        raise InvalidInputError(
            f"{name} cannot be read: {exc.strerror}.", hint="Give the path of a Markdown backlog."
        ) from exc


def _absolute(name: str) -> str:
    from pathlib import Path

    return str(Path(name).expanduser().resolve())


def _print(context: Context, report: ImportReport, *, dry_run: bool) -> None:
    from jules_job_manager.domain.text import safe_text

    counts: dict[str, int] = {}
    for job in report.jobs:
        counts[job.status.value] = counts.get(job.status.value, 0) + 1
    said = ", ".join(f"{count} {status}" for status, count in counts.items())
    verb = "Would import" if dry_run else "Imported"
    context.write(
        f"{verb} {_count(len(report.jobs), 'job')} from {safe_text(report.backlog)}: {said} "
        f"({len(report.added)} new, {len(report.updated)} known)."
    )
    for job in report.jobs[:50]:
        why = f" ({job.reason})" if job.reason else ""
        context.write(safe_text(f"  {job.key}  {job.status.value}{why}  {job.title}"))
    if len(report.jobs) > 50:
        context.write(f"  … and {len(report.jobs) - 50} more (jjm queue list)")
    for text, keys in (
        ("Left the queue, because the document no longer has them", report.removed),
        ("No longer in the document, but begun, so they stay", report.kept),
    ):
        if keys:
            context.note(f"{text}: {', '.join(keys)}")
    if report.problems:
        verb = "was" if len(report.problems) == 1 else "were"
        context.note(f"{_count(len(report.problems), 'line')} {verb} not understood; see above.")


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("" if number == 1 else "s")
