"""Show every setting and where its value came from. Secrets are masked; references to them are shown.

With the option --server it shows those of the service, whose key needs `settings:read`. JJM_SERVER
and client.server are nothing to it: they are among what it shows.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from jules_job_manager.bootstrap import App
    from jules_job_manager.cli.context import Context

FIELDS = ("name", "value", "source", "help")


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the options."""
    from jules_job_manager.cli.output import add_json_options

    add_json_options(parser, FIELDS)


def run(args: Namespace, context: Context) -> int:
    """Print the settings."""
    from jules_job_manager.cli import output

    fields = output.json_fields(args, FIELDS)
    found, notes = _of_service(context) if context.server else _of_this_machine(context)
    if fields is not None:
        output.print_json(context, [output.pick(row, fields) for row in found], args.jq)
        return 0
    output.print_table(
        context, ("SETTING", "VALUE", "FROM"), [(r["name"], r["value"], r["source"]) for r in found]
    )
    for note in notes:
        context.note(note)
    return 0


def _of_this_machine(context: Context) -> tuple[list[dict[str, str]], tuple[str, ...]]:
    from jules_job_manager.settings.load import load_settings
    from jules_job_manager.settings.shown import rows

    # Without reading secrets: settings are to be seen also while one is away.
    settings = load_settings(context.environ, config=context.config, read_secrets=False)
    file = settings.config_file or "none (jjm config init writes one)"
    return rows(settings), (f"Home folder: {settings.home}", f"Configuration file: {file}")


def _of_service(context: Context) -> tuple[list[dict[str, str]], tuple[str, ...]]:
    async def work(app: App) -> list[dict[str, str]]:
        return await app.administration.list_settings()

    return context.run(work), (f"Settings of the service at {context.server}",)
