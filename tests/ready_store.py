"""An empty store that has its tables already: making them takes longer than most tests.

A copy of what the program itself has made once in this process. How the tables come to be is tested
in `tests/contract/stores/test_schema.py` and by every command in a new home.
"""

from __future__ import annotations

import asyncio
import functools
import shutil
import tempfile
import threading
from pathlib import Path

from jules_job_manager.adapters.storage.opening import open_sqlite


@functools.cache
def _made() -> bytes:
    async def make(path: Path) -> None:
        await (await open_sqlite(path)).aclose()

    folder = Path(tempfile.mkdtemp(prefix="jjm-empty-"))
    # In a thread of its own, since the caller's may have a loop that runs.
    maker = threading.Thread(target=lambda: asyncio.run(make(folder / "jjm.db")))
    maker.start()
    maker.join()
    content = (folder / "jjm.db").read_bytes()
    shutil.rmtree(folder)
    return content


def put_ready_store(path: Path) -> Path:
    """Write the file of an empty SQLite store and return its path; its folder is made when missing."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.write_bytes(_made())
    return path
