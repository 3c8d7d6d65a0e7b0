"""Progress written into a document: only the characters that must change do."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from jules_job_manager.adapters.documents.document import Document, parse_document
from jules_job_manager.adapters.documents.read_job import ParsedJob
from jules_job_manager.adapters.documents.statuses import (
    NOT_STARTED,
    Style,
    broken_like_the_rest,
    common_style,
    parse_status,
    replaced_status,
    status_text,
)
from jules_job_manager.adapters.documents.tables import Cell
from jules_job_manager.adapters.documents.text import SourceText
from jules_job_manager.domain.backlog import JobProgress
from jules_job_manager.domain.job import JobStatus
from jules_job_manager.domain.text import safe_text
from jules_job_manager.errors import BacklogError

Edit = tuple[int, int, str]
OURS = "jjm: "
"""Begins what we write into a cell of notes; what stands before it is a person's and stays."""
EMPTY = frozenset({"", "-", "–", "—"})


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
    style = _style(document)
    edits: dict[int, Edit] = {}
    for item in latest.values():
        for edit in _edits(jobs[item.key], item, document.source, style):
            edits[edit[0]] = edit
    return document.source.edited(list(edits.values())) if edits else content


def _style(document: Document) -> Style:
    """Return how the document writes its status values."""
    values = [row.cells["status"].text for parsed in document.jobs for row in parsed.rows
              if "status" in row.cells]  # fmt: skip
    values += [
        document.source.text[place.start : place.end]
        for place in (parsed.status_place for parsed in document.jobs)
        if place is not None
    ]
    return common_style(values, is_utf8=not document.source.undecodable_lines())


def _edits(parsed: ParsedJob, item: JobProgress, source: SourceText, style: Style) -> list[Edit]:
    edits = _status_edits(parsed, item, source, style)
    edits += [
        (box.place, box.place + 1, "x")
        for box in parsed.boxes
        if not box.checked and box.text in item.checked
    ]
    edits += [
        (box.place, box.place + 1, " ")
        for box in parsed.boxes
        if box.checked and box.text in item.unchecked
    ]
    text = source.text
    values = {
        "started": _date_text(item.started_on),
        "finished": _date_text(item.finished_on),
    }
    for row in parsed.rows:
        again = {"finished": "-"} if _is_begun_again(row.cells.get("finished"), item) else {}
        noted = {} if item.note is None else {"notes": _noted(row.cells.get("notes"), item, style)}
        for name, value in (values | again | noted).items():
            cell = row.cells.get(name)
            if cell is not None and value is not None and value != cell.text:
                edits.append(_cell_edit(cell, value, text))
    return edits


def _is_begun_again(finished: Cell | None, item: JobProgress) -> bool:
    """Whether the cell has the day on which an earlier run of the job ended.

    A later day is somebody's plan, and stays.
    """
    if finished is None or item.started_on is None or item.as_of is None or item.status.is_final:
        return False
    try:
        return date.fromisoformat(finished.text) <= item.as_of
    except ValueError:
        return False


def _status_edits(
    parsed: ParsedJob, item: JobProgress, source: SourceText, style: Style
) -> list[Edit]:
    edits: list[Edit] = []
    status = item.status
    text = source.text
    box = parsed.own_box
    if box is not None and not box.checked and status is JobStatus.DONE:
        edits.append((box.place, box.place + 1, "x"))
    if parsed.status_label_after is not None and not _goes_without_label(parsed, item):
        value = status_text(status, style)
        edits.append(_added_label(parsed.status_label_after, parsed.label_mark, value, source))
    place = parsed.status_place
    if place is not None and not _says(place.status, status):
        space = "" if text[place.start - 1 : place.start] in {" ", "\t"} else " "
        new = replaced_status(text[place.start : place.end], status, style)
        edits.append((place.start, place.end, space + new))
    for row in parsed.rows:
        cell = row.cells.get("status")
        if cell is not None and not _says(parse_status(cell.text), status):
            edits.append(_cell_edit(cell, replaced_status(cell.text, status, style), text))
    return edits


def _goes_without_label(parsed: ParsedJob, item: JobProgress) -> bool:
    """Whether a job without a status says the right one now, and when its lines are ticked.

    A list that is ticked throughout says that the job is done.
    """
    is_ticked = [each.checked or each.text in item.checked for each in parsed.job.checklist]
    then = JobStatus.DONE if is_ticked and all(is_ticked) else parsed.said
    return _says(parsed.said, item.status) and _says(then, item.status)


def _added_label(heading: int, mark: str, value: str, source: SourceText) -> Edit:
    """Return a status line under a heading that has none, in the document's own manner."""
    colon_inside = source.text.count(":**") > source.text.count("**:")
    label = mark + (f"**Status:** {value}" if colon_inside else f"**Status**: {value}")
    line_end = source.starts[heading] + len(source.lines[heading])
    if heading + 1 == len(source.starts):
        return line_end, line_end, f"\n{label}"
    place = source.starts[heading + 1]
    return place, place, label + source.text[line_end:place]


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


def _noted(cell: Cell | None, item: JobProgress, style: Style) -> str:
    """Return what the cell of notes then has: a person's words first, then ours."""
    text = cell_text(item.note or "")
    ours = OURS + ((broken_like_the_rest(text) or text) if style is Style.BROKEN else text)
    theirs = "" if cell is None else cell.text.partition(OURS)[0].rstrip(" ;")
    return ours if theirs in EMPTY else f"{theirs}; {ours}"


def cell_text(note: str) -> str:
    """Return `note` fit for a table cell: one line, nothing hidden, pipes escaped."""
    line = " ".join(safe_text(note, multiline=True).split())
    return line.replace("\\", "\\\\").replace("|", "\\|")


def _date_text(day: date | None) -> str | None:
    return None if day is None else day.isoformat()
