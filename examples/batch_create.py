"""Create a task for each line of a file: batch_create.py OWNER/NAME FILE.

One line's failure is told and does not stop the others, except when the quota is used up.
"""

import sys
from pathlib import Path

from jules_job_manager import JobManager, JulesManagerError
from jules_job_manager.errors import QuotaExceededError


def main(repository: str, file: str) -> int:
    """Return how many lines failed."""
    failed = 0
    lines = [line.strip() for line in Path(file).read_text(encoding="utf-8").splitlines()]
    with JobManager() as manager:
        for line in filter(None, lines):
            try:
                task = manager.create_task(line, repository)
            except QuotaExceededError as exc:
                print(f"stopped before {line!r}: {exc}", file=sys.stderr)
                return failed + 1
            except JulesManagerError as exc:
                failed += 1
                print(f"{line!r}: {exc}", file=sys.stderr)
            else:
                print(task.id, line)
    return failed


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    sys.exit(1 if main(*sys.argv[1:]) else 0)
