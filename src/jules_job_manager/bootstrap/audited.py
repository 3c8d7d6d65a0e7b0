"""The application of the command line, which writes what it changes into the audit log.

The API does the same for every request (`web/auditing.py`), with the same names and words, so both
stand in one chain. What a command only reads, and what a dry run would do, leaves no entry; keys and
links write their own.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, TypeVar, cast

from jules_job_manager.bootstrap import App, open_app
from jules_job_manager.bootstrap.administration import Administration
from jules_job_manager.errors import JulesManagerError, StoreError

if TYPE_CHECKING:
    from datetime import datetime

    from jules_job_manager.domain.change_notes import ChangeNote
    from jules_job_manager.domain.job import Attempt, Job
    from jules_job_manager.domain.review import Review
    from jules_job_manager.domain.task import JulesTask, NewTask
    from jules_job_manager.domain.webhook import WebhookEndpoint
    from jules_job_manager.ports.webhook_sender import SendResult
    from jules_job_manager.services.backlog_change import ImportReport
    from jules_job_manager.services.backlogs import BacklogService
    from jules_job_manager.services.cleaning import CleanStep
    from jules_job_manager.services.interventions import Interventions
    from jules_job_manager.services.plan_desk import PlanAnswer
    from jules_job_manager.services.queue_admin import Moved, QueueAdmin
    from jules_job_manager.services.reverting import Reverted
    from jules_job_manager.services.tasks import TaskService
    from jules_job_manager.services.webhooks import EndpointChange, Webhooks
    from jules_job_manager.settings.model import Settings

_LOG = logging.getLogger(__name__)
T = TypeVar("T")


class AuditedApp(App):
    """An `App` whose services note what a person changes. What the queue does by itself is no such."""

    @property
    def tasks(self) -> TaskService:
        """See `App.tasks`."""
        return cast("TaskService", _Tasks(super().tasks, Noting(self)))

    @property
    def backlogs(self) -> BacklogService:
        """See `App.backlogs`."""
        return cast("BacklogService", _Backlogs(super().backlogs, Noting(self)))

    @property
    def interventions(self) -> Interventions:
        """See `App.interventions`."""
        return cast("Interventions", _Interventions(super().interventions, Noting(self)))

    @property
    def queue_admin(self) -> QueueAdmin:
        """See `App.queue_admin`."""
        return cast("QueueAdmin", _QueueAdmin(super().queue_admin, Noting(self)))

    @property
    def administration(self) -> Administration:
        """See `App.administration`."""
        return _Administration(self, Noting(self))

    async def note_answer(self, answer: PlanAnswer, error: str) -> None:
        """Write down what a person decided on a plan at the board of a run here."""
        from jules_job_manager.domain.change_notes import plan_approval, plan_declined

        task_id, plan = answer.question.task_id, answer.question.plan.fingerprint
        if answer.answer == "decline":
            await Noting(self).done("decline_plan", plan_declined(task_id, plan), error)
        else:
            await Noting(self).done("approve_plan", plan_approval(task_id, plan), error)


@asynccontextmanager
async def open_audited(settings: Settings) -> AsyncIterator[App]:
    """Open the store and yield the application; see `open_app`."""
    async with open_app(settings, kind=AuditedApp) as app:
        yield app


class Noting:
    """Writes one entry for each change, once it is known how it ended."""

    def __init__(self, app: App) -> None:
        """Write into the store of `app`."""
        self._app = app

    async def change(
        self, operation: str, resource: str, work: Awaitable[T], note: Callable[[T], ChangeNote]
    ) -> T:
        """Do the work, and note what came of it.

        Args:
            operation: As the API calls it.
            resource: What it is done to, as far as that is known before.
            work: The change.
            note: Tells what the change was, once it is done.
        """
        try:
            found = await work
        except asyncio.CancelledError:
            await asyncio.shield(self._write(operation, resource, "failed", error="interrupted"))
            raise
        except JulesManagerError as exc:
            await self._write(operation, resource, "failed", error=exc.code)
            raise
        await self.done(operation, note(found))
        return found

    async def done(self, operation: str, note: ChangeNote, error: str = "") -> None:
        """Note a change that is done, or that an error with this code kept from being done."""
        if error:
            await self._write(operation, note.resource, "failed", error=error)
        else:
            await self._write(
                operation, note.resource, "done", before=note.before, after=note.after
            )

    async def stored(self, reference: str) -> JulesTask | None:
        """Return a task as it is before a change, or None when the store does not know it."""
        from jules_job_manager.services.stored_tasks import task_if_stored

        return await task_if_stored(self._app.store, reference)

    async def pause_reason(self) -> str | None:
        """Return why the queue is paused before a change; nothing: it is not."""
        from jules_job_manager.services.queue_look import PAUSED_NOTE

        return await self._app.store.get_note(PAUSED_NOTE)

    async def _write(
        self, operation: str, resource: str, result: str, *, before: Any = None, after: Any = None,
        error: str = "",
    ) -> None:  # fmt: skip
        from jules_job_manager.bootstrap.access import audit_of, local_caller

        app, caller = self._app, local_caller()
        if app.store.kind == "json":  # it keeps no audit log
            return
        said = {"error": error} if error else None if after is None else {"is": after}
        try:
            await audit_of(app.store, app.settings, app.clock).record(
                caller, f"api.{operation}", resource=resource, result=result, before=before,
                after=said,
            )  # fmt: skip
        except StoreError as exc:  # it is done; the log file has what the audit lacks
            _LOG.error(
                "not in the audit log: %s of %r by %s, %s: %s", operation, resource,
                caller.principal.name, result, exc, extra={"action": "audit"},
            )  # fmt: skip


class _Noted:
    """A service; what is not written out in a subclass only reads."""

    def __init__(self, inner: Any, noting: Noting) -> None:
        self._inner = inner
        self._noting = noting

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


class _Tasks(_Noted):
    async def create_task(self, new: NewTask) -> JulesTask:
        from jules_job_manager.domain.change_notes import task_created

        return await self._noting.change(
            "create_task", "task", self._inner.create_task(new),
            lambda task: task_created(task.id, asdict(new)),
        )  # fmt: skip

    async def send_message(self, reference: str, text: str) -> str:
        from jules_job_manager.domain.change_notes import message_sent

        return await self._noting.change(
            "send_message", f"task:{reference}", self._inner.send_message(reference, text),
            lambda task_id: message_sent(task_id, text),
        )  # fmt: skip

    async def approve_plan(self, reference: str, *, expected_plan: str | None = None) -> JulesTask:
        from jules_job_manager.domain.change_notes import plan_approved

        work = self._inner.approve_plan(reference, expected_plan=expected_plan)
        return await self._noting.change("approve_plan", f"task:{reference}", work, plan_approved)

    async def resume_task(self, reference: str) -> JulesTask:
        from jules_job_manager.domain.change_notes import task_resumed

        work = self._inner.resume_task(reference)
        return await self._noting.change("resume_task", f"task:{reference}", work, task_resumed)

    async def set_archived(self, reference: str, *, archived: bool) -> str:
        from jules_job_manager.domain.change_notes import task_archived

        was = await self._noting.stored(reference)
        return await self._noting.change(
            "update_task", f"task:{reference}",
            self._inner.set_archived(reference, archived=archived),
            lambda task_id: task_archived(task_id, was, archived=archived),
        )  # fmt: skip

    async def delete_task(self, reference: str) -> str:
        from jules_job_manager.domain.change_notes import task_deleted

        was = await self._noting.stored(reference)
        return await self._noting.change(
            "delete_task", f"task:{reference}", self._inner.delete_task(reference),
            lambda task_id: task_deleted(task_id, was),
        )  # fmt: skip


class _Backlogs(_Noted):
    async def import_backlog(
        self, *, path: str, content: bytes, dry_run: bool = False, **how: Any
    ) -> ImportReport:
        from jules_job_manager.domain.change_notes import backlog_imported

        work = self._inner.import_backlog(path=path, content=content, dry_run=dry_run, **how)
        if dry_run:
            return cast("ImportReport", await work)
        return await self._noting.change(
            "import_backlog", f"backlog:{path}", work,
            lambda report: backlog_imported(
                report.backlog, added=report.added, changed=report.changed, removed=report.removed,
                dry_run=False,
            ),
        )  # fmt: skip


class _Interventions(_Noted):
    async def adopt(self, job: Job, task_id: str, *, account: str = "default") -> Job:
        return await self._noting.change(
            "adopt_task", f"job:{job.key}", self._inner.adopt(job, task_id, account=account),
            _changed_from(job),
        )  # fmt: skip

    async def retry(self, job: Job) -> Job:
        work = self._inner.retry(job)
        return await self._noting.change("retry_job", f"job:{job.key}", work, _changed_from(job))

    async def approve_merge(self, job: Job) -> Review:
        from jules_job_manager.domain.change_notes import merge_approved

        work = self._inner.approve_merge(job)
        return await self._noting.change("approve_merge", f"job:{job.key}", work, merge_approved)

    async def decline_plan(self, task: JulesTask, plan: str) -> None:
        from jules_job_manager.domain.change_notes import plan_declined

        await self._noting.change(
            "decline_plan", f"task:{task.id}", self._inner.decline_plan(task, plan),
            lambda _: plan_declined(task.id, plan),
        )  # fmt: skip

    async def sign(self, job: Job, line: int, evidence: str) -> Job:
        work = self._inner.sign(job, line, evidence)
        return await self._noting.change("sign_job", f"job:{job.key}", work, _changed_from(job))


class _QueueAdmin(_Noted):
    async def _change(self, operation: str, job: Job, work: Awaitable[Job]) -> Job:
        return await self._noting.change(operation, f"job:{job.key}", work, _changed_from(job))

    async def hold(self, job: Job, reason: str | None = None) -> Job:
        return await self._change("hold_job", job, self._inner.hold(job, reason))

    async def release(self, job: Job) -> Job:
        return await self._change("release_job", job, self._inner.release(job))

    async def pin(self, job: Job, *, pinned: bool) -> Job:
        return await self._change("update_job", job, self._inner.pin(job, pinned=pinned))

    async def plan(self, job: Job, **how: Any) -> Job:
        return await self._change("update_job", job, self._inner.plan(job, **how))

    async def skip(self, job: Job) -> Job:
        return await self._change("skip_job", job, self._inner.skip(job))

    async def move(self, job: Job, *, to: str, other: Job | None = None) -> Moved:
        from jules_job_manager.domain.change_notes import job_moved

        return await self._noting.change(
            "move_job", f"job:{job.key}", self._inner.move(job, to=to, other=other),
            lambda moved: job_moved(job.key, moved.keys, moved.was),
        )  # fmt: skip

    async def cancel(self, job: Job) -> tuple[Job, Sequence[Attempt]]:
        changed = _changed_from(job)
        return await self._noting.change(
            "cancel_job", f"job:{job.key}", self._inner.cancel(job), lambda found: changed(found[0])
        )

    async def pause(self, reason: str | None = None) -> str:
        from jules_job_manager.domain.change_notes import queue_paused

        was = await self._noting.pause_reason()
        return await self._noting.change(
            "pause_queue", "queue", self._inner.pause(reason), lambda said: queue_paused(said, was)
        )

    async def resume(self) -> bool:
        from jules_job_manager.domain.change_notes import queue_resumed

        reason = await self._noting.pause_reason()
        return await self._noting.change(
            "resume_queue", "queue", self._inner.resume(),
            lambda was_paused: queue_resumed(reason, was_paused=was_paused),
        )  # fmt: skip


class _Administration(Administration):
    """See `Administration`; keys, links and sessions write entries of their own."""

    def __init__(self, app: App, noting: Noting) -> None:
        super().__init__(app)
        self._noting = noting

    def webhooks(self) -> AbstractAsyncContextManager[Webhooks]:
        """See `Administration.webhooks`."""
        return self._webhooks()

    @asynccontextmanager
    async def _webhooks(self) -> AsyncIterator[Webhooks]:
        async with super().webhooks() as webhooks:
            yield cast("Webhooks", _Webhooks(webhooks, self._noting))

    async def revert(
        self, job: Job, *, remotes: dict[str, str], checks: bool, dry_run: bool
    ) -> Reverted:
        """See `Administration.revert`."""
        from jules_job_manager.domain.change_notes import job_reverted

        work = super().revert(job, remotes=remotes, checks=checks, dry_run=dry_run)
        if dry_run:
            return await work
        return await self._noting.change(
            "revert_job", f"job:{job.key}", work,
            lambda found: job_reverted(job, found.to_dict(), dry_run=False),
        )  # fmt: skip

    async def clean(
        self, *, remotes: dict[str, str], delete: bool, all_tasks: bool, dry_run: bool
    ) -> list[CleanStep]:
        """See `Administration.clean`."""
        from jules_job_manager.domain.change_notes import queue_cleaned
        from jules_job_manager.services.cleaning import done_steps

        work = super().clean(remotes=remotes, delete=delete, all_tasks=all_tasks, dry_run=dry_run)
        if dry_run:
            return await work
        return await self._noting.change(
            "clean_queue", "queue", work, lambda steps: queue_cleaned(done_steps(steps))
        )

    async def try_notifications(self, *, alert: bool, dry_run: bool) -> int:
        """See `Administration.try_notifications`."""
        from jules_job_manager.domain.change_notes import notifications_tested

        work = super().try_notifications(alert=alert, dry_run=dry_run)
        if dry_run:
            return await work
        return await self._noting.change(
            "test_notifications", "notifications", work,
            lambda count: notifications_tested(count, dry_run=False),
        )  # fmt: skip


class _Webhooks(_Noted):
    async def create(self, url: str, **how: Any) -> WebhookEndpoint:
        from jules_job_manager.domain.change_notes import webhook_created

        work = self._inner.create(url, **how)
        return await self._noting.change("create_webhook", "webhook", work, webhook_created)

    async def update(self, endpoint_id: str, change: EndpointChange) -> WebhookEndpoint:
        from jules_job_manager.domain.change_notes import webhook_changed

        before = await self._inner.get(endpoint_id)
        return await self._noting.change(
            "update_webhook", f"webhook:{endpoint_id}", self._inner.update(endpoint_id, change),
            lambda after: webhook_changed(before, after),
        )  # fmt: skip

    async def delete(self, endpoint_id: str) -> None:
        from jules_job_manager.domain.change_notes import webhook_deleted

        before = await self._inner.get(endpoint_id)
        await self._noting.change(
            "delete_webhook", f"webhook:{endpoint_id}", self._inner.delete(endpoint_id),
            lambda _: webhook_deleted(before),
        )  # fmt: skip

    async def rotate_secret(self, endpoint_id: str) -> WebhookEndpoint:
        from jules_job_manager.domain.change_notes import webhook_secret_rotated

        return await self._noting.change(
            "rotate_webhook_secret", f"webhook:{endpoint_id}",
            self._inner.rotate_secret(endpoint_id),
            lambda found: webhook_secret_rotated(found.id),
        )  # fmt: skip

    async def replay(self, delivery_id: int, *, dry_run: bool = False) -> int:
        work = self._inner.replay(delivery_id, dry_run=dry_run)
        return await self._replayed(f"delivery:{delivery_id}", work, dry_run=dry_run)

    async def replay_since(
        self, endpoint_id: str, since: datetime, *, dry_run: bool = False
    ) -> int:
        work = self._inner.replay_since(endpoint_id, since, dry_run=dry_run)
        return await self._replayed(f"webhook:{endpoint_id}", work, dry_run=dry_run)

    async def _replayed(self, resource: str, work: Awaitable[int], *, dry_run: bool) -> int:
        from jules_job_manager.domain.change_notes import webhook_replayed

        if dry_run:
            return await work
        return await self._noting.change(
            "replay_webhook", resource, work,
            lambda count: webhook_replayed(resource, count, dry_run=False),
        )  # fmt: skip

    async def test(self, endpoint_id: str) -> SendResult:
        from jules_job_manager.domain.change_notes import webhook_tested

        return await self._noting.change(
            "test_webhook", f"webhook:{endpoint_id}", self._inner.test(endpoint_id),
            lambda found: webhook_tested(endpoint_id, found.status),
        )  # fmt: skip


def _changed_from(before: Job) -> Callable[[Job], ChangeNote]:
    from jules_job_manager.domain.change_notes import job_changed

    return lambda after: job_changed(before, after)
