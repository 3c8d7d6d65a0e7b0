"""Tells people what events say is worth telling: each at least once, in few messages."""

from __future__ import annotations

import json
import logging
from dataclasses import replace
from datetime import datetime, timedelta

from jules_job_manager.domain.clockwork import from_rfc3339, to_rfc3339
from jules_job_manager.domain.event import Event, EventType
from jules_job_manager.domain.news import DigestPolicy, News, is_due, message_of, news_of
from jules_job_manager.errors import NotificationError
from jules_job_manager.ports.clock import Clock
from jules_job_manager.ports.notifier import Notifier
from jules_job_manager.ports.store import Store

_LOG = logging.getLogger(__name__)
_CURSOR = "notify.cursor"
_SENT = "notify.sent"
_PAGE = 500
AGAIN = timedelta(minutes=2)
"""Pause after a message that nobody took; each next one is twice as long."""
AGAIN_MOST = timedelta(hours=1)


class Notifications:
    """Reads the event log from where the last message ended.

    The place is kept once a message was taken, so a crash may tell something twice, but loses
    nothing. One address that takes it is enough: the others are in the log, and a broken one must
    not make the rest get everything again and again.
    """

    def __init__(
        self, *, store: Store, notifier: Notifier, clock: Clock, policy: DigestPolicy
    ) -> None:
        """Bind the parts."""
        self._store = store
        self._notifier = notifier
        self._clock = clock
        self._policy = policy
        self._pending: list[News] = []
        self._read_to: int | None = None
        self._not_before: datetime | None = None
        self._failures = 0

    async def tick(self, *, last: bool = False) -> bool:
        """Send what is due; with `last` what waits for a digest too.

        What is left because of a quiet hour or the budget is told by whoever looks next.

        Returns:
            Whether a message was sent.
        """
        await self._read()
        now, sent = self._clock.now(), await self._sent()
        if self._not_before is not None and now < self._not_before:
            return False
        policy = replace(self._policy, wait=timedelta(0)) if last else self._policy
        if not is_due(self._pending, sent, now, policy):
            return False
        if not await self._send(now):
            return False
        self._pending.clear()
        await self._store.set_note(_CURSOR, str(self._read_to))
        kept = [moment for moment in sent if now - moment < timedelta(hours=1)]
        await self._store.set_note(_SENT, json.dumps([to_rfc3339(m) for m in (*kept, now)]))
        return True

    async def _send(self, now: datetime) -> bool:
        """Send everything pending; return whether anybody took it."""
        try:
            await self._notifier.send(*message_of(self._pending))
        except NotificationError as exc:
            _LOG.warning("%s", exc, extra={"action": "notify"})
            if not exc.context.get("taken"):
                pause = min(AGAIN * (1 << min(self._failures, 8)), AGAIN_MOST)
                self._failures += 1
                self._not_before = now + pause
                return False
        self._failures, self._not_before = 0, None
        return True

    async def _read(self) -> None:
        if self._read_to is None:
            known = await self._store.get_note(_CURSOR)
            # Whoever turns notifications on is told what happens from now on.
            self._read_to = int(known) if known else await self._store.events.last_id()
            if not known:
                await self._store.set_note(_CURSOR, str(self._read_to))
        moved = False
        while True:
            events = await self._store.events.read(after_id=self._read_to, limit=_PAGE)
            for event in events:
                news = news_of(event)
                if news is not None and news.kind in self._policy.kinds:
                    self._pending.append(news)
                self._read_to, moved = event.id, True
            if len(events) < _PAGE:
                break
        if not self._pending and moved:
            await self._store.set_note(_CURSOR, str(self._read_to))

    async def _sent(self) -> list[datetime]:
        text = await self._store.get_note(_SENT)
        return [from_rfc3339(moment) for moment in json.loads(text)] if text else []


def trial_message(now: datetime, *, is_alert: bool) -> tuple[str, str]:
    """Return title and body of a test; an alert goes the way that true ones go, from an event on."""
    if not is_alert:
        return "jjm: a test", "Messages of jjm reach you here."
    data = {"alert": "test", "text": "this is a test; nothing is wrong"}
    event = Event(id=0, type=EventType.ALERT_RAISED, subject="alert:test", at=now, data=data)
    news = news_of(event)
    assert news is not None
    return message_of([news])
