"""A worker process that begins one run and hangs; to be killed."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from tests.contract.dispatch.world import Worker, World

CLAIM_SECONDS = 2.0


async def main(kind: str, database: str, path: str, url: str) -> None:
    world = World(kind, database, Path(path), url, None)
    await world.open()
    worker = Worker(world, "doomed", claim_seconds=CLAIM_SECONDS)
    worker.may_finish.clear()
    async with world.working(worker):
        await worker.wait_until(lambda: bool(worker.begun))
        print("begun", flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
