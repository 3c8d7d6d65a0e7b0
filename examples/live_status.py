"""A live table of all tasks: live_status.py [SECONDS BETWEEN LOOKS] [LOOKS]."""

import contextlib
import itertools
import sys
import time

from rich.live import Live
from rich.table import Table
from rich.text import Text

from jules_job_manager import JobManager, JulesTask
from jules_job_manager.domain.text import safe_text


def table(tasks: list[JulesTask]) -> Table:
    """Return the table; titles are what others wrote, so they are neither markup nor terminal codes."""
    shown = Table("ID", "Status", "Repository", "Title")
    for task in tasks:
        row = (task.id, task.status.value, task.repository, task.title)
        shown.add_row(*(Text(safe_text(cell)) for cell in row))
    return shown


def main(interval: float, looks: int | None) -> None:
    """Look until Ctrl-C, or `looks` times."""
    with JobManager() as manager, Live(auto_refresh=False) as live:
        for number in itertools.count(1):
            live.update(table(manager.list_tasks()), refresh=True)
            if number == looks:
                return
            time.sleep(interval)


if __name__ == "__main__":
    given = [float(word) for word in sys.argv[1:]]
    with contextlib.suppress(KeyboardInterrupt):
        main(given[0] if given else 30, int(given[1]) if len(given) > 1 else None)
