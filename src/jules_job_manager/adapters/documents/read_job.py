"""One section of a document made into a job, with the places that may be written to."""

from __future__ import annotations

import re
from dataclasses import dataclass

from jules_job_manager.adapters.documents.blocks import Block
from jules_job_manager.adapters.documents.dependencies import parse_dependencies
from jules_job_manager.adapters.documents.files import action_of_words, files_in_prompt, parse_file
from jules_job_manager.adapters.documents.job_fields import fields_of
from jules_job_manager.adapters.documents.labels import parse_priority
from jules_job_manager.adapters.documents.sections import Section
from jules_job_manager.adapters.documents.statuses import DASHES, NOT_STARTED, parse_status
from jules_job_manager.adapters.documents.tables import Row
from jules_job_manager.adapters.documents.text import SourceText, repaired
from jules_job_manager.domain.backlog import Problem
from jules_job_manager.domain.job import ChecklistItem, Job, JobFile, JobStatus, Priority

_BOX = re.compile(r"[ \t]*(?:[-*+]|\d+[.)])[ \t]+\[(?P<mark>[ xX])\](?:[ \t]|$)")
_COMMAND = re.compile(r"`([^`]+)`")
_BOX_TEXT = re.compile(r"\[[ xX]\](?:[ \t]+|$)")
_NO_PROMPT = {"", "-", "tbd", "todo", "to do", "none", "n/a", "…", "..."}


@dataclass(frozen=True, kw_only=True, slots=True)
class Box:
    """A checkbox: the place of its mark, and the text it stands before."""

    text: str
    place: int
    checked: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class StatusPlace:
    """Where the status value stands, and what it says now (None: words not known)."""

    start: int
    end: int
    status: JobStatus | None


@dataclass(frozen=True, kw_only=True, slots=True)
class ParsedJob:
    """A job with its line (from 0) and the places that may be written to."""

    job: Job
    line: int
    status_place: StatusPlace | None = None
    boxes: tuple[Box, ...] = ()
    rows: tuple[Row, ...] = ()
    own_box: Box | None = None
    """The checkbox of a job that is only listed: its status."""
    said: JobStatus = JobStatus.READY
    """The status that the document gives, whether or not the job can run."""
    status_label_after: int | None = None
    """The line (from 0) of a heading under which a status may be added; None: in its place only."""
    label_mark: str = ""
    """What stands before the job's labels when they are a list: its mark and a space."""


class SectionReader:
    """Reads one section; what it does not understand goes to `problems`."""

    def __init__(self, source: SourceText, section: Section, problems: list[Problem]) -> None:
        """Take the section of `source` apart."""
        self._source = source
        self._section = section
        self._problems = problems
        self._fields = fields_of(section.blocks, self._problem)
        self._doubts: list[str] = []

    def read(self, rows: tuple[Row, ...], notes: tuple[str, ...], position: int) -> ParsedJob:
        """Return the job; `rows` are those of the progress tables for it."""
        prompt, prompt_line = self._prompt()
        boxes, checklist = self._checklist()
        place = self._status_place()
        depends_on = self._dependencies()
        files = self._files(prompt, prompt_line)
        priority = self._priority()
        said = self._said(place, rows, checklist)
        status, reason = self._status(said, prompt)
        job = Job(
            key=self._section.key,
            title=self._section.title or self._value("title"),
            prompt=prompt,
            priority=priority,
            status=status,
            reason=reason,
            depends_on=depends_on,
            branch=self._value("branch").strip("`* "),
            files=files,
            checklist=checklist,
            checks=self._checks(),
            estimate=self._value("estimate"),
            notes=notes,
            position=position,
        )
        has_cell = any("status" in row.cells for row in rows)
        line = self._section.heading.line
        return ParsedJob(job=job, line=line, status_place=place, boxes=boxes, rows=rows, said=said,
                         status_label_after=None if place or has_cell else line,
                         label_mark=self._label_mark())  # fmt: skip

    def _label_mark(self) -> str:
        listed = [found.line for found in self._fields.values() if found.in_list]
        return f"{self._source.lines[listed[0]][0]} " if listed else ""

    def _problem(self, line: int, message: str) -> None:
        self._problems.append(Problem(line=line + 1, message=f"{self._section.key}: {message}"))

    def _value(self, name: str) -> str:
        """Return a field's text on one line: that of the label's line, or of the text under it."""
        found = self._fields.get(name)
        if found is None:
            return ""
        if found.label.value or not found.blocks:
            return repaired(found.label.value)
        block = found.blocks[0]
        return " ".join(self._source.block(block.line, block.end).split())

    def _prompt(self) -> tuple[str, int]:
        """Return the prompt and the line its text begins at."""
        found = self._fields.get("prompt")
        if found is None:
            return self._composed()
        value = repaired(found.label.value).strip()
        blocks = found.blocks
        if not value and blocks and blocks[0].kind == "fence":
            fence = blocks[0]
            for block in blocks[1:]:
                self._problem(block.line, "text after the prompt's fence is not part of it")
            first = fence.line + 1
            lines = [repaired(line) for line in self._source.lines[first : fence.level]]
            text = "\n".join(lines)
            return ("", first) if _is_no_prompt(text) else (text.rstrip(), first)
        below = self._source.block(blocks[0].line, blocks[-1].end) if blocks else ""
        text = f"{value}\n{below}".strip("\n")
        return ("", found.line) if _is_no_prompt(text) else (text, found.line + (not value))

    def _composed(self) -> tuple[str, int]:
        """Return a ticket's own text as the prompt: a ticket describes the work itself."""
        if "description" not in self._fields:
            return "", self._section.heading.line
        first, end = self._section.heading.end, self._section.end
        text = self._source.block(first, end)
        status = self._fields.get("status")
        if status is not None:  # it says where the job stands, not what is to be done
            above, below = (self._source.block(*part) for part in
                            ((first, status.line), (status.line + 1, end)))  # fmt: skip
            text = "\n".join(part for part in (above, below) if part)
        return f"{self._section.key}: {self._section.title}\n\n{text}", first - 2

    def _checklist(self) -> tuple[tuple[Box, ...], tuple[ChecklistItem, ...]]:
        found = self._fields.get("checklist")
        boxes: list[Box] = []
        items: list[ChecklistItem] = []
        for block in found.blocks if found else ():
            if block.kind == "item":
                box = box_of(self._source, block)
                boxes += [box] if box else []
                items.append(
                    ChecklistItem(text=item_text(block), checked=bool(box and box.checked))
                )
            else:
                self._problem(block.line, "this is not a line of the checklist")
        return tuple(boxes), tuple(items)

    def _checks(self) -> tuple[str, ...]:
        """Return the commands that are listed, each in a code span of its own."""
        found = self._fields.get("checks")
        if found is None:
            return ()
        texts = [(found.line, repaired(found.label.value))] if found.label.value else []
        texts += [(b.line, item_text(b)) for b in found.blocks if b.kind == "item"]
        commands = []
        for line, text in texts:
            spans = _COMMAND.findall(text)
            if spans and not _COMMAND.sub("", text).strip(" ,;."):
                commands += [span.strip() for span in spans]
            else:
                self._problem(line, "a check is a command between backticks, and nothing else")
        for block in found.blocks:
            if block.kind != "item":
                self._problem(block.line, "this is not a line of the checks")
        return tuple(dict.fromkeys(command for command in commands if command))

    def _status_place(self) -> StatusPlace | None:
        found = self._fields.get("status")
        if found is None:
            return None
        start = self._source.starts[found.line] + found.label.column
        status = parse_status(found.label.value)
        if status is None:
            words = repaired(found.label.value) or "nothing"
            self._problem(found.line, f"the status '{words}' is not known")
            self._doubts.append(f"the document's status '{words}' is not known")
        return StatusPlace(start=start, end=start + len(found.label.value), status=status)

    def _dependencies(self) -> tuple[str, ...]:
        found = self._fields.get("dependencies")
        if found is None:
            return ()
        texts = [(found.line, found.label.value)]
        texts += [(b.line, b.text) for b in found.blocks if b.kind == "item"]
        texts += [
            (b.line, self._source.block(b.line, b.end)) for b in found.blocks if b.kind == "text"
        ]
        keys: list[str] = []
        for line, text in texts:
            named, unknown = parse_dependencies(" ".join(text.split("\n")))
            keys += named
            for words in unknown:
                self._problem(line, f"the dependency '{words}' is not understood")
                self._doubts.append(f"the dependency '{words}' is not understood")
        return tuple(dict.fromkeys(keys))

    def _priority(self) -> Priority:
        found = self._fields.get("priority")
        named = parse_priority(found.label.value) if found else None
        if found is not None and named is None:
            self._problem(found.line, f"the priority '{repaired(found.label.value)}' is not known")
        return named or self._section.priority or Priority.MEDIUM

    def _files(self, prompt: str, prompt_line: int) -> tuple[JobFile, ...]:
        found = self._fields.get("files")
        listed = files_in_prompt(prompt)
        files = {file.path: file for file in listed.files}
        for number in listed.not_understood:
            self._problem(prompt_line + number, "no file path is found in this line")
        default = action_of_words(found.label.name) if found else "unknown"
        for block in found.blocks if found else ():
            file = parse_file(item_text(block), default) if block.kind == "item" else None
            if file is None:
                self._problem(block.line, "no file path is found in this line")
            else:
                files.setdefault(file.path, file)
        return tuple(files.values())

    def _said(
        self,
        place: StatusPlace | None,
        rows: tuple[Row, ...],
        checklist: tuple[ChecklistItem, ...],
    ) -> JobStatus:
        """Return the status the document gives: label, else table, else a fully ticked list."""
        in_table = self._table_status(rows)
        if place is not None:
            said = place.status or JobStatus.DRAFT
            if in_table is not None and _kind(in_table) != _kind(said) and place.status:
                self._problem(rows[0].line, "the table's status differs from the one under the "
                              "heading, which is used")  # fmt: skip
            return said
        if in_table is not None:
            return in_table
        is_done = bool(checklist) and all(item.checked for item in checklist)
        return JobStatus.DONE if is_done else JobStatus.READY

    def _table_status(self, rows: tuple[Row, ...]) -> JobStatus | None:
        status, unknown = table_status(rows)
        for row in unknown:
            words = repaired(row.cells["status"].text)
            self._problem(row.line, f"the status '{words}' in the table is not known")
            if "status" not in self._fields:
                self._doubts.append(f"the table's status '{words}' is not known")
        return status

    def _status(self, said: JobStatus, prompt: str) -> tuple[JobStatus, str]:
        if said not in NOT_STARTED:
            return said, ""
        if self._doubts:
            return JobStatus.DRAFT, "; ".join(self._doubts)
        if not prompt:
            return JobStatus.DRAFT, "it has no prompt yet"
        return said, "the document calls it a draft" if said is JobStatus.DRAFT else ""


def table_status(rows: tuple[Row, ...]) -> tuple[JobStatus | None, list[Row]]:
    """Return the first status that a job's rows give, and the rows whose status is not known."""
    found: JobStatus | None = None
    unknown: list[Row] = []
    for row in rows:
        words = row.cells["status"].text if "status" in row.cells else ""
        status = parse_status(words)
        if status is None and words.strip(" " + DASHES):
            unknown.append(row)
        found = found or status
    return found, unknown


def item_text(block: Block) -> str:
    """Return a list item's text on one line, repaired, without its checkbox."""
    text = " ".join(repaired(line).strip() for line in block.text.split("\n"))
    return _BOX_TEXT.sub("", text, count=1).strip() if text.startswith("[") else text.strip()


def box_of(source: SourceText, block: Block) -> Box | None:
    """Return the checkbox of a list item, or None."""
    match = _BOX.match(source.lines[block.line])
    if match is None:
        return None
    return Box(
        text=item_text(block),
        place=source.starts[block.line] + match.start("mark"),
        checked=match["mark"] != " ",
    )


def _is_no_prompt(text: str) -> bool:
    bare = text.strip().strip("*_").strip()
    return bare.casefold() in _NO_PROMPT or (
        bare.startswith("(") and bare.endswith(")") and "\n" not in bare
    )


def _kind(status: JobStatus) -> JobStatus:
    return JobStatus.READY if status in NOT_STARTED else status
