"""A whole document read: jobs, notes, problems, and the places that may be written to."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from jules_job_manager.adapters.documents.blocks import parse_blocks
from jules_job_manager.adapters.documents.listed_job import read_listed
from jules_job_manager.adapters.documents.read_job import ParsedJob, SectionReader, item_text
from jules_job_manager.adapters.documents.sections import Outline, outline_of
from jules_job_manager.adapters.documents.tables import Row, read_progress
from jules_job_manager.adapters.documents.text import SourceText
from jules_job_manager.domain.backlog import Problem
from jules_job_manager.domain.graph import dependencies_of, find_cycle
from jules_job_manager.domain.text import shorten
from jules_job_manager.errors import BacklogError


@dataclass(frozen=True, kw_only=True, slots=True)
class Document:
    """A document read."""

    source: SourceText
    title: str
    notes: tuple[str, ...]
    jobs: tuple[ParsedJob, ...]
    problems: tuple[Problem, ...]


def parse_document(content: bytes) -> Document:
    """Read a document.

    Raises:
        BacklogError: it is not text, has no job, or its jobs contradict each other.
    """
    source = SourceText(content)
    blocks = parse_blocks(source)
    progress = read_progress(source, blocks)
    outline = outline_of(blocks, progress.tables)
    _refuse_no_job(outline)
    _refuse_doubles(outline)
    problems = [
        Problem(line=n + 1, message="this line is not UTF-8; the broken characters read as �")
        for n in source.undecodable_lines()
    ]
    problems += [*outline.problems, *progress.problems]
    rows: defaultdict[str, list[Row]] = defaultdict(list)
    for row in progress.rows:
        rows[row.key].append(row)
    notes = tuple(item_text(block) for block in outline.note_items)
    jobs = [
        SectionReader(source, section, problems).read(tuple(rows.pop(section.key, ())), notes, n)
        for n, section in enumerate(outline.sections)
    ]
    jobs += [
        read_listed(source, entry, notes, n, tuple(rows.pop(entry.key, ())), problems)
        for n, entry in enumerate(outline.listed, start=len(jobs))
    ]
    problems += [
        Problem(
            line=row.line + 1, message=f"the table names {key}, which is no job of this document"
        )
        for key, found in rows.items()
        for row in found
    ]
    _refuse_circles(jobs)
    return Document(
        source=source,
        title=outline.title,
        notes=notes,
        jobs=tuple(jobs),
        problems=tuple(sorted(problems, key=lambda problem: problem.line)),
    )


def _refuse_no_job(outline: Outline) -> None:
    if outline.sections or outline.listed:
        return
    example = "'### Task 1: Title' or '#### JJM-001: Title'"
    hint = f"A job begins with a heading such as {example}."
    if outline.loose:
        first = outline.loose[0]
        title = shorten(item_text(first), 60)
        hint = (
            f"Line {first.line + 1} would be a job if it said '- [ ] Task 1: {title}' (a draft), or "
            f"'### Task 1: {title}' with '**Prompt**: what Jules shall do' under it."
        )
    raise BacklogError("There is no job in the document.", hint=hint)


def _refuse_doubles(outline: Outline) -> None:
    lines: defaultdict[str, list[int]] = defaultdict(list)
    for section in outline.sections:
        lines[section.key].append(section.heading.line + 1)
    for entry in outline.listed:
        lines[entry.key].append(entry.block.line + 1)
    doubles = {key: found for key, found in lines.items() if len(found) > 1}
    if doubles:
        said = "; ".join(
            f"'{key}' on lines {', '.join(map(str, found))}" for key, found in doubles.items()
        )
        raise BacklogError(
            f"Two jobs have one key: {said}.",
            hint="Give each job a key of its own.",
            context={"keys": sorted(doubles), "lines": doubles},
        )


def _refuse_circles(jobs: list[ParsedJob]) -> None:
    cycle = find_cycle(dependencies_of(parsed.job for parsed in jobs))
    if not cycle:
        return
    lines = {parsed.job.key: parsed.line + 1 for parsed in jobs}
    path = " → ".join(f"{key} (line {lines[key]})" for key in cycle)
    what = (
        f"{path.split(' → ')[0]} depends on itself."
        if len(cycle) == 2
        else f"Jobs wait for each other in a circle: {path}."
    )
    raise BacklogError(
        what,
        hint="Remove one of these dependencies.",
        context={"cycle": list(cycle), "lines": {key: lines[key] for key in cycle}},
    )
