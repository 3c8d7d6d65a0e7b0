"""Waiting for something that another task or process does, without guessing how long it takes."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable


async def until(condition: Callable[[], object], seconds: float = 30) -> None:
    """Let others work until `condition` (or what it returns, awaited) is true; fail after `seconds`."""
    pause = 0.001
    async with asyncio.timeout(seconds):
        while True:
            found = condition()
            if await found if inspect.isawaitable(found) else found:
                return
            await asyncio.sleep(pause)
            pause = min(1.2 * pause, 0.02)  # asking costs those who are waited for their time
