"""Keys, the audit log, webhooks and what is done to repositories, by a service."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, cast

from jules_job_manager.bootstrap.administration import Administration, MadeLink
from jules_job_manager.client import models as m
from jules_job_manager.client.hints import Hints
from jules_job_manager.client.operations import Operations
from jules_job_manager.client.problems import error_named
from jules_job_manager.client.webhooks import RemoteWebhooks
from jules_job_manager.domain.access import ApiKey, EndedSignIns, Permission, Role, SignedIn
from jules_job_manager.domain.audit import AuditEntry, Proof
from jules_job_manager.domain.clockwork import from_rfc3339, optional_to_rfc3339
from jules_job_manager.domain.entity_tag import entity_tag
from jules_job_manager.domain.event import EventType
from jules_job_manager.domain.job import Job
from jules_job_manager.domain.review import Review
from jules_job_manager.errors import OperationFailedError, ServiceUnreachableError
from jules_job_manager.ports.audit_log import AuditQuery
from jules_job_manager.services.access import IssuedKey, checked_name
from jules_job_manager.services.cleaning import CleanStep
from jules_job_manager.services.flakes import CheckHistory
from jules_job_manager.services.repeated_reviews import RUNNING, RepeatedReview
from jules_job_manager.services.reverting import Reverted
from jules_job_manager.services.webhooks import Webhooks

if TYPE_CHECKING:
    from jules_job_manager.services.check_suite import Tell
    from jules_job_manager.settings.model import Settings

_PAGE = 1000
LIVE_SECONDS = 10.0
"""Between two looks at a review while events are heard as they happen."""
POLL_SECONDS = 2.0
"""Between two looks while they are not."""


class RemoteAdministration(Administration):
    """`Administration` by a service: what it says of each method holds here too."""

    def __init__(
        self, operations: Operations, hearing: Callable[..., AbstractAsyncContextManager[Hints]]
    ) -> None:
        """Ask by `operations`; `hearing` listens to events (`RemoteApp.hearing`)."""
        self._operations = operations
        self._hearing = hearing

    async def create_key(
        self, name: str, role: Role, *, scopes: frozenset[Permission], expires_at: datetime | None
    ) -> IssuedKey:
        """See `Administration.create_key`."""
        body = {
            "name": checked_name(name), "role": role.value, "scopes": sorted(scopes),
            "expires_at": optional_to_rfc3339(expires_at),
        }  # fmt: skip
        return _issued(await self._operations.create_key(body=cast("m.NewKey", body)))

    async def list_keys(self) -> Sequence[ApiKey]:
        """See `Administration.list_keys`."""
        return [ApiKey.from_dict(key) for key in (await self._operations.list_keys())["items"]]

    async def revoke_key(self, reference: str) -> ApiKey:
        """See `Administration.revoke_key`."""
        return ApiKey.from_dict(await self._operations.revoke_key(_short(reference)))

    async def rotate_key(
        self, reference: str, *, overlap: timedelta, expires_at: datetime | None
    ) -> IssuedKey:
        """See `Administration.rotate_key`."""
        body: m.Rotation = {
            "overlap_seconds": overlap.total_seconds(),
            "expires_at": optional_to_rfc3339(expires_at),
        }
        return _issued(await self._operations.rotate_key(_short(reference), body=body))

    async def make_link(self, name: str, role: Role) -> MadeLink:
        """See `Administration.make_link`."""
        body = cast("m.NewLink", {"name": checked_name(name), "role": role.value})
        made = await self._operations.create_link(body=body)
        return MadeLink(url=made["url"], expires_at=from_rfc3339(made["expires_at"]))

    async def sign_out_person(self, name: str) -> EndedSignIns:
        """See `Administration.sign_out_person`."""
        return EndedSignIns(**await self._operations.sign_out_person(name))

    async def list_sessions(self) -> Sequence[SignedIn]:
        """See `Administration.list_sessions`."""
        found = (await self._operations.list_sessions())["items"]
        return [SignedIn.from_dict(session) for session in found]

    async def list_settings(self) -> list[dict[str, str]]:
        """See `Administration.list_settings`; they are the service's."""
        found = await self._operations.list_settings()
        return [
            {"name": s["name"], "value": s["value"], "source": s["source"], "help": s["help"]}
            for s in found
        ]

    async def newest_entries(self, query: AuditQuery, *, limit: int) -> Sequence[AuditEntry]:
        """See `Administration.newest_entries`."""
        page = await self._operations.list_audit_entries(**_filters(query), limit=limit)
        return [AuditEntry.from_dict(item) for item in page["items"]]

    async def entries(self, query: AuditQuery) -> AsyncIterator[AuditEntry]:
        """See `Administration.entries`."""
        cursor: int | None = None
        while True:
            page = await self._operations.list_audit_entries(
                **_filters(query), sort="number", limit=_PAGE, cursor=cursor
            )
            for item in page["items"]:
                yield AuditEntry.from_dict(item)
            cursor = page["next_cursor"]
            if cursor is None:
                return

    async def prove(self, expected_head: str) -> Proof:
        """See `Administration.prove`."""
        return Proof.from_dict(await self._operations.verify_audit(expect_head=expected_head))

    def webhooks(self) -> AbstractAsyncContextManager[Webhooks]:
        """See `Administration.webhooks`."""
        return nullcontext(RemoteWebhooks(self._operations))

    async def revert(
        self, job: Job, *, remotes: dict[str, str], checks: bool, dry_run: bool
    ) -> Reverted:
        """See `Administration.revert`; the repositories are the service's."""
        del remotes
        body: m.RevertIn = {"checks": checks, "dry_run": dry_run}
        found = await self._operations.revert_job(
            job.key, body=body, if_match=entity_tag(job.to_dict())
        )
        return Reverted.from_dict(found)

    async def review_again(
        self,
        job: Job,
        *,
        settings: Settings,
        remotes: dict[str, str],
        tell: Tell,
        warn: Callable[[str], None],
    ) -> Review:
        """See `Administration.review_again`; the service's being away meanwhile is waited out.

        Raises:
            OperationFailedError: the service was stopped before it ended.
        """
        del settings, remotes, tell
        tag = entity_tag(job.to_dict())
        begun = await self._operations.review_job_again(job.key, if_match=tag)
        for warning in begun["warnings"]:
            warn(warning)
        subject, told = f"job:{job.key}", EventType.REVIEW_REPEATED.value
        is_away = False
        async with self._hearing(subject=subject, type=told) as hints:
            while True:
                try:
                    found = RepeatedReview.from_dict(
                        await self._operations.get_repeated_review(job.key, begun["id"])
                    )
                except ServiceUnreachableError as exc:
                    if not is_away:
                        warn(str(exc))
                    is_away = True
                else:
                    if found.state != RUNNING:
                        return _result(job, found)
                await hints.wait(LIVE_SECONDS if hints.is_live else POLL_SECONDS)

    async def clean(
        self, *, remotes: dict[str, str], delete: bool, all_tasks: bool, dry_run: bool
    ) -> list[CleanStep]:
        """See `Administration.clean`; the repositories are the service's."""
        del remotes
        body: m.CleanIn = {"delete": delete, "all_tasks": all_tasks, "dry_run": dry_run}
        return [CleanStep.from_dict(step) for step in await self._operations.clean_queue(body=body)]

    async def check_histories(self) -> list[CheckHistory]:
        """See `Administration.check_histories`."""
        found = await self._operations.list_flaky_checks()
        return [CheckHistory.from_dict(history) for history in found]

    async def try_notifications(self, *, alert: bool, dry_run: bool) -> int:
        """See `Administration.try_notifications`; the addresses are the service's."""
        body: m.NotifyIn = {"alert": alert, "dry_run": dry_run}
        return (await self._operations.test_notifications(body=body))["addresses"]


def _result(job: Job, found: RepeatedReview) -> Review:
    if found.review is not None:
        return found.review
    if found.error is not None:
        error = found.error
        raise error_named(str(error["code"]), str(error["detail"]), error["hint"])
    raise OperationFailedError(
        "The service was stopped before the review ended.",
        hint=f"Ask again: jjm review {job.key!r} --again",
    )


def _issued(made: m.IssuedKeyView) -> IssuedKey:
    return IssuedKey(key=ApiKey.from_dict(made), text=made["key"])


def _short(reference: str) -> str:
    """Return a key's id in place of the key itself, which belongs into no address."""
    from jules_job_manager.domain.access import parts_of

    reference = reference.strip()
    parts = parts_of(reference)
    return reference if parts is None else parts[0]


def _filters(query: AuditQuery) -> dict[str, Any]:
    given = {
        "since": optional_to_rfc3339(query.since), "until": optional_to_rfc3339(query.until),
        "actor": query.actor, "operation": query.operation, "resource": query.resource,
        "result": query.result, "request_id": query.request_id,
    }  # fmt: skip
    return {name: value for name, value in given.items() if value}
