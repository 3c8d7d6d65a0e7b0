"""The environment of the programs that tests start."""

from __future__ import annotations

import os


def bare_environment(*, is_counted: bool = True, **more: str) -> dict[str, str]:
    """Return PATH and HOME, then `more`.

    Nothing else is inherited: a developer's own keys and settings must not change a test.

    Args:
        is_counted: Whether the lines that the child process runs count as covered. One that is
            killed never writes its count down, and would only be slowed.
        more: Variables to add.
    """
    kept = {
        name: value
        for name, value in os.environ.items()
        if name in {"PATH", "HOME"} or (is_counted and name.startswith("COVERAGE_PROCESS_"))
    }
    return {**kept, **more}
