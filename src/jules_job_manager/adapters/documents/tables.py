"""Progress tables: rows that begin with a job's key, and where their cells stand."""

from __future__ import annotations

import re
from dataclasses import dataclass

from jules_job_manager.adapters.documents.blocks import Block
from jules_job_manager.adapters.documents.labels import split_key
from jules_job_manager.adapters.documents.text import SourceText, repaired
from jules_job_manager.domain.backlog import Problem

_PIPE = re.compile(r"(?<!\\)\|")
_COLUMNS = {
    "status": "status",
    "start date": "started",
    "started": "started",
    "start": "started",
    "completion date": "finished",
    "completed": "finished",
    "finished": "finished",
    "end date": "finished",
    "notes": "notes",
    "note": "notes",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Cell:
    """A cell's text (as it stands) and its place in the document's characters."""

    start: int
    end: int
    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """One job's row; `cells` by `status`, `started`, `finished`, `notes`."""

    key: str
    line: int
    cells: dict[str, Cell]


@dataclass(frozen=True, kw_only=True, slots=True)
class Progress:
    """The progress tables of a document: the lines they begin at (from 0), and their rows."""

    tables: frozenset[int]
    rows: tuple[Row, ...]
    problems: tuple[Problem, ...]


def read_progress(source: SourceText, blocks: list[Block]) -> Progress:
    """Find the tables with a Status column and a row that begins with a job's key.

    Columns without a meaning here (`#`, `Owner`) may stand before the key. Rows of such a table
    that name no job are problems.
    """
    tables: list[int] = []
    rows: list[Row] = []
    problems: list[Problem] = []
    for block in blocks:
        found, nameless = _rows(source, block) if block.kind == "table" else ([], [])
        if found:
            tables.append(block.line)
            rows += found
            problems += [
                Problem(line=line + 1, message="this row of the progress table names no job")
                for line in nameless
            ]
    return Progress(tables=frozenset(tables), rows=tuple(rows), problems=tuple(problems))


def _rows(source: SourceText, table: Block) -> tuple[list[Row], list[int]]:
    header = [_column(cell.text) for cell in _cells(source, table.line)]
    if "status" not in header:
        return [], []
    rows: list[Row] = []
    nameless: list[int] = []
    for line in range(table.line + 2, table.end):
        named = list(zip(header, _cells(source, line), strict=False))
        keys = (split_key(cell.text)[0] for column, cell in named if column is None)
        key = next(filter(None, keys), "")
        if key:
            rows.append(Row(key=key, line=line, cells={c: cell for c, cell in named if c}))
        elif any(cell.text for _, cell in named):
            nameless.append(line)
    return rows, nameless


def _column(text: str) -> str | None:
    words = re.findall(r"[a-z]+", repaired(text).casefold())
    return _COLUMNS.get(" ".join(words))


def _cells(source: SourceText, line: int) -> list[Cell]:
    text = source.lines[line]
    edges = [match.start() for match in _PIPE.finditer(text)]
    stripped = text.strip()
    starts = [edge + 1 for edge in edges]
    ends = list(edges)
    if stripped.startswith("|"):
        ends = ends[1:]
    else:
        starts.insert(0, 0)
    if stripped.endswith("|") and edges and not text[edges[-1] + 1 :].strip():
        starts.pop()
    else:
        ends.append(len(text))
    return [_cell(source.starts[line], text, a, b) for a, b in zip(starts, ends, strict=False)]


def _cell(base: int, text: str, start: int, end: int) -> Cell:
    content = text[start:end]
    value = content.strip()
    if not value:
        middle = start + min(1, len(content))
        return Cell(start=base + middle, end=base + middle, text="")
    begin = start + content.index(value)
    return Cell(start=base + begin, end=base + begin + len(value), text=value)
