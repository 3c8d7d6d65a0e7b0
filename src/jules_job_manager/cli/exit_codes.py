"""Exit codes, and the one place where errors become them."""

from __future__ import annotations

import sys
import traceback

from jules_job_manager.domain.text import safe_text
from jules_job_manager.errors import AuthenticationError, JulesManagerError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TextIO

OK = 0
FAILED = 1
CANCELLED = 2
NEEDS_SIGN_IN = 4
PENDING = 8

MEANINGS = {
    OK: "done",
    FAILED: "failed, or the input cannot be used",
    CANCELLED: "stopped by Ctrl-C or by a person's no",
    NEEDS_SIGN_IN: "Jules refused the credentials",
    PENDING: "not finished: something still runs, or waits for a person",
}


def report(
    error: BaseException, stderr: TextIO, *, debug: bool, mask: Callable[[str], str] | None = None
) -> int:
    """Say on `stderr` what went wrong and what to do next; return the exit code.

    `mask` takes known secrets out of it; None: only what is a secret by its form is taken out.
    """
    mask = mask or _by_form
    if debug:
        stderr.write(mask("".join(traceback.format_exception(error))))
    if isinstance(error, KeyboardInterrupt):
        stderr.write("Stopped.\n")
        return CANCELLED
    if isinstance(error, JulesManagerError):
        stderr.write(f"error: {safe_text(mask(error.message))}\n")
        if error.hint:
            stderr.write(f"hint: {safe_text(mask(error.hint))}\n")
        return NEEDS_SIGN_IN if isinstance(error, AuthenticationError) else FAILED
    kind = type(error).__name__
    stderr.write(f"error: Something unexpected happened ({kind}: {safe_text(mask(str(error)))}).\n")
    if not debug:
        stderr.write("hint: Run the command again with --debug and report what it prints.\n")
    return FAILED


def _by_form(text: str) -> str:
    from jules_job_manager.domain.masking import masked

    return masked(text)


def silence_broken_pipe() -> None:
    """Keep Python from complaining at exit that nobody reads stdout any more."""
    import os

    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
