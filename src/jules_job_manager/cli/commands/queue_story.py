"""Show the whole story of a job on one page: attempts, plans, reviews, feedback, decisions.

It reads the store and asks neither Jules nor git.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from jules_job_manager.bootstrap import App
    from jules_job_manager.cli.context import Context
    from jules_job_manager.domain.report.story import Story


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("key", metavar="KEY", help="the job's key, for example 'Task 1' or JJM-007")
    parser.add_argument(
        "--format", choices=("terminal", "markdown", "html"), default="terminal",
        help="how it is printed (terminal)",
    )  # fmt: skip


def run(args: Namespace, context: Context) -> int:
    """Print the page."""
    from jules_job_manager.domain.job_keys import find_job
    from jules_job_manager.domain.report.story import story_markdown
    from jules_job_manager.services.story import story_of

    async def work(app: App) -> Story:
        jobs = await app.store.jobs.list_jobs()
        return await story_of(app.store, find_job(jobs, args.key))

    text = story_markdown(context.run(work))
    if args.format == "html":
        from jules_job_manager.cli.markdown_page import markdown_page

        context.stdout.write(markdown_page(text, title=args.key))
        return 0
    if args.format == "terminal" and context.is_terminal:
        from rich.markdown import Markdown

        from jules_job_manager.cli.output import console
        from jules_job_manager.domain.text import safe_text

        console(context).print(Markdown(safe_text(text, multiline=True), hyperlinks=False))
        return 0
    from jules_job_manager.domain.text import safe_text

    context.stdout.write(safe_text(text, multiline=True))
    return 0
