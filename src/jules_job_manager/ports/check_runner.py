"""Runs check commands on a delivery."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Protocol

from jules_job_manager.domain.review import CheckResult


class CheckRunner(Protocol):
    """Runs one command in a folder with agent-made code in it.

    The code is hostile: no secret of our environment reaches it, its whole process tree is
    ended with the command, and its output is bounded.
    """

    async def run(
        self,
        command: str,
        *,
        folder: Path,
        timeout_seconds: float,
        output_limit_bytes: int = 65536,
        network: bool = False,
    ) -> CheckResult:
        """Run `command` with the system shell in `folder`; the result's name is the command.

        Only with `network` does it reach one, where the runner can keep it from it.

        Exit code 0 is success; running out of time is `timed_out`.
        """
        ...

    def copied(self, folder: Path) -> AbstractAsyncContextManager[Path]:
        """Make a copy of the folder, for one check alone; it lives as long as the context.

        Raises:
            OperationFailedError: it cannot be copied.
        """
        ...
