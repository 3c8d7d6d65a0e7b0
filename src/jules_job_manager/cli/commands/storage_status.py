"""Show where tasks, jobs and events are kept."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from jules_job_manager.bootstrap import App
    from jules_job_manager.cli.context import Context


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the options."""
    del parser


def run(args: Namespace, context: Context) -> int:
    """Print kind and place of the store."""
    del args

    async def where(app: App) -> tuple[str, str]:
        return app.store.kind, app.store.location

    kind, location = context.run(where)
    context.write(f"{kind}\t{location}")
    return 0
