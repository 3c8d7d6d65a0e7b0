"""A job that is only listed (`- JJM-026: Title`), made into a draft or a finished job."""

from __future__ import annotations

from jules_job_manager.adapters.documents.read_job import ParsedJob, box_of, table_status
from jules_job_manager.adapters.documents.sections import Listed
from jules_job_manager.adapters.documents.statuses import NOT_STARTED
from jules_job_manager.adapters.documents.tables import Row
from jules_job_manager.adapters.documents.text import SourceText, repaired
from jules_job_manager.domain.backlog import Problem
from jules_job_manager.domain.job import Job, JobStatus, Priority


def read_listed(
    source: SourceText,
    entry: Listed,
    notes: tuple[str, ...],
    position: int,
    rows: tuple[Row, ...],
    problems: list[Problem],
) -> ParsedJob:
    """Return the job: a draft, unless its box is ticked or its row says that it was begun."""
    box = box_of(source, entry.block)
    in_table, unknown = table_status(rows)
    for row in unknown:
        words = repaired(row.cells["status"].text)
        problems.append(
            Problem(
                line=row.line + 1,
                message=f"{entry.key}: the status '{words}' in the table is not known",
            )
        )
    status = JobStatus.DONE if box is not None and box.checked else in_table
    begun = status if status is not None and status not in NOT_STARTED else None
    job = Job(
        key=entry.key,
        title=repaired(entry.title),
        priority=entry.priority or Priority.MEDIUM,
        status=begun or JobStatus.DRAFT,
        reason="" if begun else "it has no prompt yet",
        notes=notes,
        position=position,
    )
    return ParsedJob(job=job, line=entry.block.line, own_box=box, rows=rows, said=job.status)
