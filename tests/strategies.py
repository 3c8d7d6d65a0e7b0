"""Hypothesis strategies for the domain's values."""

from __future__ import annotations

from datetime import UTC

from hypothesis import strategies as st

from jules_job_manager.domain.activity import Activity, ActivityKind
from jules_job_manager.domain.artifact import (
    BashOutput,
    ChangeSet,
    Media,
    PullRequest,
    SourceFile,
    UnknownArtifact,
)
from jules_job_manager.domain.job import (
    Attempt,
    AttemptState,
    ChecklistItem,
    Job,
    JobFile,
    JobStatus,
    Priority,
)
from jules_job_manager.domain.opinion import Opinion, Word
from jules_job_manager.domain.plan import Plan, PlanStep
from jules_job_manager.domain.review import CheckResult, Conclusion, Review, Verdict
from jules_job_manager.domain.task import ChatMessage, JulesTask, TaskStatus

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30)
words = texts.filter(bool)
ids = st.from_regex(r"[0-9a-f]{1,32}", fullmatch=True)
times = st.datetimes(timezones=st.just(UTC))
maybe_times = st.none() | times
json_objects = st.dictionaries(
    texts, st.none() | st.booleans() | st.integers(-9, 9) | texts, max_size=3
)

opinions = st.builds(
    Opinion, line=texts, word=st.sampled_from(Word), evidence=texts, counts=st.booleans()
)

source_files = st.builds(
    SourceFile, filename=texts, url=texts, status=st.sampled_from(["modified", "created"])
)
change_sets = st.builds(
    ChangeSet,
    source=texts,
    unidiff_patch=texts,
    base_commit_id=texts,
    suggested_commit_message=texts,
    files=st.lists(source_files, max_size=2).map(tuple),
)
artifacts = st.one_of(
    change_sets,
    st.builds(
        PullRequest, url=texts, title=texts, description=texts, base_ref=texts, head_ref=texts
    ),
    st.builds(Media, mime_type=texts, data=texts),
    st.builds(BashOutput, command=texts, output=texts, exit_code=st.integers(-1, 255)),
    st.builds(UnknownArtifact, raw=json_objects),
)
plans = st.builds(
    Plan,
    id=texts,
    steps=st.lists(st.builds(PlanStep, id=texts, title=texts, description=texts), max_size=3).map(
        tuple
    ),
    created_at=maybe_times,
)
activities = st.builds(
    Activity,
    id=ids,
    task_id=ids,
    kind=st.sampled_from(ActivityKind),
    created_at=maybe_times,
    created_at_raw=texts,
    originator=texts,
    description=texts,
    message=texts,
    plan=st.none() | plans,
    plan_id=texts,
    artifacts=st.lists(artifacts, max_size=2).map(tuple),
    raw=st.none() | json_objects,
)
chat_messages = st.builds(
    ChatMessage,
    content=texts,
    timestamp=maybe_times,
    type=st.sampled_from(["user", "jules", "system"]),
)
tasks = st.builds(
    JulesTask,
    id=ids,
    title=texts,
    description=texts,
    repository=texts,
    branch=texts,
    status=st.sampled_from(TaskStatus),
    created_at=maybe_times,
    updated_at=maybe_times,
    url=texts,
    chat_history=st.lists(chat_messages, max_size=2).map(tuple),
    source_files=st.lists(source_files, max_size=2).map(tuple),
    plan=st.none() | plans,
    outputs=st.lists(artifacts, max_size=2).map(tuple),
    raw_state=texts,
    working_branch=texts,
    require_plan_approval=st.none() | st.booleans(),
    archived=st.booleans(),
    backend=texts,
    seen_at=maybe_times,
    metadata=json_objects,
)
jobs = st.builds(
    Job,
    key=words,
    title=texts,
    prompt=texts,
    priority=st.sampled_from(Priority),
    status=st.sampled_from(JobStatus),
    reason=texts,
    depends_on=st.lists(words, max_size=2).map(tuple),
    branch=texts,
    files=st.lists(
        st.builds(JobFile, path=texts, action=st.sampled_from(["create", "modify"]), note=texts),
        max_size=2,
    ).map(tuple),
    checklist=st.lists(st.builds(ChecklistItem, text=texts, checked=st.booleans()), max_size=2).map(
        tuple
    ),
    checks=st.lists(texts, max_size=2).map(tuple),
    estimate=texts,
    notes=st.lists(texts, max_size=2).map(tuple),
    backlog=texts,
    position=st.integers(0, 9999),
    repository=texts,
    base_branch=texts,
    task_id=texts,
    merge_commit=texts,
    started_at=maybe_times,
    finished_at=maybe_times,
)
attempts = st.builds(
    Attempt,
    mark=words,
    job_key=words,
    number=st.integers(1, 99),
    state=st.sampled_from(AttemptState),
    task_id=texts,
    feedback_rounds=st.integers(0, 9),
    delivered_commit=texts,
    created_at=maybe_times,
    updated_at=maybe_times,
)
reviews = st.builds(
    Review,
    job_key=words,
    mark=words,
    delivered_commit=texts,
    base_commit=texts,
    verdict=st.sampled_from(Verdict),
    checks=st.lists(
        st.builds(
            CheckResult,
            name=texts,
            conclusion=st.sampled_from(Conclusion),
            output=texts,
            exit_code=st.none() | st.integers(-9, 255),
            duration_seconds=st.floats(0, 1e6),
            opinions=st.lists(opinions, max_size=2).map(tuple),
        ),
        max_size=2,
    ).map(tuple),
    merge_commit=texts,
    at=maybe_times,
)
