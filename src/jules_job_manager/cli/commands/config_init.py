"""Write a configuration file with every setting, commented, into the home folder."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from jules_job_manager.cli.context import Context


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "--print", action="store_true", dest="only_print", help="print it, write nothing"
    )


def run(args: Namespace, context: Context) -> int:
    """Write the file; one that is there is never replaced."""
    from pathlib import Path

    from jules_job_manager.errors import ConfigurationError
    from jules_job_manager.settings.locate import home_folder
    from jules_job_manager.settings.write import commented_example, write_private

    if args.only_print:
        context.stdout.write(commented_example())
        return 0
    named = context.config or context.environ.get("JJM_CONFIG")
    path = Path(named or Path(home_folder(context.environ)) / "config.toml")
    if path.exists():
        raise ConfigurationError(f"{path} is there already; it was left as it is.")
    write_private(path, commented_example())
    context.write(str(path))
    return 0
