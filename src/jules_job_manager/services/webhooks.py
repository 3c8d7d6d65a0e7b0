"""What a person does to webhooks: endpoints, their secrets, and sending again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from difflib import get_close_matches

from jules_job_manager.domain.clockwork import to_rfc3339
from jules_job_manager.domain.event import EventType, NewEvent
from jules_job_manager.domain.webhook import (
    DeliveryState,
    WebhookDelivery,
    WebhookEndpoint,
    is_usable_url,
)
from jules_job_manager.errors import InvalidInputError, WebhookNotFoundError
from jules_job_manager.ports.clock import Clock
from jules_job_manager.ports.store import Store
from jules_job_manager.ports.webhook_sender import MessageSigner, SendResult, WebhookSender

_PAGE = 500
MOST_ENDPOINTS = 100
MOST_FILTERS = 50
LONGEST_FILTER = 300
QUEUE = "queue"
SUBJECTS = ("alert:", "backlog:", "job:", "task:", "webhook:")
"""What events are about: the queue, or one of these."""


@dataclass(frozen=True, kw_only=True, slots=True)
class EndpointChange:
    """What is to be changed; None leaves it."""

    url: str | None = None
    description: str | None = None
    types: Sequence[str] | None = None
    subjects: Sequence[str] | None = None
    enabled: bool | None = None
    skip_missed: bool = False
    """Whether what happened while it was disabled is not sent."""


class Webhooks:
    """Manages endpoints and deliveries. Every change is an event."""

    def __init__(
        self,
        *,
        store: Store,
        clock: Clock,
        signer: MessageSigner,
        sender: WebhookSender,
        new_id: Callable[[], str],
        actor: str = "jjm",
    ) -> None:
        """Bind the parts.

        Args:
            store: Keeps endpoints.
            clock: Tells the time.
            signer: Makes secrets and signatures.
            sender: Sends test messages.
            new_id: Returns a text that nobody guesses, for ids.
            actor: Who does it, for events.

        Raises:
            UnsupportedOperationError: the store keeps no webhooks.
        """
        self._store = store
        self._kept = store.webhooks
        self._clock = clock
        self._signer = signer
        self._sender = sender
        self._new_id = new_id
        self._actor = actor

    async def create(
        self,
        url: str,
        *,
        types: Sequence[str] = (),
        subjects: Sequence[str] = (),
        description: str = "",
    ) -> WebhookEndpoint:
        """Make an endpoint that is sent what happens from now on; its secret is in what is returned.

        Raises:
            InvalidInputError: the address or a filter cannot be used, or there are too many.
        """
        if len(await self._kept.list_endpoints()) >= MOST_ENDPOINTS:
            raise InvalidInputError(f"There are {MOST_ENDPOINTS} endpoints already.")
        endpoint = WebhookEndpoint(
            id=f"we_{self._new_id()}", url=self._sendable(url), description=description[:LONGEST_FILTER],
            types=_types(types), subjects=_subjects(subjects),
            secret=self._signer.new_secret(), created_at=self._clock.now(),
            cursor=await self._store.events.last_id(),
        )  # fmt: skip
        await self._kept.save_endpoint(endpoint, [self._event(EventType.WEBHOOK_CREATED, endpoint)])
        return endpoint

    async def check(self, url: str | None, types: Sequence[str], subjects: Sequence[str]) -> None:
        """Refuse what an endpoint cannot have; nothing is made. None: the address stays.

        Raises:
            InvalidInputError: the address or a filter cannot be used.
        """
        if url is not None:
            self._sendable(url)
        checked_endpoint(url, types, subjects)

    async def list(self) -> Sequence[WebhookEndpoint]:
        """Return every endpoint, oldest first."""
        return await self._kept.list_endpoints()

    async def get(self, endpoint_id: str) -> WebhookEndpoint:
        """Return an endpoint.

        Raises:
            WebhookNotFoundError: there is none.
        """
        found = await self._kept.get_endpoint(endpoint_id)
        if found is None:
            raise WebhookNotFoundError(
                f"There is no webhook {endpoint_id!r}.", hint="List them with: jjm webhook list"
            )
        return found

    async def update(self, endpoint_id: str, change: EndpointChange) -> WebhookEndpoint:
        """Change an endpoint.

        Raises:
            WebhookNotFoundError: there is none.
            InvalidInputError: a value cannot be used.
        """
        endpoint = await self.get(endpoint_id)
        if change.url is not None:
            endpoint = replace(endpoint, url=self._sendable(change.url))
        if change.description is not None:
            endpoint = replace(endpoint, description=change.description[:LONGEST_FILTER])
        if change.types is not None:
            endpoint = replace(endpoint, types=_types(change.types))
        if change.subjects is not None:
            endpoint = replace(endpoint, subjects=_subjects(change.subjects))
        if change.enabled is not None:
            reason = "" if change.enabled else f"disabled by {self._actor}"
            endpoint = replace(
                endpoint, enabled=change.enabled, disabled_reason=reason, failing_since=None
            )
        await self._kept.save_endpoint(endpoint, [self._event(EventType.WEBHOOK_CHANGED, endpoint)])
        if change.skip_missed:
            newest = await self._store.events.last_id()
            await self._kept.add_deliveries(endpoint.id, (), cursor=newest, now=self._clock.now())
        return endpoint

    async def delete(self, endpoint_id: str) -> None:
        """Forget an endpoint and its deliveries.

        Raises:
            WebhookNotFoundError: there is none.
        """
        endpoint = await self.get(endpoint_id)
        event = self._event(EventType.WEBHOOK_DELETED, endpoint)
        await self._kept.delete_endpoint(endpoint_id, [event])

    async def rotate_secret(
        self, endpoint_id: str, *, keep_old: timedelta = timedelta(days=1)
    ) -> WebhookEndpoint:
        """Give an endpoint a new secret; messages are signed with both for a while.

        Raises:
            WebhookNotFoundError: there is none.
        """
        before = await self.get(endpoint_id)
        endpoint = replace(
            before, secret=self._signer.new_secret(), old_secret=before.secret,
            old_secret_until=self._clock.now() + keep_old,
        )  # fmt: skip
        event = self._event(EventType.WEBHOOK_CHANGED, endpoint, what="secret")
        await self._kept.save_endpoint(endpoint, [event])
        return endpoint

    async def deliveries(
        self,
        endpoint_id: str | None = None,
        *,
        state: DeliveryState | None = None,
        before_id: int | None = None,
        limit: int = 50,
    ) -> Sequence[WebhookDelivery]:
        """Return deliveries, newest first.

        Raises:
            WebhookNotFoundError: there is no such endpoint.
        """
        if endpoint_id is not None:
            await self.get(endpoint_id)
        return await self._kept.list_deliveries(
            endpoint_id=endpoint_id, state=state, before_id=before_id, limit=limit
        )

    async def replay(self, delivery_id: int, *, dry_run: bool = False) -> int:
        """Send one delivery again, with the same message id; return how many there are: 1.

        Raises:
            WebhookNotFoundError: there is none.
        """
        found = await self._kept.get_delivery(delivery_id)
        if found is None:
            raise WebhookNotFoundError(
                f"There is no delivery {delivery_id}.",
                hint="List them with: jjm webhook deliveries",
            )
        if not dry_run:
            now = self._clock.now()
            await self._kept.send_again(found.endpoint_id, [found.event_id], now=now)
        return 1

    async def replay_since(
        self, endpoint_id: str, since: datetime, *, dry_run: bool = False
    ) -> int:
        """Send again every wanted event since then, those too that were never sent; return how many.

        Raises:
            WebhookNotFoundError: there is no such endpoint.
        """
        endpoint = await self.get(endpoint_id)
        wanted = replace(endpoint.matching, since=since)
        after, count, now = 0, 0, self._clock.now()
        while True:
            events = await self._store.events.read(
                matching=wanted, after_id=after, before_id=endpoint.cursor + 1, limit=_PAGE
            )
            numbers = [event.id for event in events]
            if events and not dry_run:
                await self._kept.add_deliveries(endpoint.id, events, cursor=0, now=now)
                await self._kept.send_again(endpoint.id, numbers, now=now)
            count += len(numbers)
            if len(events) < _PAGE:
                return count
            after = numbers[-1]

    async def test(self, endpoint_id: str) -> SendResult:
        """Send a test message at once, whether the endpoint is enabled or not.

        Raises:
            WebhookNotFoundError: there is no such endpoint.
        """
        endpoint = await self.get(endpoint_id)
        now = self._clock.now()
        body = f'{{"type":"webhook_test","timestamp":"{to_rfc3339(now)}","data":{{}}}}'
        headers = self._signer.headers(
            message_id=f"msg_test_{self._new_id()}", timestamp=int(now.timestamp()), body=body,
            secrets=endpoint.secrets_at(now),
        )  # fmt: skip
        return await self._sender.send(endpoint.url, body=body, headers=headers)

    def _sendable(self, text: str) -> str:
        url = _url(text)
        if why := self._sender.refusal(url):
            raise InvalidInputError(
                f"Nothing would be sent to {url}: {why}.",
                hint="Where messages may go: docs/reference/webhooks.md.",
            )
        return url

    def _event(self, kind: EventType, endpoint: WebhookEndpoint, **more: str) -> NewEvent:
        data = {"url": endpoint.url, "enabled": endpoint.enabled, **more}
        return NewEvent(
            type=kind, subject=f"webhook:{endpoint.id}", at=self._clock.now(), actor=self._actor,
            data=data,
        )  # fmt: skip


def checked_endpoint(url: str | None, types: Sequence[str], subjects: Sequence[str]) -> None:
    """Refuse what an endpoint cannot have.

    Raises:
        InvalidInputError: the address or a filter cannot be used.
    """
    if url is not None:
        _url(url)
    _types(types)
    _subjects(subjects)


def checked_change(change: EndpointChange) -> None:
    """Refuse what an endpoint cannot become; see `checked_endpoint`."""
    checked_endpoint(change.url, change.types or (), change.subjects or ())


def _url(text: str) -> str:
    url = text.strip()
    if not is_usable_url(url):
        raise InvalidInputError(
            f"{text!r} is no address that messages can be sent to.",
            hint="Write it as https://example.org/hook, without user and password.",
        )
    return url


def _types(given: Sequence[str]) -> tuple[str, ...]:
    known = [kind.value for kind in EventType]
    for one in _filters("type", given):
        if one not in known:
            close_ones = get_close_matches(one, known, n=3) or known
            raise InvalidInputError(
                f"There are no events of the type {one!r}.",
                hint=f"Did you mean one of these? {', '.join(close_ones)}",
            )
    return _filters("type", given)


def _subjects(given: Sequence[str]) -> tuple[str, ...]:
    for one in _filters("subject", given):
        name = one.removesuffix("*")
        if one == QUEUE or name.startswith(SUBJECTS):
            continue
        if one.endswith("*") and any(kind.startswith(name) for kind in (*SUBJECTS, QUEUE)):
            continue
        raise InvalidInputError(
            f"No event is about {one!r}.",
            hint=f"Subjects are {QUEUE}, and what begins with one of: {', '.join(SUBJECTS)}.",
        )
    return _filters("subject", given)


def _filters(what: str, given: Sequence[str]) -> tuple[str, ...]:
    if len(given) > MOST_FILTERS or any(not 0 < len(one) <= LONGEST_FILTER for one in given):
        raise InvalidInputError(
            f"At most {MOST_FILTERS} filters by {what} are kept, each of 1 to {LONGEST_FILTER} characters."
        )
    return tuple(dict.fromkeys(given))
