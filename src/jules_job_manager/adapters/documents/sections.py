"""A document cut into sections: one per job, the listed jobs, the review notes."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from jules_job_manager.adapters.documents.blocks import Block
from jules_job_manager.adapters.documents.labels import (
    begins_with_key,
    field_of,
    key_prefix,
    parse_priority,
    split_key,
    split_listed,
)
from jules_job_manager.domain.backlog import Problem
from jules_job_manager.domain.job import Priority

_NOTES_HEADING = re.compile(r"\b(?:notes for|review notes)\b", re.IGNORECASE)
_BOX = re.compile(r"\[([ xX])\][ \t]+")
JOB_FIELDS = frozenset({"status", "prompt", "dependencies"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Listed:
    """A job that is only listed (`- JJM-026: Title`)."""

    key: str
    title: str
    block: Block
    priority: Priority | None = None


@dataclass(kw_only=True, slots=True)
class Section:
    """One job's heading and what stands under it."""

    key: str
    title: str
    heading: Block
    priority: Priority | None
    blocks: list[Block] = field(default_factory=list)

    @property
    def end(self) -> int:
        """The line after its last block that is not a rule."""
        kept = [block.end for block in self.blocks if block.kind != "rule"]
        return kept[-1] if kept else self.heading.end


@dataclass(kw_only=True, slots=True)
class Outline:
    """What a document holds, in order."""

    title: str = ""
    sections: list[Section] = field(default_factory=list)
    listed: list[Listed] = field(default_factory=list)
    note_items: list[Block] = field(default_factory=list)
    loose: list[Block] = field(default_factory=list)
    """Lines of checklists that belong to no job."""
    problems: list[Problem] = field(default_factory=list)


class _Outliner:
    def __init__(self, progress_tables: frozenset[int]) -> None:
        self.outline = Outline()
        self._progress_tables = progress_tables
        self._section: Section | None = None
        self._in_notes = False
        self._headings: list[tuple[int, Priority | None]] = []
        self._reported_heading = -1
        self._heading_line = -1

    def feed(self, block: Block) -> None:
        if block.kind == "heading":
            self._heading(block)
        elif block.kind == "table" and block.line in self._progress_tables:
            return
        elif self._section is not None:
            self._section.blocks.append(block)
        elif block.kind == "item":
            self._loose_item(block)
        elif block.kind == "label" and block.label and field_of(block.label) in JOB_FIELDS:
            self._job_without_key(block)

    def _heading(self, block: Block) -> None:
        self._heading_line = block.line
        key, title = split_key(block.text)
        if not key and self._section is not None and block.level > self._section.heading.level:
            self._section.blocks.append(block)
            self._doubtful_heading(block)
            return
        while self._headings and self._headings[-1][0] >= block.level:
            self._headings.pop()
        inherited = self._headings[-1][1] if self._headings else None
        self._section = None
        self._in_notes = bool(_NOTES_HEADING.search(title))
        if key:
            self._section = Section(key=key, title=title, heading=block, priority=inherited)
            self.outline.sections.append(self._section)
            return
        self._doubtful_heading(block)
        self._headings.append((block.level, parse_priority(title) or inherited))
        if not self.outline.title:
            self.outline.title = title.replace("**", "").strip()

    def _doubtful_heading(self, block: Block) -> None:
        if begins_with_key(block.text):
            self._problem(
                block, "this heading begins with a key, but no ':' follows it; it is read as no job"
            )

    def _loose_item(self, block: Block) -> None:
        if self._in_notes:
            self.outline.note_items.append(block)
            return
        key, title = split_listed(_BOX.sub("", block.text, count=1))
        if key:
            priority = self._headings[-1][1] if self._headings else None
            self.outline.listed.append(Listed(key=key, title=title, block=block, priority=priority))
        elif _BOX.match(block.text):
            self.outline.loose.append(block)
            self._problem(
                block, "this line of a checklist belongs to no job: no key such as 'Task 1:' or "
                "'JJM-001:' stands before it or above it"
            )  # fmt: skip

    def _job_without_key(self, block: Block) -> None:
        if self._reported_heading == self._heading_line:
            return
        self._reported_heading = self._heading_line
        self._problem(
            block, f"'{block.label.name if block.label else ''}' belongs to no job: the heading "
            "above it has no key such as 'Task 1:' or 'JJM-001:'"
        )  # fmt: skip

    def _problem(self, block: Block, message: str) -> None:
        self.outline.problems.append(Problem(line=block.line + 1, message=message))


def outline_of(blocks: list[Block], progress_tables: frozenset[int] = frozenset()) -> Outline:
    """Sort the blocks into sections; the tables that begin at those lines are part of none.

    A listed job counts when no section has its key and its kind of key is that of the
    sections (or there are no sections): a list may name many things with a colon.
    """
    outliner = _Outliner(progress_tables)
    for block in blocks:
        outliner.feed(block)
    outline = outliner.outline
    keys = {section.key for section in outline.sections}
    prefixes = {key_prefix(key) for key in keys}
    kept = []
    for entry in outline.listed:
        if prefixes and key_prefix(entry.key) not in prefixes:
            outline.problems.append(
                Problem(
                    line=entry.block.line + 1,
                    message=f"'{entry.key}' looks like a job, but no heading has such a key; ignored",
                )
            )
        elif entry.key not in keys:
            kept.append(entry)
    outline.listed = kept
    return outline
