"""Write a .jjm.toml for the repository here, by looking at what it has.

Commit it to the base branch: it is read from there, never from a delivery.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from jules_job_manager.cli.context import Context


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "folder", nargs="?", default=".", metavar="FOLDER", help="the repository (.)"
    )
    parser.add_argument("--force", action="store_true", help="replace a file that is there")
    parser.add_argument("--dry-run", action="store_true", help="only print it")


def run(args: Namespace, context: Context) -> int:
    """Write the file."""
    from pathlib import Path

    from jules_job_manager.domain.review_plan import REVIEW_FILE
    from jules_job_manager.errors import InvalidInputError
    from jules_job_manager.services.review_file import READ, proposals, review_file

    folder = Path(args.folder)
    if not folder.is_dir():
        raise InvalidInputError(f"{args.folder} is no folder.")
    files = {}
    for name in READ:
        path = folder / name
        if path.is_file():
            files[name] = path.read_text("utf-8", "replace")
    found = proposals(files, has_tests=(folder / "tests").is_dir())
    text = review_file(found)
    if args.dry_run:
        context.stdout.write(text)
        return 0
    target = folder / REVIEW_FILE
    try:
        with target.open("w" if args.force else "x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise InvalidInputError(
            f"{target} is there already.",
            hint="See what would be written with --dry-run, or --force.",
        ) from None
    except OSError as exc:
        raise InvalidInputError(f"{target} cannot be written: {exc.strerror}.") from exc
    named = ", ".join(check.name for check in found) or "no check: add one"
    context.write(f"Wrote {target}: {named}. Commit it to the base branch.")
    return 0
