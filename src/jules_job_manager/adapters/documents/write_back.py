"""Progress written into a document: only the characters that must change do."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from jules_job_manager.adapters.documents.document import parse_document
from jules_job_manager.adapters.documents.labels import STATUS_TEXTS, parse_status
from jules_job_manager.adapters.documents.read_job import NOT_STARTED, ParsedJob
from jules_job_manager.adapters.documents.tables import Cell
from jules_job_manager.domain.backlog import JobProgress
from jules_job_manager.domain.job import JobStatus
from jules_job_manager.domain.text import safe_text
from jules_job_manager.errors import BacklogError

Edit = tuple[int, int, str]


def written_back(content: bytes, progress: Sequence[JobProgress]) -> bytes:
    """Return the document with `progress` put in.

    Raises:
        BacklogError: a key is not in the document, or the document cannot be read.
    """
    if not progress:
        return content
    document = parse_document(content)
    jobs = {parsed.job.key: parsed for parsed in document.jobs}
    missing = [item.key for item in progress if item.key not in jobs]
    if missing:
        raise BacklogError(
            f"The document no longer has {', '.join(missing)}.",
            hint="Put the entry back, or import the document again.",
            context={"keys": missing},
        )
    latest = {item.key: item for item in progress}
    edits: dict[int, Edit] = {}
    for item in latest.values():
        for edit in _edits(jobs[item.key], item, document.source.text):
            edits[edit[0]] = edit
    return document.source.edited(list(edits.values())) if edits else content


def _edits(parsed: ParsedJob, item: JobProgress, text: str) -> list[Edit]:
    edits = _status_edits(parsed, item.status, text)
    edits += [
        (box.place, box.place + 1, "x")
        for box in parsed.boxes
        if not box.checked and _is_ticked(parsed, item, box.text)
    ]
    values = {
        "started": _date_text(item.started_on),
        "finished": _date_text(item.finished_on),
        "notes": None if item.note is None else cell_text(item.note),
    }
    for row in parsed.rows:
        for name, value in values.items():
            cell = row.cells.get(name)
            if cell is not None and value is not None and value != cell.text:
                edits.append(_cell_edit(cell, value, text))
    return edits


def _is_ticked(parsed: ParsedJob, item: JobProgress, box_text: str) -> bool:
    """A job without any written status shows that it is done by its ticked list alone."""
    has_status = parsed.status_place is not None or any("status" in r.cells for r in parsed.rows)
    return box_text in item.checked or (item.status is JobStatus.DONE and not has_status)


def _status_edits(parsed: ParsedJob, status: JobStatus, text: str) -> list[Edit]:
    edits: list[Edit] = []
    new = STATUS_TEXTS[status]
    place = parsed.status_place
    if place is not None and not _says(place.status, status):
        space = "" if text[place.start - 1 : place.start] in {" ", "\t"} else " "
        edits.append((place.start, place.end, space + new))
    for row in parsed.rows:
        cell = row.cells.get("status")
        if cell is not None and not _says(parse_status(cell.text), status):
            edits.append(_cell_edit(cell, new, text))
    return edits


def _says(now: JobStatus | None, status: JobStatus) -> bool:
    """Whether the words that stand there are good enough.

    Ready, pending, draft and blocked are one thing to a document: not begun. Its own words
    for that stay, those we do not know included.
    """
    return now is status or (status in NOT_STARTED and (now is None or now in NOT_STARTED))


def _cell_edit(cell: Cell, value: str, text: str) -> Edit:
    if cell.start != cell.end:
        return cell.start, cell.end, value or "-"
    before = "" if text[cell.start - 1 : cell.start] in {" ", "\t"} else " "
    after = "" if text[cell.end : cell.end + 1] in {" ", "\t"} else " "
    return cell.start, cell.end, f"{before}{value}{after}" if value else ""


def cell_text(note: str) -> str:
    """Return `note` fit for a table cell: one line, nothing hidden, pipes escaped."""
    line = " ".join(safe_text(note, multiline=True).split())
    return line.replace("\\", "\\\\").replace("|", "\\|")


def _date_text(day: date | None) -> str | None:
    return None if day is None else day.isoformat()
