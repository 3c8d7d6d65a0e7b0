"""Show every setting and where its value came from. Secrets are masked."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from jules_job_manager.cli.context import Context

FIELDS = ("name", "value", "source", "help")
MASK = "********"


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the options."""
    from jules_job_manager.cli.output import add_json_options

    add_json_options(parser, FIELDS)


def run(args: Namespace, context: Context) -> int:
    """Print the settings."""
    from jules_job_manager.cli import output

    fields = output.json_fields(args, FIELDS)
    found = rows(context)
    if fields is not None:
        output.print_json(context, [output.pick(row, fields) for row in found], args.jq)
        return 0
    output.print_table(
        context, ("SETTING", "VALUE", "FROM"), [(r["name"], r["value"], r["source"]) for r in found]
    )
    settings = context.settings()
    context.note(f"Home folder: {settings.home}")
    context.note(
        f"Configuration file: {settings.config_file or 'none (jjm config init writes one)'}"
    )
    return 0


def rows(context: Context) -> list[dict[str, str]]:
    """Return name, value, source and help of every setting."""
    from jules_job_manager.settings.load import setting_fields

    settings = context.settings()
    found = []
    for section, name, field in setting_fields():
        value = getattr(getattr(settings, section), name)
        shown = ", ".join(value) if isinstance(value, tuple) else str(value)
        if field.metadata["secret"] and value:
            shown = MASK
        full = f"{section}.{name}"
        source = settings.sources.get(full, "default")
        found.append(
            {"name": full, "value": shown, "source": source, "help": field.metadata["help"]}
        )
    for repository, url in settings.remotes.items():
        row = {"name": f"remotes.{repository}", "value": url, "source": str(settings.config_file)}
        found.append({**row, "help": "Where the forge finds the repository."})
    return found
