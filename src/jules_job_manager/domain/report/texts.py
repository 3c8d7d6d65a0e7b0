"""Untrusted texts made short, masked and visible, before any format escapes them."""

from __future__ import annotations

import re
from dataclasses import dataclass

from jules_job_manager.domain.masking import masked
from jules_job_manager.domain.text import safe_text

_COLOUR = re.compile(r"\x1b\[[0-9;:]*m")
"""Colours of a tool are dropped; every other control becomes a visible escape."""
_SLACK = 4000
"""Characters read beyond the cut, so that a secret at its edge is still whole when masked."""
_READ = 4
"""How many times that is looked at, as colours and spaces may fill it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Tail:
    """The end of a text, where tools say what went wrong."""

    text: str = ""
    is_cut: bool = False
    lines_left_out: int = 0
    """Whole lines before `text`; 0 with `is_cut`: part of one long line."""


def one_line(text: str, width: int) -> str:
    """Return `text` on one line of at most `width` (>= 1) characters, without secrets or controls."""
    plain = " ".join(_COLOUR.sub("", text[: _READ * (width + _SLACK)]).split())
    line = " ".join(safe_text(masked(plain[: width + _SLACK])).split())
    return line if len(line) <= width else line[: width - 1] + "…"


def code_line(text: str, width: int) -> str:
    """Like `one_line`, for a line of a file: the spaces in it stay."""
    line = safe_text(masked(text[: width + _SLACK]), multiline=True).replace("\n", "\\n").rstrip()
    return line if len(line) <= width else line[: width - 1] + "…"


def tail(text: str, *, characters: int, lines: int) -> Tail:
    """Return the last lines of `text` within both limits (>= 0), without secrets or controls."""
    whole = text.rstrip()
    if not characters or not lines:
        return Tail(is_cut=bool(whole), lines_left_out=whole.count("\n"))
    # Cut before the work on each character, and again after colours are gone.
    part = _from_line_start(whole, _READ * (characters + _SLACK))
    plain = _COLOUR.sub("", part).replace("\r\n", "\n")
    last = _from_line_start(plain, characters + _SLACK)
    full = safe_text(masked(last), multiline=True)
    shown = _from_line_start("\n".join(full.split("\n")[-lines:]), characters)
    return Tail(
        text=shown,
        is_cut=len(part) < len(whole) or len(last) < len(plain) or len(shown) < len(full),
        lines_left_out=whole.count("\n") - shown.count("\n"),
    )


def _from_line_start(text: str, characters: int) -> str:
    """Return the last `characters`, from the start of a line unless one line fills them all."""
    if len(text) <= characters:
        return text
    part = text[len(text) - characters :]
    if text[len(text) - characters - 1] == "\n":
        return part
    head, found, rest = part.partition("\n")
    return rest if found else head
