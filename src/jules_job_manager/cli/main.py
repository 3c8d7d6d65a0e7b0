"""The program. Answers `--version` before anything else is imported, because it must be instant."""

from __future__ import annotations

import sys

from jules_job_manager._version import __version__

TYPE_CHECKING = False  # typing.TYPE_CHECKING without the import
if TYPE_CHECKING:
    from collections.abc import Sequence


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code.

    Args:
        argv: Arguments without the program's name; `sys.argv[1:]` when None.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    if arguments[:1] in (["--version"], ["-V"]):
        sys.stdout.write(f"jjm {__version__}\n")
        return 0
    from jules_job_manager.cli.dispatch import dispatch

    return dispatch(arguments)
