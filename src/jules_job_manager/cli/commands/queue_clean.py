"""Put away the tasks whose work is merged, and those that were replaced.

Archived are tasks whose work is in the base branch (a squash, a rebase and later edits of the
same lines are understood), and for jobs that are done the tasks that were replaced, rejected,
failed or abandoned on the way. A task whose work is not in the base is kept, and the list says
why. What the store knows of a task stays, so `jjm recover` can bring its work back.

With --delete tasks proved to be in the base are deleted at Jules for good, archived ones too;
what was replaced and has work of its own is still only archived.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from jules_job_manager.bootstrap import App
    from jules_job_manager.cli.context import Context
    from jules_job_manager.services.cleaning import CleanStep

FIELDS = ("task_id", "account", "job", "title", "action", "reason", "done", "failed")
HEADERS = ("ID", "KEY", "WHAT", "WHY")
_DONE = {"archive": "archived", "delete": "deleted"}


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the options."""
    from jules_job_manager.cli.arguments import add_remotes
    from jules_job_manager.cli.output import add_json_options

    parser.add_argument("--delete", action="store_true", help="delete for good what is merged")
    parser.add_argument("--yes", "-y", action="store_true", help="do not ask before deleting")
    parser.add_argument(
        "--all-tasks", action="store_true",
        help="also judge finished tasks that are of no job, by their branch or patch",
    )  # fmt: skip
    add_remotes(parser)
    parser.add_argument(
        "--dry-run", action="store_true", help="say what would be done, change nothing"
    )
    add_json_options(parser, FIELDS)


def run(args: Namespace, context: Context) -> int:
    """Clean up."""
    from jules_job_manager.cli import output
    from jules_job_manager.cli.arguments import refuse_options
    from jules_job_manager.cli.commands.queue_run import parsed_remotes
    from jules_job_manager.cli.exit_codes import CANCELLED, FAILED, OK

    fields = output.json_fields(args, FIELDS)
    refuse_options(context, {"--remote": args.remote})
    remotes = {**context.settings().remotes, **parsed_remotes(args.remote)}
    if args.delete and not args.dry_run and not _may_delete(args, context):
        context.note("Nothing was deleted.")
        return CANCELLED

    async def work(app: App) -> list[CleanStep]:
        if not context.server:
            app.use_remotes(remotes)
        return await app.administration.clean(
            remotes=remotes, delete=args.delete, all_tasks=args.all_tasks, dry_run=args.dry_run
        )

    with output.progress(context, "looking for work that is merged"):
        steps = context.run(work)
    if fields is not None:
        output.print_json(context, [output.pick(s.to_dict(), fields) for s in steps], args.jq)
    else:
        rows = [(s.task_id, s.job_key, _what(s), s.reason) for s in steps]
        if rows:
            output.print_table(context, HEADERS, rows)
        context.note(_summary(steps, dry_run=args.dry_run))
    return FAILED if any(step.failed for step in steps) else OK


def _may_delete(args: Namespace, context: Context) -> bool:
    """Return whether the user means it.

    Raises:
        InvalidInputError: nobody can be asked.
    """
    from jules_job_manager.cli.input import confirm
    from jules_job_manager.errors import InvalidInputError

    if args.yes:
        return True
    if not context.is_interactive:
        raise InvalidInputError(
            "Deleting cannot be undone.", hint="Say so with --yes, or look first with --dry-run."
        )
    return confirm(context, "Delete every task whose work is merged, for good?")


def _what(step: CleanStep) -> str:
    if step.failed:
        return "failed"
    if step.done:
        return _DONE[step.fate.value]
    return "keep" if step.fate.value == "keep" else f"would {step.fate.value}"


def _summary(steps: list[CleanStep], *, dry_run: bool) -> str:
    counts: dict[str, int] = {}
    for step in steps:
        word = _what(step)
        counts["kept" if word == "keep" else word] = counts.get(word, 0) + 1
    told = ", ".join(f"{count} {word}" for word, count in counts.items())
    end = " Nothing was changed." if dry_run else ""
    return f"{told}.{end}" if steps else "There is nothing to clean up."
