"""Show every setting and where its value came from. Secrets are masked; references to them are shown."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from jules_job_manager.cli.context import Context
    from jules_job_manager.settings.model import Settings

FIELDS = ("name", "value", "source", "help")


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
    settings = _settings(context)
    context.note(f"Home folder: {settings.home}")
    context.note(
        f"Configuration file: {settings.config_file or 'none (jjm config init writes one)'}"
    )
    return 0


def rows(context: Context) -> list[dict[str, str]]:
    """Return name, value, source and help of every setting."""
    from jules_job_manager.domain.masking import masked
    from jules_job_manager.settings.load import setting_fields

    settings = _settings(context)
    found = []
    for section, name, field in setting_fields():
        value = getattr(getattr(settings, section), name)
        shown = ", ".join(value) if isinstance(value, tuple) else str(value)
        shown = shown.lower() if isinstance(value, bool) else shown
        if field.metadata["secret"] and value:
            shown = ", ".join(map(_secret, value if isinstance(value, tuple) else (value,)))
        full = f"{section}.{name}"
        source = settings.sources.get(full, "default")
        found.append(
            {"name": full, "value": shown, "source": source, "help": field.metadata["help"]}
        )
    for repository, url in settings.remotes.items():
        shown = masked(url)
        row = {"name": f"remotes.{repository}", "value": shown, "source": str(settings.config_file)}
        found.append({**row, "help": "Where the forge finds the repository."})
    return [*found, *_table_rows(settings)]


def _settings(context: Context) -> Settings:
    """Return the settings without reading secrets: they are to be seen also while one is away."""
    from jules_job_manager.settings.load import load_settings

    return load_settings(context.environ, config=context.config, read_secrets=False)


def _table_rows(settings: Settings) -> list[dict[str, str]]:
    """Return a row for each account and each rule."""
    import dataclasses

    tables: list[tuple[str, object, str]] = [
        (f"accounts.{name}", account, "One more account of Jules.")
        for name, account in settings.accounts.items()
    ]
    tables += [
        (f"reviewers.{reviewer.name}", reviewer, "A reviewer of your own.")
        for reviewer in settings.reviewers
    ]
    for kind, rules in (
        ("plan_rules", settings.plan_rules),
        ("merge_rules", settings.merge_rules),
        ("answer_rules", settings.answer_rules),
    ):
        about = f"The first of the {kind.replace('_', ' ')} that fits counts."
        tables += [(f"{kind}.{number}", rule, about) for number, rule in enumerate(rules, start=1)]
    rows = []
    for name, table, about in tables:
        members = dataclasses.asdict(table)  # type: ignore[call-overload]
        said = [
            f"{member} = {_secret(str(value)) if member == 'api_key' else _shown(value)}"
            for member, value in members.items()
            if value not in ("", (), None, 0)
        ]
        rows.append({"name": name, "value": "; ".join(said), "source": str(settings.config_file),
                     "help": about})  # fmt: skip
    return rows


def _shown(value: object) -> str:
    return ", ".join(value) if isinstance(value, tuple) else str(value)


def _secret(value: str) -> str:
    """Return where a secret is kept, when that is what the setting says; else a mask."""
    from jules_job_manager.domain.masking import MASK
    from jules_job_manager.domain.secret_reference import is_reference, reference_from

    try:
        return str(reference_from(value)) if is_reference(value) else MASK
    except ValueError:
        return MASK
