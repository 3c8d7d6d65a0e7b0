"""Making untrusted text safe to show. Everything Jules, a document or a branch name says is data."""

from __future__ import annotations

import unicodedata

_KEPT = {"\n", "\t"}
_HIDDEN_CATEGORIES = {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}
_JOINERS = {"\u200c", "\u200d"}
"""Format characters that emoji and several scripts need; they move nothing on a terminal."""


def safe_text(text: str, *, multiline: bool = False) -> str:
    r"""Return `text` without anything a terminal would act on.

    Control, bidirectional-override and other format characters become visible escapes such as
    `\x1b`. Line breaks and tabs stay with `multiline`, and become one space without it.
    """
    if text.isascii() and text.isprintable():
        return text
    text = text.replace("\r\n", "\n")
    return "".join(_shown(character, multiline) for character in text)


def _shown(character: str, multiline: bool) -> str:
    if character in _KEPT:
        return character if multiline else " "
    if unicodedata.category(character) in _HIDDEN_CATEGORIES and character not in _JOINERS:
        code = ord(character)
        return (
            f"\\x{code:02x}"
            if code < 256
            else f"\\u{code:04x}"
            if code < 65536
            else f"\\U{code:08x}"
        )
    return character


def shorten(text: str, width: int) -> str:
    """Return `text` on one line, cut to `width` (>= 1) characters with an ellipsis where it was longer."""
    line = safe_text(text).strip()
    return line if len(line) <= width else line[: width - 1] + "…"
