"""The environment of the programs that tests start."""

from __future__ import annotations

import os


def bare_environment(**more: str) -> dict[str, str]:
    """Return PATH, HOME and what coverage needs to count a child process, then `more`.

    Nothing else is inherited: a developer's own keys and settings must not change a test.
    """
    kept = {
        name: value
        for name, value in os.environ.items()
        if name in {"PATH", "HOME"} or name.startswith("COVERAGE_PROCESS_")
    }
    return {**kept, **more}
