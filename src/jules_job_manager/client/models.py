"""What the API takes and gives. Written by scripts/generate_client.py; do not edit."""

from __future__ import annotations

from typing import Any, Literal, NotRequired, TypeAlias

from typing_extensions import TypedDict

ActivityKind: TypeAlias = Literal['plan_generated', 'plan_approved', 'user_messaged', 'agent_messaged', 'progress_updated', 'session_completed', 'session_failed', 'unknown']


class AdoptIn(TypedDict, closed=True):
    """
    A task that already works on the job.
    """

    task: str


class ApprovalIn(TypedDict, closed=True):
    """
    An approval of a plan.
    """

    plan: NotRequired[str | None]


AttemptState: TypeAlias = Literal['intended', 'live', 'accepted', 'rejected', 'failed', 'replaced', 'abandoned']


class AuditEntryView(TypedDict):
    """
    Who did what to what.
    """

    number: int
    at: str
    actor: str
    kind: str
    operation: str
    resource: str
    result: str
    request_id: str
    address: str
    before: Any
    after: Any
    previous_hash: str
    hash: str


class AuditPage(TypedDict):
    """
    Entries, newest first unless asked otherwise.
    """

    items: list[AuditEntryView]
    next_cursor: int | None


class BacklogIn(TypedDict, closed=True):
    """
    A document to be read into the queue.
    """

    name: str
    content: str
    repository: NotRequired[str]
    base_branch: NotRequired[str]
    dry_run: NotRequired[bool]
    removes: NotRequired[bool]


class BacklogOut(TypedDict):
    """
    A document whose jobs are in the queue.
    """

    name: str
    jobs: int
    counts: dict[str, int]


class BoardAttemptOut(TypedDict):
    """
    An attempt that is at work.
    """

    job: str
    mark: str
    task_id: str


class CancelIn(TypedDict, closed=True):
    """
    What becomes of the task of a job that is cancelled.
    """

    task: NotRequired[Literal['archive', 'delete', 'keep']]


class ChatMessageOut(TypedDict):
    """
    One message of the conversation.
    """

    timestamp: str | None
    content: str
    type: str


class CheckHistoryOut(TypedDict):
    """
    How one check ended, over all reviews that ran it.
    """

    check: str
    runs: int
    failed: int
    flaky: int
    quarantined: int
    changed_its_mind: int
    flaky_share: float


class ChecklistItemOut(TypedDict):
    """
    One line of the job's checklist.
    """

    text: str
    checked: bool
    evidence: str


class CleanIn(TypedDict, closed=True):
    """
    Which tasks are put away.
    """

    delete: NotRequired[bool]
    all_tasks: NotRequired[bool]
    dry_run: NotRequired[bool]


class CleanStepOut(TypedDict):
    """
    What is, or would be, done with one task, and why.
    """

    task_id: str
    account: str
    job: str
    title: str
    action: Literal['archive', 'delete', 'keep']
    reason: str
    done: bool
    failed: bool


Conclusion: TypeAlias = Literal['success', 'failure', 'neutral', 'skipped', 'timed_out', 'action_required']


class DeclineIn(TypedDict, closed=True):
    """
    A plan that a person does not want.
    """

    plan: str


DeliveryState: TypeAlias = Literal['pending', 'delivered', 'failed']


class EndedView(TypedDict):
    """
    How much was ended; both 0: nobody of this name was signed in or invited.
    """

    sessions: int
    links: int


class EventOut(TypedDict):
    """
    A fact that was written down and never changes.
    """

    id: int
    type: str
    subject: str
    at: str
    actor: str
    data: dict[str, Any]


class EventPage(TypedDict):
    """
    Events, in the order that was asked for.
    """

    items: list[EventOut]
    last_id: int


HealthStatus: TypeAlias = Literal['healthy', 'degraded', 'unhealthy']


class IssuedWebhookOut(TypedDict):
    """
    An endpoint with a new secret, this once.
    """

    id: str
    url: str
    description: str
    types: list[str]
    subjects: list[str]
    enabled: bool
    disabled_reason: str
    failing_since: str | None
    cursor: int
    created_at: str
    secret: str


DependsOnItem: TypeAlias = str


class JobFileOut(TypedDict):
    """
    A file that the job says it will touch.
    """

    path: str
    action: str
    note: str


JobStatus: TypeAlias = Literal['draft', 'blocked', 'ready', 'starting', 'running', 'needs_you', 'reviewing', 'merging', 'done', 'failed', 'cancelled']


class Live(TypedDict):
    """
    The process runs and answers.
    """

    status: str


class MessageIn(TypedDict, closed=True):
    """
    A message to a task.
    """

    text: str


class MoveIn(TypedDict, closed=True):
    """
    Another place among the jobs that wait.
    """

    to: Literal['top', 'bottom', 'before', 'after']
    other: NotRequired[str | None]


ChecklistItem: TypeAlias = str


Check1: TypeAlias = str


class NewTaskIn(TypedDict, closed=True):
    """
    A task to be created.
    """

    description: str
    repository: NotRequired[str]
    branch: NotRequired[str]
    title: NotRequired[str | None]
    require_plan_approval: NotRequired[bool]
    auto_create_pr: NotRequired[bool]


class NewTasksIn(TypedDict, closed=True):
    """
    Several tasks to be created, one after the other.
    """

    tasks: list[NewTaskIn]


Type: TypeAlias = str


Subject: TypeAlias = str


class NewWebhookIn(TypedDict, closed=True):
    """
    An endpoint to be made.
    """

    url: str
    types: NotRequired[list[Type]]
    subjects: NotRequired[list[Subject]]
    description: NotRequired[str]


class NotifiedOut(TypedDict):
    """
    How many addresses there are.
    """

    addresses: int


class NotifyIn(TypedDict, closed=True):
    """
    What test message is sent.
    """

    alert: NotRequired[bool]
    dry_run: NotRequired[bool]


class OrderOut(TypedDict):
    """
    The keys of the jobs that wait, in their order.
    """

    keys: list[str]


class PageBacklogOut(TypedDict):
    items: list[BacklogOut]
    next_cursor: NotRequired[str | None]


class PauseIn(TypedDict, closed=True):
    """
    Why the queue is paused.
    """

    reason: NotRequired[str | None]


Permission: TypeAlias = Literal['tasks:read', 'tasks:write', 'queue:read', 'queue:write', 'reviews:read', 'reviews:write', 'events:read', 'backlogs:read', 'backlogs:write', 'health:read', 'metrics:read', 'settings:read', 'webhooks:manage', 'keys:manage', 'audit:read']


class PlanStepOut(TypedDict):
    """
    One step of a plan.
    """

    id: str
    title: str
    description: str


Priority: TypeAlias = Literal['critical', 'high', 'medium', 'low']


class ProblemOut(TypedDict):
    """
    Something in the document that was not understood.
    """

    line: int
    message: str


class ProblemView(TypedDict):
    """
    One thing that is wrong with the log.
    """

    kind: str
    number: int
    text: str


class QueueOut(TypedDict):
    """
    How the queue stands.
    """

    total: int
    counts: dict[str, int]
    needs_you: list[str]
    next: list[str]
    paused: str
    paused_by: str
    leader: str
    leader_until: str | None


class QuotaOut(TypedDict):
    """
    What one account has used, and what is left.
    """

    account: str
    plan: str
    provenance: str
    used: int
    per_day: int | None
    at_work: int
    at_once: int | None
    next_slot: str | None
    refused_until: str | None
    slots: list[str]


class Ready(TypedDict):
    """
    Whether requests may be sent here.
    """

    status: str


class ReasonIn(TypedDict, closed=True):
    """
    Why, in words.
    """

    reason: NotRequired[str | None]


class ReplayIn(TypedDict, closed=True):
    """
    What is sent again: one delivery, or all that an endpoint wants since a time.
    """

    delivery: NotRequired[int | None]
    endpoint: NotRequired[str | None]
    since: NotRequired[str | None]
    dry_run: NotRequired[bool]


class ReplayedOut(TypedDict):
    """
    How many messages are sent again.
    """

    count: int


class ResumedOut(TypedDict):
    """
    Whether there was a pause.
    """

    was_paused: bool


class RevertIn(TypedDict, closed=True):
    """
    How a merge is taken back.
    """

    checks: NotRequired[bool]
    dry_run: NotRequired[bool]


class ReviewBegunOut(TypedDict):
    """
    A review that was asked for again, and is at work.
    """

    id: str
    job_key: str
    warnings: list[str]


class ReviewErrorOut(TypedDict):
    """
    Why a review could not be run.
    """

    code: str
    detail: str
    hint: str | None


Role: TypeAlias = Literal['viewer', 'operator', 'admin']


class Rotation(TypedDict, closed=True):
    """
    How a key is replaced.
    """

    overlap_seconds: NotRequired[float]
    expires_at: NotRequired[str | None]


class ServiceOut(TypedDict):
    """
    What this service is.
    """

    version: str
    store: str
    backend: str
    worker: bool
    worker_problem: str


class SessionView(TypedDict):
    """
    Who is signed in, and what a page needs to know of it.
    """

    name: str
    kind: str
    role: str
    permissions: list[str]
    csrf_token: NotRequired[str | None]


class SettingOut(TypedDict):
    """
    One setting. Secrets are masked.
    """

    name: str
    value: str
    source: str
    help: str


class SignIn(TypedDict, closed=True):
    """
    A person's word for a line of the checklist.
    """

    line: int
    evidence: str


class SignedInView(TypedDict):
    """
    Somebody who is signed in with a browser. What the browser keeps is not shown.
    """

    id: str
    name: str
    role: Role
    origin: str
    created_at: str
    last_used_at: str
    expires_at: str


class SourceFileOut(TypedDict):
    """
    A file that the task touched.
    """

    filename: str
    url: str
    status: str


class SourceOut(TypedDict):
    """
    A repository that Jules may work on.
    """

    name: str
    repository: str
    default_branch: str
    branches: list[str]
    is_private: NotRequired[bool | None]


class StoryOut(TypedDict):
    """
    The whole story of a job on one page.
    """

    key: str
    markdown: str


class TaskChangeIn(TypedDict, closed=True):
    """
    What may be changed of a task.
    """

    archived: bool


class TaskIdOut(TypedDict):
    """
    The full id of a task that was meant by its first characters or address.
    """

    task_id: str


class TaskPlanOut(TypedDict):
    """
    A plan with what an approval names.
    """

    id: str
    steps: list[PlanStepOut]
    created_at: str | None
    fingerprint: str


TaskStatus: TypeAlias = Literal['pending', 'in_progress', 'waiting_approval', 'waiting_feedback', 'paused', 'completed', 'failed', 'cancelled', 'unknown']


class TaskStatusOut(TypedDict):
    """
    Where a task stands.
    """

    task_id: str
    status: TaskStatus
    raw_state: str
    updated_at: str | None
    seen_at: str | None
    finished: bool
    progress: str


class TestedOut(TypedDict):
    """
    How an endpoint took a test message.
    """

    status: int | None
    latency_ms: int
    answer: str
    error: str


Verdict: TypeAlias = Literal['accept', 'reject', 'escalate']


class VerificationView(TypedDict):
    """
    Whether the log is as it was written.
    """

    ok: bool
    count: int
    first_number: int | None
    head: str
    is_head_too_old: bool
    problems: list[ProblemView]


class WaitingOut(TypedDict):
    """
    Something that waits for a person.
    """

    kind: Literal['plan', 'question', 'job', 'merge', 'sign_off']
    repository: str
    job_key: str
    task_id: str
    title: str
    reason: str
    since: str | None
    plan: str
    commit: str


class WebhookChangeIn(TypedDict, closed=True):
    """
    What is changed of an endpoint; what is left out stays as it is.
    """

    url: NotRequired[str | None]
    description: NotRequired[str | None]
    types: NotRequired[list[Type] | None]
    subjects: NotRequired[list[Subject] | None]
    enabled: NotRequired[bool | None]
    skip_missed: NotRequired[bool]


class WebhookDeliveryOut(TypedDict):
    """
    One event for one endpoint, and how sending it went.
    """

    id: int
    endpoint_id: str
    message_id: str
    event_id: int
    event_type: str
    state: DeliveryState
    tries: int
    due: str
    status: int | None
    latency_ms: int | None
    answer: str
    error: str
    created_at: str
    finished_at: str | None


class WebhookOut(TypedDict):
    """
    Where events are sent. Its secret is not shown.
    """

    id: str
    url: str
    description: str
    types: list[str]
    subjects: list[str]
    enabled: bool
    disabled_reason: str
    failing_since: str | None
    cursor: int
    created_at: str


class WouldOut(TypedDict):
    """
    What would become of a job.
    """

    job: str
    text: str


class Problem(TypedDict):
    """
    What every answer that is no success holds (RFC 9457).
    """

    type: str
    title: str
    status: int
    detail: str
    code: str
    hint: NotRequired[str | None]
    request_id: NotRequired[str]
    errors: NotRequired[list[dict[str, Any]]]
    made: NotRequired[str | None]


class AttemptOut(TypedDict):
    """
    One task created, or about to be, for a job.
    """

    mark: str
    job_key: str
    number: int
    state: AttemptState
    task_id: str
    feedback_rounds: int
    delivered_commit: str
    created_at: str | None
    updated_at: str | None
    account: str
    lane: int
    occurrence: int
    tries: int
    start_branch: str
    carries: str
    answers: int
    nudges: int
    nudged_at: str | None


class BoardJobOut(TypedDict):
    """
    What a board shows of a job.
    """

    key: str
    title: str
    status: JobStatus
    reason: str
    task_id: str
    merge_commit: str
    started_at: str | None
    finished_at: str | None


class BoardTaskOut(TypedDict):
    """
    Where a task stands.
    """

    id: str
    status: TaskStatus
    updated_at: str | None


class ChangeSetOut(TypedDict):
    """
    A patch in git's unified format.
    """

    kind: str
    source: str
    unidiff_patch: str
    base_commit_id: str
    suggested_commit_message: str
    files: list[SourceFileOut]


class Check(TypedDict):
    """
    One check.
    """

    status: HealthStatus
    latency: float
    message: str
    age_seconds: float | None
    critical: bool


class CheckResultOut(TypedDict):
    """
    One check on one delivery.
    """

    name: str
    conclusion: Conclusion
    output: str
    exit_code: int | None
    duration_seconds: float
    required: bool
    command: str
    log_sha256: str
    findings: list[dict[str, Any]]
    flaky: bool
    proves: list[str]
    opinions: list[dict[str, Any]]


class DeliveryOut(TypedDict):
    """
    What an attempt handed over, pinned to a commit.
    """

    job_key: str
    mark: str
    commit: str
    task_id: str
    at: str | None
    verdict: Verdict | None
    reviewed_at: str | None
    merged: bool


class DeliveryPage(TypedDict):
    """
    Deliveries, newest first.
    """

    items: list[WebhookDeliveryOut]
    next_cursor: int | None


class HealthAnswer(TypedDict):
    """
    How everything is.
    """

    status: HealthStatus
    version: str
    uptime: float
    checks: NotRequired[dict[str, Check] | None]


class IssuedKeyView(TypedDict):
    """
    A new key, with the key itself, this once.
    """

    id: str
    name: str
    role: Role
    scopes: list[Permission]
    state: str
    created_at: str
    created_by: str
    expires_at: str | None
    revoked_at: str | None
    last_used_at: str | None
    key: str


class JobChangeIn(TypedDict, closed=True):
    """
    What may be changed of a job; what is left out stays as it is.

    Texts can be changed of jobs that are in no document; those of a document are edited there.
    """

    title: NotRequired[str | None]
    prompt: NotRequired[str | None]
    priority: NotRequired[Priority | None]
    depends_on: NotRequired[list[DependsOnItem] | None]
    repository: NotRequired[str | None]
    base_branch: NotRequired[str | None]
    branch: NotRequired[str | None]
    not_before: NotRequired[str | None]
    schedule: NotRequired[str | None]
    best_of: NotRequired[int | None]
    shares_files: NotRequired[bool | None]
    pinned: NotRequired[bool | None]


class JobOut(TypedDict):
    """
    One entry of a backlog.
    """

    key: str
    title: str
    priority: Priority
    status: JobStatus
    reason: str
    depends_on: list[str]
    branch: str
    files: list[JobFileOut]
    checklist: list[ChecklistItemOut]
    checks: list[str]
    estimate: str
    prompt: str
    task_id: str
    notes: list[str]
    backlog: str
    position: int
    repository: str
    base_branch: str
    merge_commit: str
    started_at: str | None
    finished_at: str | None
    queued_at: str | None
    held: str
    skipped: bool
    pinned: bool
    placed_rank: int | None
    place: float | None
    shares_files: bool
    not_before: str | None
    schedule: str
    occurrence: int
    best_of: int


class KeyView(TypedDict):
    """
    What is known of a key; the key itself is not.
    """

    id: str
    name: str
    role: Role
    scopes: list[Permission]
    state: str
    created_at: str
    created_by: str
    expires_at: str | None
    revoked_at: str | None
    last_used_at: str | None


class LinkView(TypedDict):
    """
    A link that signs a person in, once.
    """

    name: str
    role: Role
    url: str
    expires_at: str


class NewJobIn(TypedDict, closed=True):
    """
    A job to be put into the queue that is in no document.
    """

    key: str
    title: NotRequired[str]
    prompt: NotRequired[str]
    priority: NotRequired[Priority]
    depends_on: NotRequired[list[DependsOnItem]]
    repository: NotRequired[str]
    base_branch: NotRequired[str]
    branch: NotRequired[str]
    checklist: NotRequired[list[ChecklistItem]]
    checks: NotRequired[list[Check1]]
    estimate: NotRequired[str]


class NewJobsIn(TypedDict, closed=True):
    """
    Several jobs; each is put in by itself, in the order given.
    """

    jobs: list[NewJobIn]


class NewKey(TypedDict, closed=True):
    """
    A key to be made.
    """

    name: str
    role: Role
    scopes: NotRequired[list[Permission]]
    expires_at: NotRequired[str | None]


class NewLink(TypedDict, closed=True):
    """
    A person who is to sign in.
    """

    name: str
    role: Role


class OutlookOut(TypedDict):
    """
    What the queue would do next.
    """

    at: str
    may_move: bool
    leader: str
    settles_seconds: float
    would: list[WouldOut]


class PageAttemptOut(TypedDict):
    items: list[AttemptOut]
    next_cursor: NotRequired[str | None]


class PageDeliveryOut(TypedDict):
    items: list[DeliveryOut]
    next_cursor: NotRequired[str | None]


class PageJobOut(TypedDict):
    items: list[JobOut]
    next_cursor: NotRequired[str | None]


class PageWaitingOut(TypedDict):
    items: list[WaitingOut]
    next_cursor: NotRequired[str | None]


class PlanOut(TypedDict):
    """
    What Jules proposes to do.
    """

    id: str
    steps: list[PlanStepOut]
    created_at: str | None


class RevertedOut(TypedDict):
    """
    What came of taking a merge back.
    """

    job: JobOut
    commit: str
    conflicts: list[str]
    checks: list[CheckResultOut]
    built_on: list[str]
    outcome: Literal['none', 'merged', 'not_yet', 'refused']
    merged_as: str
    note: str
    waits_for: str
    refused_by: list[CheckResultOut]


class ReviewOut(TypedDict):
    """
    All checks of one delivery on one base commit, and the verdict.
    """

    job_key: str
    mark: str
    delivered_commit: str
    base_commit: str
    verdict: Verdict
    checks: list[CheckResultOut]
    merge_commit: str
    at: str | None
    check_set: str
    changed_files: int
    changed_lines: int
    changed_paths: list[str]


class SignedInPage(TypedDict):
    """
    Everybody who is signed in, oldest session first.
    """

    items: list[SignedInView]


class TaskOut(TypedDict):
    """
    A task. In lists `chat_history` and `source_files` are empty.
    """

    id: str
    title: str
    description: str
    repository: str
    branch: str
    status: TaskStatus
    created_at: str | None
    updated_at: str | None
    url: str
    chat_history: list[ChatMessageOut]
    source_files: list[SourceFileOut]
    plan: PlanOut | None
    outputs: list[dict[str, Any]]
    raw_state: str
    working_branch: str
    require_plan_approval: bool | None
    archived: bool
    backend: str
    seen_at: str | None
    metadata: dict[str, Any]


class TaskPage(TypedDict):
    """
    Tasks, the newest change first unless asked otherwise.
    """

    items: list[TaskOut]
    next_cursor: NotRequired[str | None]
    stale_since: NotRequired[str | None]
    failure: NotRequired[str | None]


class WhyOut(TypedDict):
    """
    Why a job is not running, and when it will.
    """

    job: JobOut
    key: str
    status: JobStatus
    waits_for: str | None
    reason: str
    until: str | None
    ahead: int | None


class ActivityOut(TypedDict):
    """
    One thing that happened in a task.
    """

    id: str
    task_id: str
    kind: ActivityKind
    created_at: str | None
    created_at_raw: str
    originator: str
    description: str
    message: str
    plan: PlanOut | None
    plan_id: str
    artifacts: list[dict[str, Any]]
    raw: dict[str, Any] | None


class BatchItemJobOut(TypedDict):
    index: int
    status: int
    item: NotRequired[JobOut | None]
    problem: NotRequired[dict[str, Any] | None]


class BatchItemTaskOut(TypedDict):
    index: int
    status: int
    item: NotRequired[TaskOut | None]
    problem: NotRequired[dict[str, Any] | None]


class BatchResultJobOut(TypedDict):
    results: list[BatchItemJobOut]


class BatchResultTaskOut(TypedDict):
    results: list[BatchItemTaskOut]


class BoardQuestionOut(TypedDict):
    """
    A plan that a person may decide on.
    """

    job: str
    task_id: str
    plan: PlanOut
    fingerprint: str
    reason: str
    rule: str


class CancelOut(TypedDict):
    """
    What came of it.
    """

    job: JobOut
    attempts: list[AttemptOut]
    notes: list[str]


class ImportOut(TypedDict):
    """
    What an import did, or would do.
    """

    title: str
    backlog: str
    added: list[str]
    updated: list[str]
    changed: list[str]
    removed: list[str]
    kept: list[str]
    problems: list[ProblemOut]
    differences: list[ProblemOut]
    jobs: list[JobOut]


class KeyPage(TypedDict):
    """
    Every key, oldest first.
    """

    items: list[KeyView]


class PageReviewOut(TypedDict):
    items: list[ReviewOut]
    next_cursor: NotRequired[str | None]


class RepeatedReviewOut(TypedDict):
    """
    How a review stands that was asked for again.
    """

    state: Literal['running', 'done', 'failed', 'lost']
    review: ReviewOut | None
    error: ReviewErrorOut | None


class TaskActOut(TypedDict):
    """
    What came of an act on a task.
    """

    task_id: str
    status: TaskStatus
    at: str
    task: NotRequired[TaskOut | None]


class BoardOut(TypedDict):
    """
    How the queue stands, what comes next, and which plans a person may decide on.
    """

    outlook: OutlookOut
    slots: int
    paused: str
    jobs: list[BoardJobOut]
    attempts: list[BoardAttemptOut]
    tasks: list[BoardTaskOut]
    accounts: list[QuotaOut]
    questions: list[BoardQuestionOut]
