"""What the audit log says of each change: its resource, and how it was and is.

The API and the command line both take their words from here, so that entries of both can be read
together. The name of an operation is that of the API's, such as `hold_job`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jules_job_manager.domain.job import Job
from jules_job_manager.domain.review import Review
from jules_job_manager.domain.task import JulesTask, TaskStatus
from jules_job_manager.domain.webhook import WebhookEndpoint

MOST_MESSAGE = 1000
"""Characters of a message that are kept."""
MOST_BATCH_BYTES = 12_000
"""What is told of a batch's items, as JSON: the audit log keeps no more than 16384 bytes of a note."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ChangeNote:
    """A change in the words of the audit log."""

    resource: str
    before: Any = None
    after: Any = None
    """JSON values, or None; secrets are masked when they are written."""
    is_failure: bool = False
    """Whether nothing was changed although the request itself was answered well."""


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


def job_moved(key: str, order: Sequence[str], was: int | None) -> ChangeNote:
    """Tell the place, from 1, that a job had, and has in the new order."""
    return ChangeNote(
        resource=f"job:{key}", before={"place": was}, after={"place": list(order).index(key) + 1}
    )


def several_created(
    resource: str, results: Sequence[Mapping[str, Any]], *, asked: int
) -> ChangeNote:
    """Tell what became of each item of a batch.

    Args:
        resource: `tasks` or `jobs`.
        results: For each item that was tried, in order: `id`, or `error`, the code of what kept it
            from being created.
        asked: How many items the request has; more than `results` when it ended within.
    """
    failed = sum("error" in result for result in results)
    told: list[dict[str, Any]] = []
    room = MOST_BATCH_BYTES
    for index, result in enumerate(results):
        item = {"index": index, **result}
        room -= len(json.dumps(item))
        if room < 0:
            break
        told.append(item)
    after = {
        "asked": asked, "created": len(results) - failed, "failed": failed, "items": told,
        "left_out": len(results) - len(told),
    }  # fmt: skip
    return ChangeNote(resource=resource, after=after, is_failure=failed == len(results))


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


def queue_paused(reason: str, was: str | None) -> ChangeNote:
    """Tell why the queue is paused, and why it was before; empty: it was not."""
    return ChangeNote(resource="queue", before={"paused": was or ""}, after={"paused": reason})


def queue_resumed(was: str | None, *, was_paused: bool) -> ChangeNote:
    """Tell that the queue goes on, and why it was paused."""
    return ChangeNote(
        resource="queue", before={"paused": was or ""}, after={"was_paused": was_paused}
    )


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
    """Tell where a task stands that goes on; only one that is paused can."""
    return ChangeNote(
        resource=f"task:{task.id}", before={"status": TaskStatus.PAUSED.value},
        after={"status": task.status.value},
    )  # fmt: skip


def task_archived(task_id: str, was: JulesTask | None, *, archived: bool) -> ChangeNote:
    """Tell whether a task is archived now, and was; `was` is None for one that is not stored."""
    before = None if was is None else {"archived": was.archived}
    return ChangeNote(resource=f"task:{task_id}", before=before, after={"archived": archived})


def task_deleted(task_id: str, was: JulesTask | None) -> ChangeNote:
    """Tell which task is gone; `was` is None for one that was not stored."""
    before = None
    if was is not None:
        before = {
            "title": was.title[:MOST_MESSAGE], "repository": was.repository, "branch": was.branch,
            "status": was.status.value, "archived": was.archived,
        }  # fmt: skip
    return ChangeNote(resource=f"task:{task_id}", before=before)


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
