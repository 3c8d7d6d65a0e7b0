"""What commands do beside tasks and the queue: keys, the audit log, webhooks, repositories.

One object, so that a command need not know whether it works here or through a service, which has
another of the same form.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from jules_job_manager.domain.access import ApiKey, EndedSignIns, Permission, Role, SignedIn
from jules_job_manager.domain.audit import AuditEntry, Proof
from jules_job_manager.services.access import IssuedKey

if TYPE_CHECKING:
    from jules_job_manager.bootstrap import App
    from jules_job_manager.domain.job import Job
    from jules_job_manager.domain.review import Review
    from jules_job_manager.ports.audit_log import AuditQuery
    from jules_job_manager.services.check_suite import Tell
    from jules_job_manager.services.cleaning import CleanStep
    from jules_job_manager.services.flakes import CheckHistory
    from jules_job_manager.services.reverting import Reverted
    from jules_job_manager.services.webhooks import Webhooks
    from jules_job_manager.settings.model import Settings


@dataclass(frozen=True, kw_only=True, slots=True)
class MadeLink:
    """A link that signs a person in, once."""

    url: str
    expires_at: datetime


class Administration:
    """Does it with the store and the repositories of this machine."""

    def __init__(self, app: App) -> None:
        """Use the parts of an application."""
        self._app = app

    async def create_key(
        self, name: str, role: Role, *, scopes: frozenset[Permission], expires_at: datetime | None
    ) -> IssuedKey:
        """Make an API key; see `AccessService.create`."""
        from jules_job_manager.bootstrap.access import access_of, local_caller

        access = access_of(self._app.store, self._app.clock)
        return await access.create(
            name, role, scopes=scopes, expires_at=expires_at, caller=local_caller()
        )

    async def list_keys(self) -> Sequence[ApiKey]:
        """Return every API key, oldest first."""
        from jules_job_manager.bootstrap.access import access_of

        return await access_of(self._app.store, self._app.clock).list_keys()

    async def revoke_key(self, reference: str) -> ApiKey:
        """Make an API key stop working; see `AccessService.revoke`."""
        from jules_job_manager.bootstrap.access import access_of, local_caller

        access = access_of(self._app.store, self._app.clock)
        return await access.revoke(reference, caller=local_caller())

    async def rotate_key(
        self, reference: str, *, overlap: timedelta, expires_at: datetime | None
    ) -> IssuedKey:
        """Give an API key a successor; see `AccessService.rotate`."""
        from jules_job_manager.bootstrap.access import access_of, local_caller

        access = access_of(self._app.store, self._app.clock)
        return await access.rotate(
            reference, overlap=overlap, expires_at=expires_at, caller=local_caller()
        )

    async def make_link(self, name: str, role: Role) -> MadeLink:
        """Make a link that signs a person in; see `SignInService.link`."""
        from jules_job_manager.bootstrap.access import local_caller, public_url, sign_in_of

        settings = self._app.settings
        sign_in = sign_in_of(self._app.store, settings, self._app.clock)
        link = await sign_in.link(name, role, caller=local_caller())
        url = f"{public_url(settings)}/sign-in?token={link.text}"
        return MadeLink(url=url, expires_at=link.expires_at)

    async def sign_out_person(self, name: str) -> EndedSignIns:
        """End all sessions of a person and unused links; see `SignInService.sign_out_person`."""
        from jules_job_manager.bootstrap.access import local_caller, sign_in_of

        sign_in = sign_in_of(self._app.store, self._app.settings, self._app.clock)
        return await sign_in.sign_out_person(name, caller=local_caller())

    async def list_sessions(self) -> Sequence[SignedIn]:
        """Return who is signed in with a browser, oldest first."""
        from jules_job_manager.bootstrap.access import sign_in_of

        sign_in = sign_in_of(self._app.store, self._app.settings, self._app.clock)
        return [session.shown() for session in await sign_in.list_sessions()]

    async def list_settings(self) -> list[dict[str, str]]:
        """Return every setting as it may be shown; see `settings.shown.rows`."""
        from jules_job_manager.settings.shown import rows

        return rows(self._app.settings, are_secrets_read=True)

    async def newest_entries(self, query: AuditQuery, *, limit: int) -> Sequence[AuditEntry]:
        """Return entries of the audit log, newest first, at most `limit` (1 to 1000)."""
        from jules_job_manager.bootstrap.access import audit_of

        app = self._app
        return await audit_of(app.store, app.settings, app.clock).newest(query, limit=limit)

    def entries(self, query: AuditQuery) -> AsyncIterator[AuditEntry]:
        """Yield every entry of the audit log that fits, oldest first."""
        from jules_job_manager.bootstrap.access import audit_of

        app = self._app
        return audit_of(app.store, app.settings, app.clock).entries(query)

    async def prove(self, expected_head: str) -> Proof:
        """Read the whole audit log; see `AuditService.verify`."""
        from jules_job_manager.bootstrap.access import audit_of

        app = self._app
        audit = audit_of(app.store, app.settings, app.clock)
        return Proof.of(await audit.verify(expected_head=expected_head))

    def webhooks(self) -> AbstractAsyncContextManager[Webhooks]:
        """Yield what manages webhooks; see `webhooks_of`."""
        from jules_job_manager.bootstrap.live import webhooks_of

        return webhooks_of(self._app, actor=self._app.actor or "jjm")

    async def revert(
        self, job: Job, *, remotes: dict[str, str], checks: bool, dry_run: bool
    ) -> Reverted:
        """Take back what was merged for a job, and bring its document up to date.

        Args:
            job: As stored.
            remotes: Where repositories are; a service has its own.
            checks: Whether the commands are run on the result.
            dry_run: Only find out whether it would work.

        Raises:
            InvalidInputError, ForgeError, OperationFailedError: see `Reverting.revert`.
        """
        from jules_job_manager.bootstrap.queue import reverting_of

        app, settings = self._app, self._app.settings
        found = await reverting_of(app, settings, remotes).revert(
            job, dry_run=dry_run, checks=checks
        )
        if found.job.status is not job.status and job.backlog:
            await app.documents(writes=settings.queue.write_back).write_back(job.backlog)
        return found

    async def review_again(
        self,
        job: Job,
        *,
        settings: Settings,
        remotes: dict[str, str],
        tell: Tell,
        warn: Callable[[str], None],
    ) -> Review:
        """Check the delivery of a job that was reviewed last once more; nothing is kept.

        Args:
            job: As stored.
            settings: Those in force here; a service has its own.
            remotes: Where repositories are; a service has its own.
            tell: Hears of each result as soon as it is there; a service does not tell.
            warn: Hears what people must know of the checks.

        Raises:
            ConfigurationError: the configured sandbox cannot be used.
            InvalidInputError: no delivery of the job was reviewed yet.
            ForgeError: git failed.
        """
        from jules_job_manager.bootstrap.queue import reviewer_of
        from jules_job_manager.bootstrap.sandbox import check_warnings
        from jules_job_manager.services.repeated_reviews import review_once_more

        for warning in await check_warnings(settings):
            warn(warning)
        reviewer = reviewer_of(self._app, settings, remotes)
        return await review_once_more(self._app.store, reviewer, job, tell)

    async def clean(
        self, *, remotes: dict[str, str], delete: bool, all_tasks: bool, dry_run: bool
    ) -> list[CleanStep]:
        """Put away tasks whose work is merged; see `Cleaning.steps`."""
        from jules_job_manager.bootstrap.upkeep import cleaning_of

        cleaning = cleaning_of(self._app, self._app.settings, remotes)
        steps = cleaning.steps(delete=delete, all_tasks=all_tasks, dry_run=dry_run)
        return [step async for step in steps]

    async def check_histories(self) -> list[CheckHistory]:
        """Return how often each check was flaky; see `check_histories`."""
        from jules_job_manager.services.flakes import check_histories

        return await check_histories(self._app.store)

    async def try_notifications(self, *, alert: bool, dry_run: bool) -> int:
        """Send a test message to every address of notify.urls; return how many there are.

        Args:
            alert: Whether it has the form of an alert.
            dry_run: Only check the addresses.

        Raises:
            UnsupportedOperationError: there is no address.
            ConfigurationError: one cannot be used.
            NotificationError: one did not take it.
        """
        from jules_job_manager.adapters.notifiers.apprise import AppriseNotifier
        from jules_job_manager.bootstrap.queue import digest_policy
        from jules_job_manager.errors import UnsupportedOperationError
        from jules_job_manager.services.notifying import trial_message

        settings = self._app.settings
        if not settings.notify.urls:
            raise UnsupportedOperationError(
                "No address is configured.",
                hint="Set notify.urls, for example to slack://… or mailto://…",
            )
        digest_policy(settings)
        notifier = AppriseNotifier(settings.notify.urls)
        if not dry_run:
            await notifier.send(*trial_message(self._app.clock.now(), is_alert=alert))
        return len(settings.notify.urls)
