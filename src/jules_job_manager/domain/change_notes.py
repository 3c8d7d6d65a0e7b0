"""What the audit log says of each change: its resource, and how it was and is.

The API and the command line both take their words from here, so that entries of both can be read
together. The name of an operation is that of the API's, such as `hold_job`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jules_job_manager.domain.job import Job
from jules_job_manager.domain.review import Review
from jules_job_manager.domain.task import JulesTask
from jules_job_manager.domain.webhook import WebhookEndpoint

MOST_MESSAGE = 1000
"""Characters of a message that are kept."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ChangeNote:
    """A change in the words of the audit log."""

    resource: str
    before: Any = None
    after: Any = None
    """JSON values, or None; secrets are masked when they are written."""


def differing(
    before: Mapping[str, Any], after: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the members that are not the same in both, as they were and as they are."""
    names = [name for name in after if before.get(name) != after[name]]
    return {name: before.get(name) for name in names}, {name: after[name] for name in names}


def job_changed(before: Job, after: Job) -> ChangeNote:
    """Tell what differs between two states of a job."""
    was, now = differing(before.to_dict(), after.to_dict())
    return ChangeNote(resource=f"job:{after.key}", before=was, after=now)


def job_created(key: str, asked: Mapping[str, Any]) -> ChangeNote:
    """Tell what a new job was asked to be."""
    return ChangeNote(resource=f"job:{key}", after=dict(asked))


def job_deleted(job: Job) -> ChangeNote:
    """Tell what a job was."""
    return ChangeNote(resource=f"job:{job.key}", before=job.to_dict())


def job_moved(key: str, order: Sequence[str]) -> ChangeNote:
    """Tell the place, from 1, that a job has in the new order."""
    return ChangeNote(resource=f"job:{key}", after={"place": list(order).index(key) + 1})


def merge_approved(review: Review) -> ChangeNote:
    """Tell which commit may be merged."""
    return ChangeNote(
        resource=f"job:{review.job_key}", after={"may_be_merged": review.delivered_commit}
    )


def job_reverted(job: Job, told: Mapping[str, Any], *, dry_run: bool) -> ChangeNote:
    """Tell what came of taking a merge back; `told` is `Reverted.to_dict`."""
    after = {name: told[name] for name in ("commit", "conflicts", "outcome", "merged_as")}
    return ChangeNote(
        resource=f"job:{job.key}", before={"merge_commit": job.merge_commit},
        after={**after, "dry_run": dry_run},
    )  # fmt: skip


def review_begun(job: Job, review_id: str) -> ChangeNote:
    """Tell that a delivery is checked again."""
    return ChangeNote(resource=f"job:{job.key}", after={"review": review_id})


def queue_paused(reason: str) -> ChangeNote:
    """Tell why the queue is paused."""
    return ChangeNote(resource="queue", after={"paused": reason})


def queue_resumed(*, was_paused: bool) -> ChangeNote:
    """Tell that the queue goes on."""
    return ChangeNote(resource="queue", after={"was_paused": was_paused})


def queue_cleaned(done: Sequence[str]) -> ChangeNote:
    """Tell what was put away, each as `archive ID` or `delete ID`."""
    return ChangeNote(resource="queue", after={"done": list(done)})


def backlog_imported(
    backlog: str, *, added: Sequence[str], changed: Sequence[str], removed: Sequence[str],
    dry_run: bool,
) -> ChangeNote:  # fmt: skip
    """Tell which jobs a document brought, changed and took out."""
    after = {"added": list(added), "changed": list(changed), "removed": list(removed)}
    return ChangeNote(resource=f"backlog:{backlog}", after={**after, "dry_run": dry_run})


def task_created(task_id: str, asked: Mapping[str, Any]) -> ChangeNote:
    """Tell what a new task was asked to do."""
    return ChangeNote(resource=f"task:{task_id}", after=dict(asked))


def message_sent(task_id: str, text: str) -> ChangeNote:
    """Tell what was said to a task."""
    return ChangeNote(resource=f"task:{task_id}", after={"message": text[:MOST_MESSAGE]})


def plan_approved(task: JulesTask) -> ChangeNote:
    """Tell which plan of a task was approved, by its fingerprint."""
    return plan_approval(task.id, "" if task.plan is None else task.plan.fingerprint)


def plan_approval(task_id: str, plan: str) -> ChangeNote:
    """Tell which plan of a task was approved, by its fingerprint."""
    return ChangeNote(resource=f"task:{task_id}", after={"approved_plan": plan})


def plan_declined(task_id: str, plan: str) -> ChangeNote:
    """Tell which plan of a task was declined, by its fingerprint."""
    return ChangeNote(resource=f"task:{task_id}", after={"declined_plan": plan})


def task_resumed(task: JulesTask) -> ChangeNote:
    """Tell where a task stands that goes on."""
    return ChangeNote(resource=f"task:{task.id}", after={"status": task.status.value})


def task_archived(task_id: str, *, archived: bool) -> ChangeNote:
    """Tell whether a task is archived now."""
    return ChangeNote(resource=f"task:{task_id}", after={"archived": archived})


def task_deleted(task_id: str) -> ChangeNote:
    """Tell which task is gone."""
    return ChangeNote(resource=f"task:{task_id}")


def webhook_created(made: WebhookEndpoint) -> ChangeNote:
    """Tell what a new endpoint is."""
    return ChangeNote(resource=f"webhook:{made.id}", after=made.to_dict())


def webhook_changed(before: WebhookEndpoint, after: WebhookEndpoint) -> ChangeNote:
    """Tell what an endpoint was and is."""
    return ChangeNote(
        resource=f"webhook:{after.id}", before=before.to_dict(), after=after.to_dict()
    )


def webhook_deleted(before: WebhookEndpoint) -> ChangeNote:
    """Tell what an endpoint was."""
    return ChangeNote(resource=f"webhook:{before.id}", before=before.to_dict())


def webhook_secret_rotated(endpoint_id: str) -> ChangeNote:
    """Tell that an endpoint has a new secret."""
    return ChangeNote(resource=f"webhook:{endpoint_id}", after={"secret_is": "new"})


def webhook_replayed(resource: str, count: int, *, dry_run: bool) -> ChangeNote:
    """Tell how many deliveries are sent again; `resource` is `delivery:ID` or `webhook:ID`."""
    return ChangeNote(resource=resource, after={"count": count, "dry_run": dry_run})


def webhook_tested(endpoint_id: str, status: int | None) -> ChangeNote:
    """Tell how an endpoint answered a test."""
    return ChangeNote(resource=f"webhook:{endpoint_id}", after={"answered": status})


def notifications_tested(count: int, *, dry_run: bool) -> ChangeNote:
    """Tell how many addresses got a test message."""
    return ChangeNote(resource="notifications", after={"addresses": count, "dry_run": dry_run})
