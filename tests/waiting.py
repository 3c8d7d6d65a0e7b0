"""Waiting for something that another task or process does, without guessing how long it takes."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable


async def until(condition: Callable[[], object], seconds: float = 30) -> None:
    """Let others work until `condition` (or what it returns, awaited) is true; fail after `seconds`."""
    async with asyncio.timeout(seconds):
        while True:
            found = condition()
            if await found if inspect.isawaitable(found) else found:
                return
            await asyncio.sleep(0.001)
