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

    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # not a test's own stream
            stream.reconfigure(errors="backslashreplace")  # a terminal that knows no ✓
    return dispatch(arguments)


def program() -> None:
    """Run the command line as a process of its own, and end the process."""
    code = main()
    if _nothing_left_to_end():
        try:
            sys.stdout.flush()
            sys.stderr.flush()
        except BrokenPipeError:
            from jules_job_manager.cli.exit_codes import silence_broken_pipe

            silence_broken_pipe()
        except OSError:  # the interpreter's own end says what is wrong with the stream
            sys.exit(code or 1)
        import os

        # Taking every module apart again costs an instant command a tenth of its time.
        os._exit(code)
    sys.exit(code)


def _nothing_left_to_end() -> bool:
    threading = sys.modules.get("threading")
    return "atexit" not in sys.modules and (threading is None or threading.active_count() == 1)
