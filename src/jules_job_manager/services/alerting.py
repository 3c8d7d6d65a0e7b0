"""Raises alerts for those without Prometheus: they become events, and are told like news."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime

from jules_job_manager.domain.alerts import AlertPolicy, AlertState, counted, due
from jules_job_manager.domain.clockwork import from_rfc3339, to_rfc3339
from jules_job_manager.domain.event import EventType, NewEvent
from jules_job_manager.ports.clock import Clock
from jules_job_manager.ports.store import Store
from jules_job_manager.services.event_follower import EventFollower

_NOTE = "alerts.state"

AwaySince = Callable[[], Mapping[str, datetime]]
"""Returns since when each account of Jules does not answer."""


class Alerts:
    """Counts failures in the event log, from where the last look ended.

    The place is kept after an alert was written, so a crash may raise one twice, but loses none.
    """

    def __init__(
        self, *, store: Store, clock: Clock, policy: AlertPolicy, away_since: AwaySince
    ) -> None:
        """Bind the parts."""
        self._store = store
        self._clock = clock
        self._policy = policy
        self._away_since = away_since
        self._follower: EventFollower | None = None
        self._state = AlertState()
        self._kept = ""

    async def tick(self) -> bool:
        """Look once, and write the alerts that are due as events; return whether there were any.

        Raises:
            StoreError: the store failed; it is looked at again next time.
        """
        follower = await self._begin()
        for event in await follower.read():
            self._state = counted(self._state, event)
        now = self._clock.now()
        told, after = due(self._state, self._away_since(), now, self._policy)
        if told:
            await self._store.events.append(
                [
                    NewEvent(
                        type=EventType.ALERT_CLEARED if alert.is_over else EventType.ALERT_RAISED,
                        subject=f"alert:{alert.name}", at=now,
                        data={"alert": alert.name, "text": alert.text},
                    )
                    for alert in told
                ]
            )  # fmt: skip
        self._state = after
        await self._keep(follower.last_id)
        return bool(told)

    async def _begin(self) -> EventFollower:
        if self._follower is None:
            text = await self._store.get_note(_NOTE)
            cursor = None
            if text:
                known = json.loads(text)
                cursor = int(known["cursor"])
                raised = {name: from_rfc3339(at) for name, at in known["raised"].items()}
                self._state = AlertState(failures=int(known["failures"]), raised=raised)
            self._follower = EventFollower(self._store.events, self._clock, after_id=cursor)
        return self._follower

    async def _keep(self, cursor: int) -> None:
        """Keep the state when it says something new; events that change nothing are read again."""
        raised = {name: to_rfc3339(at) for name, at in self._state.raised.items()}
        said = json.dumps({"failures": self._state.failures, "raised": raised})
        if said != self._kept:
            kept = json.dumps(
                {"cursor": cursor, "failures": self._state.failures, "raised": raised}
            )
            await self._store.set_note(_NOTE, kept)
            self._kept = said
