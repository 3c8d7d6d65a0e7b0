"""Wire objects to domain values, leniently: the API is an alpha and its format moves.

Unknown states, kinds and members are kept raw; missing ones take their defaults (proto3 JSON
omits them). Source: Jules REST reference v1alpha, sections 4 to 6 (read 2026-11).
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from unidiff.patch import PatchedFile, PatchSet

from jules_job_manager.domain.activity import Activity, ActivityKind
from jules_job_manager.domain.artifact import (
    Artifact,
    BashOutput,
    ChangeSet,
    Media,
    PullRequest,
    SourceFile,
    UnknownArtifact,
)
from jules_job_manager.domain.clockwork import from_rfc3339
from jules_job_manager.domain.plan import Plan, PlanStep
from jules_job_manager.domain.task import JulesTask, Source, TaskStatus

_LOG = logging.getLogger(__name__)

STATES = {
    "QUEUED": TaskStatus.PENDING,
    "PLANNING": TaskStatus.IN_PROGRESS,
    "AWAITING_PLAN_APPROVAL": TaskStatus.WAITING_APPROVAL,
    "AWAITING_USER_FEEDBACK": TaskStatus.WAITING_FEEDBACK,
    "IN_PROGRESS": TaskStatus.IN_PROGRESS,
    "PAUSED": TaskStatus.PAUSED,
    "FAILED": TaskStatus.FAILED,
    "COMPLETED": TaskStatus.COMPLETED,
}

KINDS = {
    "planGenerated": ActivityKind.PLAN_GENERATED,
    "planApproved": ActivityKind.PLAN_APPROVED,
    "userMessaged": ActivityKind.USER_MESSAGED,
    "agentMessaged": ActivityKind.AGENT_MESSAGED,
    "progressUpdated": ActivityKind.PROGRESS_UPDATED,
    "sessionCompleted": ActivityKind.SESSION_COMPLETED,
    "sessionFailed": ActivityKind.SESSION_FAILED,
}
_MESSAGES = {
    "userMessaged": "userMessage",
    "agentMessaged": "agentMessage",
    "progressUpdated": "title",
    "sessionFailed": "reason",
}
_ACTIVITY_MEMBERS = {"name", "id", "createTime", "originator", "description", "artifacts"}
_BODY_MEMBERS = {
    "planGenerated": {"plan"},
    "planApproved": {"planId"},
    "userMessaged": {"userMessage"},
    "agentMessaged": {"agentMessage"},
    "progressUpdated": {"title", "description"},
    "sessionCompleted": set[str](),
    "sessionFailed": {"reason"},
}
_SESSION_MEMBERS = {
    "name", "id", "title", "prompt", "createTime", "updateTime", "state", "sourceContext", "url",
    "outputs", "requirePlanApproval", "archived",
}  # fmt: skip


def id_of(wire: Mapping[str, Any]) -> str:
    """Return the id of a Session, Activity or Source object, or an empty text."""
    return _text(wire, "id") or _text(wire, "name").rpartition("/")[2]


def task_from(wire: Mapping[str, Any]) -> JulesTask:
    """Return the task of a Session object.

    Raises:
        ValueError: it has neither `id` nor `name`.
    """
    task_id = id_of(wire)
    if not task_id:
        raise ValueError("a session without an id")
    context = _object(wire, "sourceContext")
    state = _text(wire, "state")
    archived = wire.get("archived")
    approval = wire.get("requirePlanApproval")
    return JulesTask(
        id=task_id,
        title=_text(wire, "title"),
        description=_text(wire, "prompt"),
        repository=repository_of(_text(context, "source")),
        branch=_text(_object(context, "githubRepoContext"), "startingBranch"),
        status=_status(state),
        created_at=_moment(wire, "createTime"),
        updated_at=_moment(wire, "updateTime"),
        url=_text(wire, "url"),
        outputs=tuple(output_from(item) for item in _objects(wire, "outputs")),
        raw_state=state,
        working_branch=_text(context, "workingBranch"),
        require_plan_approval=approval if isinstance(approval, bool) else None,
        archived=archived if isinstance(archived, bool) else False,
        metadata={name: value for name, value in wire.items() if name not in _SESSION_MEMBERS},
    )


def activity_from(wire: Mapping[str, Any], task_id: str) -> Activity:
    """Return the activity of an Activity object.

    Raises:
        ValueError: it has neither `id` nor `name`.
    """
    activity_id = id_of(wire)
    if not activity_id:
        raise ValueError("an activity without an id")
    member = next((name for name in KINDS if isinstance(wire.get(name), Mapping)), "")
    body = _object(wire, member)
    kind = KINDS.get(member, ActivityKind.UNKNOWN)
    return Activity(
        id=activity_id,
        task_id=task_id,
        kind=kind,
        created_at=_moment(wire, "createTime"),
        created_at_raw=_text(wire, "createTime"),
        originator=_text(wire, "originator").lower(),
        description=_text(body, "description") or _text(wire, "description"),
        message=_text(body, _MESSAGES.get(member, "")),
        plan=plan_from(_object(body, "plan")) if kind is ActivityKind.PLAN_GENERATED else None,
        plan_id=_text(body, "planId"),
        artifacts=tuple(artifact_from(item) for item in _objects(wire, "artifacts")),
        raw=_raw(wire, member, body),
    )


def _raw(wire: Mapping[str, Any], member: str, body: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the whole object where something in it is unknown; artifacts, when kept, stand apart."""
    if not member:
        return dict(wire)
    if set(wire) <= _ACTIVITY_MEMBERS | {member} and set(body) <= _BODY_MEMBERS[member]:
        return None
    return {name: value for name, value in wire.items() if name != "artifacts"}


def plan_from(wire: Mapping[str, Any]) -> Plan:
    """Return the plan of a Plan object; steps keep their order in the list."""
    return Plan(
        id=_text(wire, "id"),
        steps=tuple(
            PlanStep(
                id=_text(s, "id"), title=_text(s, "title"), description=_text(s, "description")
            )
            for s in _objects(wire, "steps")
        ),
        created_at=_moment(wire, "createTime"),
    )


def output_from(wire: Mapping[str, Any]) -> Artifact:
    """Return a pull request, a change set, or what is unknown, of a SessionOutput object."""
    request = wire.get("pullRequest")
    if isinstance(request, Mapping):
        return PullRequest(
            url=_text(request, "url"),
            title=_text(request, "title"),
            description=_text(request, "description"),
            base_ref=_text(request, "baseRef"),
            head_ref=_text(request, "headRef"),
        )
    return artifact_from(wire)


def artifact_from(wire: Mapping[str, Any]) -> Artifact:
    """Return the artifact of an Artifact object; an unknown kind is kept raw."""
    if isinstance(change := wire.get("changeSet"), Mapping):
        patch = _object(change, "gitPatch")
        text = _text(patch, "unidiffPatch")
        return ChangeSet(
            source=_text(change, "source"),
            unidiff_patch=text,
            base_commit_id=_text(patch, "baseCommitId"),
            suggested_commit_message=_text(patch, "suggestedCommitMessage"),
            files=files_of(text),
        )
    if isinstance(media := wire.get("media"), Mapping):
        mime_type = _text(media, "mimeType") or _text(media, "format")
        return Media(mime_type=mime_type, data=_text(media, "data"))
    if isinstance(bash := wire.get("bashOutput"), Mapping):
        code = bash.get("exitCode", 0)
        return BashOutput(
            command=_text(bash, "command"),
            output=_text(bash, "output"),
            exit_code=code if isinstance(code, int) else 0,
        )
    return UnknownArtifact(raw=dict(wire))


def source_from(wire: Mapping[str, Any]) -> Source:
    """Return the repository of a Source object."""
    repo = _object(wire, "githubRepo")
    owner, name = _text(repo, "owner"), _text(repo, "repo")
    private = repo.get("isPrivate")
    return Source(
        name=_text(wire, "name"),
        repository=f"{owner}/{name}" if owner and name else repository_of(_text(wire, "name")),
        default_branch=_text(_object(repo, "defaultBranch"), "displayName"),
        branches=tuple(_text(branch, "displayName") for branch in _objects(repo, "branches")),
        is_private=private if isinstance(private, bool) else None,
    )


def repository_of(source: str) -> str:
    """Return `owner/name` of a source name, or the name itself where it cannot be told.

    `sources/github/o/r` is what the service sends; the documents also write `sources/github-o-r`,
    which is ambiguous when a part has a hyphen: the owner is then taken as the first word.
    """
    rest = source.removeprefix("sources/")
    if rest.startswith("github/"):
        return rest.removeprefix("github/").strip("/")
    if rest.startswith("github-"):
        owner, _, name = rest.removeprefix("github-").partition("-")
        return f"{owner}/{name}" if name else rest
    return rest


def files_of(patch: str) -> tuple[SourceFile, ...]:
    """Return the files a patch names; none when it cannot be read as one."""
    if not patch:
        return ()
    try:
        files = PatchSet.from_string(patch, metadata_only=True)
        return tuple(
            SourceFile(filename=_plain_path(file), status=_file_status(file)) for file in files
        )
    except Exception as exc:  # noqa: BLE001 - any text may stand where a patch should
        _LOG.warning("a patch could not be read: %s", exc, extra={"action": "patch_unreadable"})
        return ()


_ESCAPED = re.compile(rb'\\([0-7]{3}|[abtnvfr"\\])')
_ESCAPES = dict(zip(b'abtnvfr"\\', b'\a\b\t\n\v\f\r"\\', strict=True))


def _plain_path(file: PatchedFile) -> str:
    """Return the file's path as it is in the tree, not as git quotes it in a patch.

    Source: git-config(1), core.quotePath: bytes above 127, control characters, quotes and
    backslashes are written C-style between double quotes.
    """
    path: str = file.path
    if not (len(path) > 1 and path.startswith('"') and path.endswith('"')):
        return path

    def plain(match: re.Match[bytes]) -> bytes:
        code = match[1]
        return bytes([int(code, 8) & 255 if code.isdigit() else _ESCAPES[code[0]]])

    return _ESCAPED.sub(plain, path[1:-1].encode()).decode("utf-8", "replace")


def _file_status(file: PatchedFile) -> str:
    if file.is_added_file:
        return "created"
    return "deleted" if file.is_removed_file else "modified"


def _status(state: str) -> TaskStatus:
    status = STATES.get(state)
    if status is None and state not in {"", "STATE_UNSPECIFIED"}:
        _LOG.warning("unknown state %r", state[:80], extra={"action": "unknown_state"})
    return status or TaskStatus.UNKNOWN


def _text(wire: Mapping[str, Any], name: str) -> str:
    value = wire.get(name)
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else ""


def _object(wire: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = wire.get(name)
    return value if isinstance(value, Mapping) else {}


def _objects(wire: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    value = wire.get(name)
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []


def _moment(wire: Mapping[str, Any], name: str) -> datetime | None:
    try:
        return from_rfc3339(text) if (text := _text(wire, name)) else None
    except ValueError:
        _LOG.warning("%s is not a time", name, extra={"action": "bad_time"})
        return None
