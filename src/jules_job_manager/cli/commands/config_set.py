"""Change one setting in the configuration file; comments there stay.

For example: jjm config set queue.concurrency 5
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from jules_job_manager.cli.context import Context


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "name", metavar="SECTION.NAME", help="setting, as `jjm config show` lists it"
    )
    parser.add_argument("value", metavar="VALUE", help="its new value; - reads stdin (for keys)")


def run(args: Namespace, context: Context) -> int:
    """Write the setting."""
    from pathlib import Path

    from jules_job_manager.cli.input import read_text
    from jules_job_manager.settings.locate import config_file, home_folder
    from jules_job_manager.settings.write import set_value

    named = config_file(context.environ, context.config)
    path = Path(named or Path(home_folder(context.environ)) / "config.toml")
    text = read_text(context, args.value)
    set_value(path, args.name, text.strip() if args.value == "-" else text)
    context.note(f"{args.name} is set in {path}")
    return 0
