"""The Disk port on the file system that a folder is on."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

from jules_job_manager.errors import StoreError
from jules_job_manager.ports.disk import DiskRoom


class FolderDisk:
    """The file system of a folder; of the nearest one that exists, while it does not."""

    def __init__(self, folder: Path) -> None:
        """Look at `folder`."""
        self._folder = folder
        self._look: asyncio.Future[DiskRoom] | None = None

    async def room(self) -> DiskRoom:
        """Return how much room there is.

        A network file system may hang for ever, and a thread cannot be ended: while one hangs, no
        other is begun, however often this is asked.

        Raises:
            StoreError: the folder cannot be looked at, or an earlier look still hangs.
        """
        if self._look is not None and not self._look.done():
            raise StoreError(f"The file system of {self._folder} does not answer.")
        self._look = asyncio.ensure_future(asyncio.to_thread(_room, self._folder))
        try:
            return await asyncio.shield(self._look)
        except OSError as exc:
            raise StoreError(f"{self._folder} cannot be looked at: {exc.strerror}.") from exc


def _room(folder: Path) -> DiskRoom:
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    usage = shutil.disk_usage(folder)
    return DiskRoom(free_bytes=usage.free)
