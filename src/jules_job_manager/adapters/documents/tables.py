"""Progress tables: rows that begin with a job's key, and where their cells stand."""

from __future__ import annotations

import re
from dataclasses import dataclass

from jules_job_manager.adapters.documents.blocks import Block
from jules_job_manager.adapters.documents.labels import split_key
from jules_job_manager.adapters.documents.text import SourceText

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


def progress_rows(source: SourceText, tables: list[Block]) -> list[Row]:
    """Return the rows of all tables with a Status column whose first cell begins with a key."""
    rows: list[Row] = []
    for table in tables:
        header = [_COLUMNS.get(cell.text.replace("*", "").strip().casefold())
                  for cell in _cells(source, table.line)]  # fmt: skip
        if "status" not in header:
            continue
        for line in range(table.line + 2, table.end):
            cells = _cells(source, line)
            key = split_key(cells[0].text)[0] if cells else ""
            if key:
                named = zip(header, cells, strict=False)
                rows.append(Row(key=key, line=line, cells={n: c for n, c in named if n}))
    return rows


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
