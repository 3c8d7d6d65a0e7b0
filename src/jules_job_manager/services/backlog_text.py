"""Jobs written as a new Markdown backlog, in the form that the reader of documents knows."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from jules_job_manager.domain.job import Job, JobStatus

_STATUS = {
    JobStatus.DRAFT: "Draft",
    JobStatus.BLOCKED: "Blocked",
    JobStatus.READY: "Ready",
    JobStatus.STARTING: "Starting",
    JobStatus.RUNNING: "In Progress",
    JobStatus.NEEDS_YOU: "Needs You",
    JobStatus.REVIEWING: "In Review",
    JobStatus.MERGING: "Merging",
    JobStatus.DONE: "Complete",
    JobStatus.FAILED: "Failed",
    JobStatus.CANCELLED: "Cancelled",
}


def jobs_as_markdown(jobs: Sequence[Job], *, title: str = "Backlog") -> str:
    """Return a document with `jobs`; importing it gives the same jobs."""
    parts = [f"# {_line(title)}\n"]
    parts += ["\n".join(_section(job)) for job in jobs]
    return "\n".join(parts)


def _section(job: Job) -> Iterator[str]:
    yield f"### {job.key}: {_line(job.title)}"
    yield f"**Status**: {_STATUS[job.status]}"
    yield f"**Priority**: {job.priority.value}"
    yield f"**Dependencies**: {', '.join(job.depends_on) or 'None'}"
    if job.estimate:
        yield f"**Estimated Time**: {_line(job.estimate)}"
    if job.branch:
        yield f"**Branch**: `{_line(job.branch)}`"
    if job.prompt:
        longest = max((len(run) for run in re.findall("`+", job.prompt)), default=0)
        fence = "`" * max(4, longest + 1)
        yield f"\n**Prompt**:\n{fence}\n{job.prompt}\n{fence}"
    if job.files:
        yield "\n**Files to Create/Modify**:"
        for file in job.files:
            remark = " - ".join(part for part in (_action(file.action), _line(file.note)) if part)
            yield f"- `{_line(file.path)}`" + (f" ({remark})" if remark else "")
    if job.checks:
        yield "\n**Checks**:"
        yield from (f"- `{_line(command)}`" for command in job.checks)
    if job.checklist:
        yield "\n**Validation Checklist**:"
        for item in job.checklist:
            yield f"- [{'x' if item.checked else ' '}] {_line(item.text)}"
    yield ""


def _action(action: str) -> str:
    return {"create": "NEW", "modify": "MODIFY", "delete": "DELETE"}.get(action, "")


def _line(text: str) -> str:
    return " ".join(text.split())
