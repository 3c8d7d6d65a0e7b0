"""Create a task.

On a terminal the id and the web address are shown; otherwise only the id is printed, so that
`task_id=$(jjm create …)` works.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from jules_job_manager.bootstrap import App
    from jules_job_manager.cli.context import Context
    from jules_job_manager.domain.task import NewTask

FIELDS = (
    "id", "title", "description", "repository", "branch", "status", "created_at", "updated_at", "url",
    "raw_state", "require_plan_approval", "backend",
)  # fmt: skip


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the options."""
    from jules_job_manager.cli.output import add_json_options

    parser.add_argument("--repo", required=True, metavar="OWNER/NAME", help="repository to work on")
    text = parser.add_mutually_exclusive_group(required=True)
    text.add_argument(
        "--description", "-d", metavar="TEXT", help="what Jules shall do; - reads stdin"
    )
    text.add_argument("--file", "-f", metavar="FILE", help="read the description from a file")
    parser.add_argument("--branch", default="main", help="branch to start from (main)")
    parser.add_argument("--title", help="title; Jules makes one when it is left out")
    parser.add_argument(
        "--require-approval", action="store_true", help="wait for the plan to be approved"
    )
    parser.add_argument("--auto-pr", action="store_true", help="let Jules open a pull request")
    parser.add_argument("--dry-run", action="store_true", help="check everything, create nothing")
    add_json_options(parser, FIELDS)


def run(args: Namespace, context: Context) -> int:
    """Create the task and print its id."""
    from jules_job_manager.cli import output
    from jules_job_manager.cli.input import read_text
    from jules_job_manager.domain.task import NewTask
    from jules_job_manager.domain.text import safe_text

    fields = output.json_fields(args, FIELDS)
    new = NewTask(
        description=read_text(context, args.description, args.file),
        repository=args.repo,
        branch=args.branch,
        title=args.title,
        require_plan_approval=args.require_approval,
        auto_create_pr=args.auto_pr,
    )
    if args.dry_run:
        checked = context.run(lambda app: _checked(app, new))
        context.note(f"Would create a task on {checked.repository}, branch {checked.branch}.")
        return 0
    with output.progress(context, "Creating the task …"):
        task = context.run(lambda app: app.tasks.create_task(new))
    if fields is not None:
        output.print_json(context, output.pick(task.to_dict(), fields), args.jq)
    elif context.is_terminal:
        context.write(f"Created task {task.id}")
        context.write(f"  {safe_text(task.url)}")
        context.write(f"Watch it with: jjm monitor {task.id}")
    else:
        context.write(task.id)
    return 0


async def _checked(app: App, new: NewTask) -> NewTask:
    return app.tasks.checked(new)
