"""Every operation of the API. Written by scripts/generate_client.py; do not edit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from jules_job_manager.client.connection import Connection, path_part

if TYPE_CHECKING:
    from jules_job_manager.client import models as m

__all__ = ["Operations"]
_ = (Any, Literal)  # named by some annotations


class Operations:
    """The API, one method an operation."""

    def __init__(self, connection: Connection) -> None:
        """Send everything over `connection`."""
        self._connection = connection

    async def get_task(self, task_id: str, *, fresh: bool | None = None) -> m.TaskOut:
        """Return one task with its chat and files."""
        found: m.TaskOut = await self._connection.json(
            "GET", f"/api/v1/tasks/{path_part(task_id)}", query={"fresh": fresh}
        )
        return found

    async def update_task(
        self, task_id: str, *, body: m.TaskChangeIn, if_match: str | None = None
    ) -> m.TaskOut:
        """Archive a task, or bring it back."""
        found: m.TaskOut = await self._connection.json(
            "PUT", f"/api/v1/tasks/{path_part(task_id)}", headers={"if-match": if_match}, body=body
        )
        return found

    async def delete_task(self, task_id: str, *, if_match: str | None = None) -> None:
        """Delete a task at Jules for good; what is stored of it goes too, its events stay."""
        await self._connection.nothing(
            "DELETE", f"/api/v1/tasks/{path_part(task_id)}", headers={"if-match": if_match}
        )

    async def get_task_status(self, task_id: str, *, fresh: float | None = None) -> m.TaskStatusOut:
        """Return where a task stands. Those who watch share one budget of calls to Jules."""
        found: m.TaskStatusOut = await self._connection.json(
            "GET", f"/api/v1/tasks/{path_part(task_id)}/status", query={"fresh": fresh}
        )
        return found

    async def list_tasks(
        self,
        *,
        status: m.TaskStatus | None = None,
        repository: str | None = None,
        backend: str | None = None,
        archived: bool | None = None,
        q: str | None = None,
        changed_since: str | None = None,
        changed_before: str | None = None,
        created_since: str | None = None,
        created_before: str | None = None,
        sort: Literal["-changed", "changed"] | None = None,
        limit: int | None = None,
        cursor: str | None = None,
        fresh: bool | None = None,
    ) -> m.TaskPage:
        """List tasks."""
        found: m.TaskPage = await self._connection.json(
            "GET",
            "/api/v1/tasks",
            query={
                "status": status,
                "repository": repository,
                "backend": backend,
                "archived": archived,
                "q": q,
                "changed_since": changed_since,
                "changed_before": changed_before,
                "created_since": created_since,
                "created_before": created_before,
                "sort": sort,
                "limit": limit,
                "cursor": cursor,
                "fresh": fresh,
            },
        )
        return found

    async def create_task(self, *, body: m.NewTaskIn) -> m.TaskOut:
        """Create a task at Jules."""
        found: m.TaskOut = await self._connection.json("POST", "/api/v1/tasks", body=body)
        return found

    async def get_queue(self) -> m.QueueOut:
        """Count the jobs by status, and say what needs a person and what comes next."""
        found: m.QueueOut = await self._connection.json("GET", "/api/v1/queue")
        return found

    async def list_approvals(
        self,
        *,
        kind: Literal["plan", "question", "job", "merge", "sign_off"] | None = None,
        repository: str | None = None,
        q: str | None = None,
        sort: Literal["waiting", "-waiting"] | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> m.PageWaitingOut:
        """List what waits for a person: plans, questions, merges, lines to sign, and jobs that are stuck."""
        found: m.PageWaitingOut = await self._connection.json(
            "GET",
            "/api/v1/approvals",
            query={
                "kind": kind,
                "repository": repository,
                "q": q,
                "sort": sort,
                "limit": limit,
                "cursor": cursor,
            },
        )
        return found

    async def list_events(
        self,
        *,
        subject: list[str] | None = None,
        task: list[str] | None = None,
        job: list[str] | None = None,
        type: list[str] | None = None,
        since: str | None = None,
        until: str | None = None,
        after: int | None = None,
        before: int | None = None,
        sort: Literal["id", "-id"] | None = None,
        limit: int | None = None,
    ) -> m.EventPage:
        """Return events, from an id on or, newest first, before one."""
        found: m.EventPage = await self._connection.json(
            "GET",
            "/api/v1/events",
            query={
                "subject": subject,
                "task": task,
                "job": job,
                "type": type,
                "since": since,
                "until": until,
                "after": after,
                "before": before,
                "sort": sort,
                "limit": limit,
            },
        )
        return found

    async def show_session(self) -> m.SessionView:
        """Say who is signed in, and give the page its token."""
        found: m.SessionView = await self._connection.json("GET", "/sign-in/session")
        return found

    async def sign_out(self) -> None:
        """End the session."""
        await self._connection.nothing("POST", "/sign-out", once=True)

    async def create_tasks(self, *, body: m.NewTasksIn) -> m.BatchResultTaskOut:
        """Create several tasks; each answer says what became of it alone."""
        found: m.BatchResultTaskOut = await self._connection.json(
            "POST", "/api/v1/tasks/batch", body=body
        )
        return found

    async def check_task(self, *, body: m.NewTaskIn) -> m.NewTaskIn:
        """Check a task and create nothing; return it as it would be sent."""
        found: m.NewTaskIn = await self._connection.json("POST", "/api/v1/tasks/check", body=body)
        return found

    async def send_message(self, task_id: str, *, body: m.MessageIn) -> m.TaskActOut:
        """Send a message to a task's conversation."""
        found: m.TaskActOut = await self._connection.json(
            "POST", f"/api/v1/tasks/{path_part(task_id)}/message", body=body
        )
        return found

    async def approve_plan(self, task_id: str, *, body: m.ApprovalIn | None = None) -> m.TaskActOut:
        """Approve the plan that waits. With `plan`, only if it still is the one that was seen."""
        found: m.TaskActOut = await self._connection.json(
            "POST", f"/api/v1/tasks/{path_part(task_id)}/approve", body=body
        )
        return found

    async def decline_plan(self, task_id: str, *, body: m.DeclineIn) -> m.TaskActOut:
        """Decline the plan that was seen: the queue asks no more about it. Jules is told nothing."""
        found: m.TaskActOut = await self._connection.json(
            "POST", f"/api/v1/tasks/{path_part(task_id)}/decline", body=body
        )
        return found

    async def resume_task(self, task_id: str) -> m.TaskActOut:
        """Make a paused task go on."""
        found: m.TaskActOut = await self._connection.json(
            "POST", f"/api/v1/tasks/{path_part(task_id)}/resume"
        )
        return found

    async def resolve_task(self, task_id: str) -> m.TaskIdOut:
        """Return the full id for the first characters of one."""
        found: m.TaskIdOut = await self._connection.json(
            "GET", f"/api/v1/tasks/{path_part(task_id)}/id"
        )
        return found

    async def list_task_events(
        self,
        task_id: str,
        *,
        type: list[str] | None = None,
        since: str | None = None,
        until: str | None = None,
        after: int | None = None,
        before: int | None = None,
        sort: Literal["id", "-id"] | None = None,
        limit: int | None = None,
    ) -> m.EventPage:
        """Return the history of a task; `type` may be there several times."""
        found: m.EventPage = await self._connection.json(
            "GET",
            f"/api/v1/tasks/{path_part(task_id)}/events",
            query={
                "type": type,
                "since": since,
                "until": until,
                "after": after,
                "before": before,
                "sort": sort,
                "limit": limit,
            },
        )
        return found

    async def list_activities(
        self, task_id: str, *, fresh: bool | None = None
    ) -> list[m.ActivityOut]:
        """Return what happened in a task, oldest first."""
        found: list[m.ActivityOut] = await self._connection.json(
            "GET", f"/api/v1/tasks/{path_part(task_id)}/activities", query={"fresh": fresh}
        )
        return found

    async def list_plans(self, task_id: str, *, fresh: bool | None = None) -> list[m.TaskPlanOut]:
        """Return every plan the task ever had, oldest first; the last one counts."""
        found: list[m.TaskPlanOut] = await self._connection.json(
            "GET", f"/api/v1/tasks/{path_part(task_id)}/plans", query={"fresh": fresh}
        )
        return found

    async def list_patches(self, task_id: str) -> list[m.ChangeSetOut]:
        """Return every patch the task was ever seen to have, oldest first."""
        found: list[m.ChangeSetOut] = await self._connection.json(
            "GET", f"/api/v1/tasks/{path_part(task_id)}/patches"
        )
        return found

    async def get_change_set(self, task_id: str) -> m.ChangeSetOut:
        """Ask Jules for the task and return its latest change."""
        found: m.ChangeSetOut = await self._connection.json(
            "GET", f"/api/v1/tasks/{path_part(task_id)}/change-set"
        )
        return found

    async def list_sources(self) -> list[m.SourceOut]:
        """Return the repositories Jules may work on."""
        found: list[m.SourceOut] = await self._connection.json("GET", "/api/v1/sources")
        return found

    async def list_jobs(
        self,
        *,
        status: m.JobStatus | None = None,
        priority: m.Priority | None = None,
        repository: str | None = None,
        backlog: str | None = None,
        q: str | None = None,
        sort: Literal[
            "place", "-place", "key", "-key", "queued", "-queued", "finished", "-finished"
        ]
        | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> m.PageJobOut:
        """List jobs."""
        found: m.PageJobOut = await self._connection.json(
            "GET",
            "/api/v1/jobs",
            query={
                "status": status,
                "priority": priority,
                "repository": repository,
                "backlog": backlog,
                "q": q,
                "sort": sort,
                "limit": limit,
                "cursor": cursor,
            },
        )
        return found

    async def create_job(self, *, body: m.NewJobIn) -> m.JobOut:
        """Put a job into the queue that is in no document."""
        found: m.JobOut = await self._connection.json("POST", "/api/v1/jobs", body=body)
        return found

    async def create_jobs(self, *, body: m.NewJobsIn) -> m.BatchResultJobOut:
        """Put several jobs into the queue, in the order given; a job may depend on one before it."""
        found: m.BatchResultJobOut = await self._connection.json(
            "POST", "/api/v1/jobs/batch", body=body
        )
        return found

    async def get_job(self, key: str) -> m.JobOut:
        """Return one job."""
        found: m.JobOut = await self._connection.json("GET", f"/api/v1/jobs/{path_part(key)}")
        return found

    async def update_job(
        self, key: str, *, body: m.JobChangeIn, if_match: str | None = None
    ) -> m.JobOut:
        """Change a job: its texts when no document has it, and when and how it runs in any case."""
        found: m.JobOut = await self._connection.json(
            "PATCH", f"/api/v1/jobs/{path_part(key)}", headers={"if-match": if_match}, body=body
        )
        return found

    async def delete_job(self, key: str, *, if_match: str | None = None) -> None:
        """Take a job out that no document has and no task works on."""
        await self._connection.nothing(
            "DELETE", f"/api/v1/jobs/{path_part(key)}", headers={"if-match": if_match}
        )

    async def hold_job(
        self, key: str, *, body: m.ReasonIn | None = None, if_match: str | None = None
    ) -> m.JobOut:
        """Keep a job from starting until it is released."""
        found: m.JobOut = await self._connection.json(
            "POST", f"/api/v1/jobs/{path_part(key)}/hold", headers={"if-match": if_match}, body=body
        )
        return found

    async def release_job(self, key: str, *, if_match: str | None = None) -> m.JobOut:
        """Let a held job go on."""
        found: m.JobOut = await self._connection.json(
            "POST", f"/api/v1/jobs/{path_part(key)}/release", headers={"if-match": if_match}
        )
        return found

    async def move_job(
        self, key: str, *, body: m.MoveIn, if_match: str | None = None
    ) -> m.OrderOut:
        """Give a waiting job another place; the answer is the new order."""
        found: m.OrderOut = await self._connection.json(
            "POST", f"/api/v1/jobs/{path_part(key)}/move", headers={"if-match": if_match}, body=body
        )
        return found

    async def skip_job(self, key: str, *, if_match: str | None = None) -> m.JobOut:
        """Take a waiting job out; what depends on it does not wait for it."""
        found: m.JobOut = await self._connection.json(
            "POST", f"/api/v1/jobs/{path_part(key)}/skip", headers={"if-match": if_match}
        )
        return found

    async def cancel_job(
        self, key: str, *, body: m.CancelIn | None = None, if_match: str | None = None
    ) -> m.CancelOut:
        """Take a job out, and end its task."""
        found: m.CancelOut = await self._connection.json(
            "POST",
            f"/api/v1/jobs/{path_part(key)}/cancel",
            headers={"if-match": if_match},
            body=body,
        )
        return found

    async def retry_job(self, key: str, *, if_match: str | None = None) -> m.JobOut:
        """Let a failed or cancelled job have another attempt."""
        found: m.JobOut = await self._connection.json(
            "POST", f"/api/v1/jobs/{path_part(key)}/retry", headers={"if-match": if_match}
        )
        return found

    async def adopt_task(
        self, key: str, *, body: m.AdoptIn, if_match: str | None = None
    ) -> m.JobOut:
        """Give a job the task that already works on it."""
        found: m.JobOut = await self._connection.json(
            "POST",
            f"/api/v1/jobs/{path_part(key)}/adopt",
            headers={"if-match": if_match},
            body=body,
        )
        return found

    async def approve_merge(self, key: str, *, if_match: str | None = None) -> m.ReviewOut:
        """Let the delivery that was reviewed last be merged; the approval is of that commit alone."""
        found: m.ReviewOut = await self._connection.json(
            "POST", f"/api/v1/jobs/{path_part(key)}/approve-merge", headers={"if-match": if_match}
        )
        return found

    async def sign_job(self, key: str, *, body: m.SignIn, if_match: str | None = None) -> m.JobOut:
        """Answer for a line of the job's checklist, saying what was seen."""
        found: m.JobOut = await self._connection.json(
            "POST", f"/api/v1/jobs/{path_part(key)}/sign", headers={"if-match": if_match}, body=body
        )
        return found

    async def why_job(self, key: str) -> m.WhyOut:
        """Say why a job is not running, and when it will."""
        found: m.WhyOut = await self._connection.json("GET", f"/api/v1/jobs/{path_part(key)}/why")
        return found

    async def job_story(self, key: str) -> m.StoryOut:
        """Return the whole story of a job on one page of Markdown."""
        found: m.StoryOut = await self._connection.json(
            "GET", f"/api/v1/jobs/{path_part(key)}/story"
        )
        return found

    async def list_job_attempts(self, key: str) -> list[m.AttemptOut]:
        """Return the attempts made at a job."""
        found: list[m.AttemptOut] = await self._connection.json(
            "GET", f"/api/v1/jobs/{path_part(key)}/attempts"
        )
        return found

    async def list_job_reviews(self, key: str) -> list[m.ReviewOut]:
        """Return the reviews of a job's deliveries, oldest first."""
        found: list[m.ReviewOut] = await self._connection.json(
            "GET", f"/api/v1/jobs/{path_part(key)}/reviews"
        )
        return found

    async def list_job_events(
        self,
        key: str,
        *,
        type: list[str] | None = None,
        since: str | None = None,
        until: str | None = None,
        after: int | None = None,
        before: int | None = None,
        sort: Literal["id", "-id"] | None = None,
        limit: int | None = None,
    ) -> m.EventPage:
        """Return the history of a job; `type` may be there several times."""
        found: m.EventPage = await self._connection.json(
            "GET",
            f"/api/v1/jobs/{path_part(key)}/events",
            query={
                "type": type,
                "since": since,
                "until": until,
                "after": after,
                "before": before,
                "sort": sort,
                "limit": limit,
            },
        )
        return found

    async def list_attempts(
        self,
        *,
        job: str | None = None,
        live: bool | None = None,
        state: m.AttemptState | None = None,
        account: str | None = None,
        q: str | None = None,
        created_since: str | None = None,
        created_before: str | None = None,
        sort: Literal["job", "-job", "created", "-created"] | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> m.PageAttemptOut:
        """List attempts. `q` is looked for in the job's key, the attempt's mark and its task's id."""
        found: m.PageAttemptOut = await self._connection.json(
            "GET",
            "/api/v1/attempts",
            query={
                "job": job,
                "live": live,
                "state": state,
                "account": account,
                "q": q,
                "created_since": created_since,
                "created_before": created_before,
                "sort": sort,
                "limit": limit,
                "cursor": cursor,
            },
        )
        return found

    async def get_attempt(self, mark: str) -> m.AttemptOut:
        """Return one attempt."""
        found: m.AttemptOut = await self._connection.json(
            "GET", f"/api/v1/attempts/{path_part(mark)}"
        )
        return found

    async def list_deliveries(
        self,
        *,
        job: str | None = None,
        live: bool | None = None,
        merged: bool | None = None,
        account: str | None = None,
        q: str | None = None,
        created_since: str | None = None,
        created_before: str | None = None,
        sort: Literal["job", "-job", "created", "-created"] | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> m.PageDeliveryOut:
        """List what attempts handed over. Times and order are of the attempts."""
        found: m.PageDeliveryOut = await self._connection.json(
            "GET",
            "/api/v1/deliveries",
            query={
                "job": job,
                "live": live,
                "merged": merged,
                "account": account,
                "q": q,
                "created_since": created_since,
                "created_before": created_before,
                "sort": sort,
                "limit": limit,
                "cursor": cursor,
            },
        )
        return found

    async def get_delivery(self, mark: str) -> m.DeliveryOut:
        """Return what an attempt handed over last."""
        found: m.DeliveryOut = await self._connection.json(
            "GET", f"/api/v1/deliveries/{path_part(mark)}"
        )
        return found

    async def list_reviews(
        self,
        *,
        job: str | None = None,
        verdict: m.Verdict | None = None,
        commit: str | None = None,
        q: str | None = None,
        since: str | None = None,
        before: str | None = None,
        sort: Literal["at", "-at"] | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> m.PageReviewOut:
        """List reviews of deliveries. `q` is looked for in the job's key and in all that was found."""
        found: m.PageReviewOut = await self._connection.json(
            "GET",
            "/api/v1/reviews",
            query={
                "job": job,
                "verdict": verdict,
                "commit": commit,
                "q": q,
                "since": since,
                "before": before,
                "sort": sort,
                "limit": limit,
                "cursor": cursor,
            },
        )
        return found

    async def get_review(self, key: str, commit: str) -> m.ReviewOut:
        """Return the latest review of a job's delivery."""
        found: m.ReviewOut = await self._connection.json(
            "GET", f"/api/v1/jobs/{path_part(key)}/reviews/{path_part(commit)}"
        )
        return found

    async def get_outlook(self) -> m.OutlookOut:
        """Say what the queue would do next, as far as the store knows; Jules is not asked."""
        found: m.OutlookOut = await self._connection.json("GET", "/api/v1/queue/outlook")
        return found

    async def get_board(self) -> m.BoardOut:
        """Return what a live board shows: how the queue stands, and the plans a person may decide on."""
        found: m.BoardOut = await self._connection.json("GET", "/api/v1/queue/board")
        return found

    async def pause_queue(self, *, body: m.PauseIn | None = None) -> None:
        """Let no job get an attempt until it is resumed; what runs goes on."""
        await self._connection.nothing("POST", "/api/v1/queue/pause", body=body)

    async def resume_queue(self) -> m.ResumedOut:
        """Let jobs start again."""
        found: m.ResumedOut = await self._connection.json("POST", "/api/v1/queue/resume")
        return found

    async def get_quota(self, *, fresh: bool | None = None) -> list[m.QuotaOut]:
        """Return how many tasks each account has left, and when the next may start."""
        found: list[m.QuotaOut] = await self._connection.json(
            "GET", "/api/v1/quota", query={"fresh": fresh}
        )
        return found

    async def list_settings(self) -> list[m.SettingOut]:
        """Return every setting and where it came from. Secrets are masked."""
        found: list[m.SettingOut] = await self._connection.json("GET", "/api/v1/settings")
        return found

    async def get_service(self) -> m.ServiceOut:
        """Return what this service is."""
        found: m.ServiceOut = await self._connection.json("GET", "/api/v1/service")
        return found

    async def list_backlogs(
        self,
        *,
        q: str | None = None,
        sort: Literal["name", "-name", "jobs", "-jobs"] | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> m.PageBacklogOut:
        """List the documents whose jobs are in the queue; `q` is looked for in their names."""
        found: m.PageBacklogOut = await self._connection.json(
            "GET",
            "/api/v1/backlogs",
            query={"q": q, "sort": sort, "limit": limit, "cursor": cursor},
        )
        return found

    async def import_backlog(self, *, body: m.BacklogIn) -> m.ImportOut:
        """Read a document into the queue. Sent again under the same name, it is brought up to date."""
        found: m.ImportOut = await self._connection.json("POST", "/api/v1/backlogs", body=body)
        return found

    async def export_backlog(self, *, name: str | None = None) -> str:
        """Return the jobs of a document as Markdown, as they now stand."""
        found: str = await self._connection.text(
            "GET", "/api/v1/backlogs/export", query={"name": name}
        )
        return found

    async def list_keys(self) -> m.KeyPage:
        """List API keys, oldest first."""
        found: m.KeyPage = await self._connection.json("GET", "/api/v1/keys")
        return found

    async def create_key(self, *, body: m.NewKey) -> m.IssuedKeyView:
        """Make an API key; nobody gives more than they may do themselves."""
        found: m.IssuedKeyView = await self._connection.json("POST", "/api/v1/keys", body=body)
        return found

    async def revoke_key(self, key: str) -> m.KeyView:
        """Make a key stop working at once; again, it changes nothing."""
        found: m.KeyView = await self._connection.json("DELETE", f"/api/v1/keys/{path_part(key)}")
        return found

    async def list_sessions(self) -> m.SignedInPage:
        """List who is signed in with a browser, oldest session first; what is over is left out."""
        found: m.SignedInPage = await self._connection.json("GET", "/api/v1/sessions")
        return found

    async def sign_out_person(self, name: str) -> m.EndedView:
        """End all sessions of a person, and the sign-in links for them that nobody used yet."""
        found: m.EndedView = await self._connection.json(
            "POST", f"/api/v1/people/{path_part(name)}/sign-out"
        )
        return found

    async def list_audit_entries(
        self,
        *,
        since: str | None = None,
        until: str | None = None,
        actor: str | None = None,
        operation: str | None = None,
        resource: str | None = None,
        result: Literal["", "done", "refused", "failed"] | None = None,
        request_id: str | None = None,
        sort: Literal["-number", "number"] | None = None,
        limit: int | None = None,
        cursor: int | None = None,
    ) -> m.AuditPage:
        """Return entries that fit, newest first unless asked otherwise."""
        found: m.AuditPage = await self._connection.json(
            "GET",
            "/api/v1/audit",
            query={
                "since": since,
                "until": until,
                "actor": actor,
                "operation": operation,
                "resource": resource,
                "result": result,
                "request_id": request_id,
                "sort": sort,
                "limit": limit,
                "cursor": cursor,
            },
        )
        return found

    async def verify_audit(self, *, expect_head: str | None = None) -> m.VerificationView:
        """Read the whole log and say whether anybody changed it."""
        found: m.VerificationView = await self._connection.json(
            "GET", "/api/v1/audit/verification", query={"expect_head": expect_head}
        )
        return found

    async def revert_job(
        self, key: str, *, body: m.RevertIn | None = None, if_match: str | None = None
    ) -> m.RevertedOut:
        """Take back what was merged for a job, by a commit that undoes it; the job is cancelled then."""
        found: m.RevertedOut = await self._connection.json(
            "POST",
            f"/api/v1/jobs/{path_part(key)}/revert",
            headers={"if-match": if_match},
            body=body,
            takes_long=True,
        )
        return found

    async def review_job_again(self, key: str, *, if_match: str | None = None) -> m.ReviewBegunOut:
        """Begin to check a job's delivery again, on the base as it is now; the queue heeds it not."""
        found: m.ReviewBegunOut = await self._connection.json(
            "POST", f"/api/v1/jobs/{path_part(key)}/review", headers={"if-match": if_match}
        )
        return found

    async def get_repeated_review(self, key: str, review_id: str) -> m.RepeatedReviewOut:
        """Say how a review stands that was asked for again."""
        found: m.RepeatedReviewOut = await self._connection.json(
            "GET", f"/api/v1/jobs/{path_part(key)}/review/{path_part(review_id)}"
        )
        return found

    async def clean_queue(self, *, body: m.CleanIn | None = None) -> list[m.CleanStepOut]:
        """Put away the tasks whose work is merged, and those that were replaced."""
        found: list[m.CleanStepOut] = await self._connection.json(
            "POST", "/api/v1/queue/clean", body=body, takes_long=True
        )
        return found

    async def list_flaky_checks(self) -> list[m.CheckHistoryOut]:
        """Return how often each command of reviews was flaky, the flakiest first."""
        found: list[m.CheckHistoryOut] = await self._connection.json("GET", "/api/v1/reviews/flaky")
        return found

    async def test_notifications(self, *, body: m.NotifyIn | None = None) -> m.NotifiedOut:
        """Send a test message to every address of notify.urls."""
        found: m.NotifiedOut = await self._connection.json(
            "POST", "/api/v1/notifications/test", body=body
        )
        return found

    async def list_webhooks(self) -> list[m.WebhookOut]:
        """List the endpoints, oldest first. There are at most 100."""
        found: list[m.WebhookOut] = await self._connection.json("GET", "/api/v1/webhooks")
        return found

    async def create_webhook(self, *, body: m.NewWebhookIn) -> m.IssuedWebhookOut:
        """Send events to an address from now on; its secret is in the answer, this once."""
        found: m.IssuedWebhookOut = await self._connection.json(
            "POST", "/api/v1/webhooks", body=body
        )
        return found

    async def list_webhook_deliveries(
        self,
        *,
        endpoint: str | None = None,
        state: m.DeliveryState | None = None,
        limit: int | None = None,
        cursor: int | None = None,
    ) -> m.DeliveryPage:
        """Return what was sent, how it was answered, and what is still to be sent; newest first."""
        found: m.DeliveryPage = await self._connection.json(
            "GET",
            "/api/v1/webhooks/deliveries",
            query={"endpoint": endpoint, "state": state, "limit": limit, "cursor": cursor},
        )
        return found

    async def replay_webhook(self, *, body: m.ReplayIn) -> m.ReplayedOut:
        """Send again: one delivery, or every event since a time. The message ids stay the same."""
        found: m.ReplayedOut = await self._connection.json(
            "POST", "/api/v1/webhooks/replay", body=body
        )
        return found

    async def get_webhook(self, endpoint: str) -> m.WebhookOut:
        """Return one endpoint."""
        found: m.WebhookOut = await self._connection.json(
            "GET", f"/api/v1/webhooks/{path_part(endpoint)}"
        )
        return found

    async def update_webhook(
        self, endpoint: str, *, body: m.WebhookChangeIn, if_match: str | None = None
    ) -> m.WebhookOut:
        """Change where events are sent, which, and whether."""
        found: m.WebhookOut = await self._connection.json(
            "PATCH",
            f"/api/v1/webhooks/{path_part(endpoint)}",
            headers={"if-match": if_match},
            body=body,
        )
        return found

    async def delete_webhook(self, endpoint: str, *, if_match: str | None = None) -> None:
        """Send nothing there any more, and forget its deliveries."""
        await self._connection.nothing(
            "DELETE", f"/api/v1/webhooks/{path_part(endpoint)}", headers={"if-match": if_match}
        )

    async def test_webhook(self, endpoint: str) -> m.TestedOut:
        """Send a test message now, whether the endpoint is enabled or not."""
        found: m.TestedOut = await self._connection.json(
            "POST", f"/api/v1/webhooks/{path_part(endpoint)}/test"
        )
        return found

    async def rotate_key(self, key: str, *, body: m.Rotation) -> m.IssuedKeyView:
        """Give a key a successor with the same name, role and scopes."""
        found: m.IssuedKeyView = await self._connection.json(
            "POST", f"/api/v1/keys/{path_part(key)}/rotate", body=body
        )
        return found

    async def create_link(self, *, body: m.NewLink) -> m.LinkView:
        """Make a link that signs a person in, once and for a few minutes."""
        found: m.LinkView = await self._connection.json("POST", "/api/v1/sign-in-links", body=body)
        return found

    async def rotate_webhook_secret(self, endpoint: str) -> m.IssuedWebhookOut:
        """Give an endpoint a new secret; messages are signed with both for a day."""
        found: m.IssuedWebhookOut = await self._connection.json(
            "POST", f"/api/v1/webhooks/{path_part(endpoint)}/rotate-secret"
        )
        return found

    async def follow_events(
        self,
        *,
        after: str | None = None,
        named: bool | None = None,
        type: list[str] | None = None,
        subject: list[str] | None = None,
        task: list[str] | None = None,
        job: list[str] | None = None,
        since: str | None = None,
        until: str | None = None,
    ) -> str:
        """Send each wanted event once, in order, as server-sent events."""
        found: str = await self._connection.text(
            "GET",
            "/api/v1/events/stream",
            query={
                "after": after,
                "named": named,
                "type": type,
                "subject": subject,
                "task": task,
                "job": job,
                "since": since,
                "until": until,
            },
        )
        return found

    async def get_event(self, event_id: str) -> m.EventOut:
        """Return one event."""
        found: m.EventOut = await self._connection.json(
            "GET", f"/api/v1/events/{path_part(event_id)}"
        )
        return found

    async def get_liveness(self) -> m.Live:
        """Answer, which is the proof. Nothing else is looked at: a restart mends no database."""
        found: m.Live = await self._connection.json("GET", "/health/live")
        return found

    async def get_readiness(self) -> m.Ready:
        """Answer 200 when everything critical works, 503 otherwise."""
        found: m.Ready = await self._connection.json("GET", "/health/ready")
        return found

    async def get_health(self) -> m.HealthAnswer:
        """Answer 200 while it works, also with something missing (degraded), 503 otherwise."""
        found: m.HealthAnswer = await self._connection.json("GET", "/health")
        return found

    async def get_metrics(self) -> str:
        """Return every metric."""
        found: str = await self._connection.text("GET", "/metrics")
        return found
