"""Show every setting and where its value came from. Secrets are masked; references to them are shown."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from jules_job_manager.cli.context import Context

FIELDS = ("name", "value", "source", "help")


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the options."""
    from jules_job_manager.cli.output import add_json_options

    add_json_options(parser, FIELDS)


def run(args: Namespace, context: Context) -> int:
    """Print the settings."""
    from jules_job_manager.cli import output
    from jules_job_manager.settings.load import load_settings
    from jules_job_manager.settings.shown import rows

    fields = output.json_fields(args, FIELDS)
    # Without reading secrets: settings are to be seen also while one is away.
    settings = load_settings(context.environ, config=context.config, read_secrets=False)
    found = rows(settings)
    if fields is not None:
        output.print_json(context, [output.pick(row, fields) for row in found], args.jq)
        return 0
    output.print_table(
        context, ("SETTING", "VALUE", "FROM"), [(r["name"], r["value"], r["source"]) for r in found]
    )
    context.note(f"Home folder: {settings.home}")
    context.note(
        f"Configuration file: {settings.config_file or 'none (jjm config init writes one)'}"
    )
    return 0
