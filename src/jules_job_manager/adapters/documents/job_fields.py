"""The labels of one job with what stands under each; what stands under none is reported."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from jules_job_manager.adapters.documents.blocks import Block
from jules_job_manager.adapters.documents.labels import Label, field_of, heading_label

Report = Callable[[int, str], None]
"""Takes a line (from 0) and what is wrong with it."""
_ONE_VALUE = {"status": 0, "priority": 0, "estimate": 1, "branch": 1}
"""Fields of one value, and how many blocks under an empty label may give it."""


@dataclass(kw_only=True, slots=True)
class Field:
    """A label and the blocks under it. `level` is that of a heading used as a label, else 0."""

    label: Label
    line: int
    level: int = 0
    in_list: bool = False
    blocks: list[Block] = field(default_factory=list)


def fields_of(blocks: Sequence[Block], report: Report) -> dict[str, Field]:
    """Return the fields of a job's section by what they fill.

    Text that stands under no label, or where a label has room for none, is reported, unless the
    section has a description and no prompt: then all of its text is the prompt.
    """
    splitter = _Splitter(report)
    for block in blocks:
        splitter.feed(block)
    fields = splitter.fields
    if "prompt" in fields or "description" not in fields:
        for line, message in [*splitter.stray, *_unused(fields)]:
            report(line, message)
    return fields


class _Splitter:
    def __init__(self, report: Report) -> None:
        self.fields: dict[str, Field] = {}
        self.stray: list[tuple[int, str]] = []
        self._report = report
        self._current: Field | None = None
        self._only_list = True
        self._stray_end = -1

    def feed(self, block: Block) -> None:
        if block.problem:
            self._report(block.line, block.problem)
        if self._only_list and _is_listed_label(block) and block.label is not None:
            self._begin(Field(label=block.label, line=block.line, in_list=True))
            return
        self._only_list &= self._current is not None and block.kind == "item"
        if block.kind == "label" and block.label is not None:
            self._begin(Field(label=block.label, line=block.line))
        elif block.kind == "heading":
            self._heading(block)
        elif block.kind == "rule":
            self._current = None
        elif self._current is not None:
            self._current.blocks.append(block)
        else:
            if self._stray_end != block.line:
                self.stray.append((block.line, _no_label(block)))
            self._stray_end = block.end

    def _heading(self, block: Block) -> None:
        label = heading_label(block.text)
        if self._current is not None and 0 < self._current.level < block.level:
            self._current.blocks.append(block)
        elif label is not None:
            self._begin(Field(label=label, line=block.line, level=block.level))
        else:
            self._current = None
            self._stray_end = -1

    def _begin(self, found: Field) -> None:
        self._current = found
        name = field_of(found.label)
        said = found.label.name
        if name is None:
            self._report(
                found.line, f"the label '{said}' is not known; what stands under it is not used"
            )
        elif name not in {"information", "document"} and name in self.fields:
            self._report(found.line, f"'{said}' is given twice; the first one is used")
        else:
            self.fields.setdefault(name, found)


def _is_listed_label(block: Block) -> bool:
    """Whether a list item is a label: only where all that the section has so far is such a list.

    What takes several paragraphs has no room in a list entry.
    """
    if block.kind != "item" or block.label is None:
        return False
    return bool(block.label.value) or field_of(block.label) not in {"prompt", "description"}


def _no_label(block: Block) -> str:
    said = "text that stands under no label is not used"
    if block.kind == "item" and block.text.startswith("**"):
        return f"{said}: a label begins its line, with no list mark before it"
    return said


def _unused(fields: dict[str, Field]) -> list[tuple[int, str]]:
    found: list[Block] = []
    for name, room in _ONE_VALUE.items():
        if name in fields:
            label = fields[name].label
            found += fields[name].blocks[0 if label.value else room :]
    if "dependencies" in fields:
        found += [b for b in fields["dependencies"].blocks if b.kind not in {"item", "text"}]
    return [(block.line, "this text has no label of its own and is not used") for block in found]
