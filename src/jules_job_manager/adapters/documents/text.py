"""The text of a document: lines with their places, and repair of what is read from them."""

from __future__ import annotations

import re

import ftfy

from jules_job_manager.errors import BacklogError

_LINE_END = re.compile(r"\r\n?|\n")
_BOM = "\ufeff"
_HALF_SELECTOR = "\u00ef\u00b8"
_LOST_SELECTOR = re.compile(_HALF_SELECTOR + "(?!\x8f)")


class SourceText:
    """A decoded document that turns back into exactly the bytes it came from.

    Bytes that are not UTF-8 become lone surrogates, which only `repaired` replaces.
    """

    def __init__(self, content: bytes) -> None:
        """Decode `content`.

        Raises:
            BacklogError: it is not text.
        """
        if b"\0" in content:
            raise BacklogError(
                "The file is not a text in UTF-8.",
                hint="Save the backlog as UTF-8 Markdown and import it again.",
            )
        self.text = content.decode("utf-8", "surrogateescape")
        self.lines: list[str] = []
        self.starts: list[int] = []
        start = len(_BOM) if self.text.startswith(_BOM) else 0
        for match in _LINE_END.finditer(self.text):
            self._add(start, match.start())
            start = match.end()
        self._add(start, len(self.text))

    def _add(self, start: int, end: int) -> None:
        self.starts.append(start)
        self.lines.append(self.text[start:end])

    def block(self, first: int, last: int) -> str:
        """Return lines `first` to `last` (exclusive, from 0), repaired, blank ends removed."""
        return "\n".join(repaired(line) for line in self.lines[first:last]).strip("\n")

    def undecodable_lines(self) -> list[int]:
        """Return the numbers (from 0) of the lines with bytes that are not UTF-8."""
        if self.text.isascii():
            return []
        return [number for number, line in enumerate(self.lines) if has_undecodable(line)]

    def edited(self, edits: list[tuple[int, int, str]]) -> bytes:
        """Return the bytes with places (start, end, new text) replaced; the rest as it was."""
        parts: list[str] = []
        done = 0
        for start, end, new in sorted(edits):
            parts += (self.text[done:start], new)
            done = end
        parts.append(self.text[done:])
        return "".join(parts).encode("utf-8", "surrogateescape")


def has_undecodable(line: str) -> bool:
    """Whether the line holds bytes that are not UTF-8."""
    return not line.isascii() and any("\ud800" <= character <= "\udfff" for character in line)


def repaired(line: str) -> str:
    """Return one line as its writer meant it: UTF-8 that was once read as cp1252 is undone.

    The byte 0x8F has no character in cp1252 and some tools drop it, which breaks the emoji
    selector U+FE0F; it is put back before the repair.
    """
    if line.isascii():
        return line
    fixed = ftfy.fix_encoding(_LOST_SELECTOR.sub(_HALF_SELECTOR + "\x8f", line))
    if has_undecodable(fixed):
        fixed = "".join("\ufffd" if "\ud800" <= c <= "\udfff" else c for c in fixed)
    return fixed
