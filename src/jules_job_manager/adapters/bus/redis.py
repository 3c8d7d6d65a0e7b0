"""Hints between processes, by Redis publish and subscribe."""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from typing import TYPE_CHECKING

from jules_job_manager.adapters.redis_client import close_redis
from jules_job_manager.domain.event import NewEvent
from jules_job_manager.domain.masking import masked
from jules_job_manager.ports.clock import Clock
from jules_job_manager.ports.event_bus import BusHealth

if TYPE_CHECKING:
    from redis.asyncio import Redis
    from redis.asyncio.client import PubSub

_LOG = logging.getLogger(__name__)
EVERYTHING = "jjm:events"
"""The channel on which every event is hinted at."""
TASK_CHANNEL = "task:updates:"
"""Begin of a task's own channel, as ticket JJM-036 names it."""
AGAIN_SECONDS = 0.5
"""Wait before the first try to connect again; each next one is twice as long."""
AGAIN_MOST_SECONDS = 15.0
_TASK = "task:"


class RedisBus:
    """The EventBus port on Redis."""

    name = "redis"

    def __init__(self, client: Redis, *, clock: Clock, quiet_seconds: float = 15.0) -> None:
        """Use a client, which is closed with the bus.

        Args:
            client: See `open_redis`.
            clock: Waits between two tries.
            quiet_seconds: Silence after which the connection is tried with a ping, > 0.
        """
        self._client = client
        self._clock = clock
        self._quiet = quiet_seconds
        self._troubles: dict[str, str] = {}
        """What is wrong with sending and with listening, by direction."""
        self._lost = 0

    async def publish(self, events: Sequence[NewEvent]) -> None:
        """Send every event on the channel of its task, and on that of all."""
        from redis.exceptions import RedisError

        if not events:
            return
        pipe = self._client.pipeline(transaction=False)
        for event in events:
            pipe.publish(
                EVERYTHING, json.dumps({"event_type": event.type, "subject": event.subject})
            )
            if event.subject.startswith(_TASK):
                task_id = event.subject.removeprefix(_TASK)
                message = {"task_id": task_id, "event_type": event.type, "data": dict(event.data)}
                pipe.publish(f"{TASK_CHANNEL}{task_id}", json.dumps(message))
        try:
            await pipe.execute()
        except (RedisError, OSError) as exc:
            self._lost += len(events)
            self._is_away("send", exc)
        else:
            self._troubles.pop("send", None)

    async def listen(self, heard: Callable[[], None]) -> None:
        """Call `heard` after every hint and after every new connection; runs until cancelled."""
        from redis.exceptions import RedisError

        failures = 0
        while True:
            try:
                async with self._client.pubsub() as channel:
                    await channel.subscribe(EVERYTHING)
                    async for kind in self._messages(channel):
                        self._troubles.pop("listen", None)
                        failures = 0
                        if kind in {"message", "subscribe"}:
                            heard()
            except (RedisError, OSError) as exc:
                self._is_away("listen", exc)
            await self._clock.sleep(min(AGAIN_SECONDS * (1 << failures), AGAIN_MOST_SECONDS))
            failures = min(failures + 1, 8)

    async def _messages(self, channel: PubSub) -> AsyncIterator[str]:
        """Yield the kind of each message.

        Raises:
            TimeoutError: the server does not even answer a ping.
        """
        has_asked = False
        while True:
            message = await channel.get_message(timeout=self._quiet)
            if message is not None:
                has_asked = False
                yield str(message["type"])
            elif has_asked:
                raise TimeoutError("it does not answer")
            else:
                await channel.ping()
                has_asked = True

    def health(self) -> BusHealth:
        """Return how it does, from the last try."""
        trouble = next(iter(self._troubles.values()), "")
        return BusHealth(
            name=self.name, degraded=bool(trouble), detail=trouble, lost_hints=self._lost
        )

    async def aclose(self) -> None:
        """Close the pool."""
        await close_redis(self._client)

    def _is_away(self, direction: str, exc: Exception) -> None:
        words = masked(str(exc).strip() or type(exc).__name__)
        if direction not in self._troubles:
            _LOG.warning("Redis is away: %s", words, extra={"action": "bus"})
        self._troubles[direction] = f"Redis is away, so news come a little later: {words}"
