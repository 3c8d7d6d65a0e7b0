"""Making untrusted text safe to show. Everything Jules, a document or a branch name says is data."""

from __future__ import annotations

import re
import unicodedata

_NOT_PLAIN = re.compile(r"[^\n\t -~]")
"""One character that need not be harmless."""
_HIDDEN_CATEGORIES = {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}
_JOINERS = {"\u200c", "\u200d"}
"""Format characters that emoji and several scripts need; they move nothing on a terminal."""
_BLANK_LETTERS = frozenset("\u115f\u1160\u2800\u3164\uffa0")
"""Letters and signs by their category that are drawn as nothing."""


def safe_text(text: str, *, multiline: bool = False) -> str:
    r"""Return `text` without anything a terminal would act on.

    Control, bidirectional-override and other format characters become visible escapes such as
    `\x1b`. Line breaks and tabs stay with `multiline`, and become one space without it.
    """
    if text.isascii() and text.isprintable():
        return text
    kept = text.replace("\r\n", "\n")
    if not multiline:
        kept = kept.replace("\n", " ").replace("\t", " ")
    return _NOT_PLAIN.sub(lambda found: _shown(found[0]), kept)


def is_hidden(character: str) -> bool:
    """Whether a terminal would act on the character, or show nothing: `safe_text` makes it visible."""
    return unicodedata.category(character) in _HIDDEN_CATEGORIES and character not in _JOINERS


def has_something_to_see(text: str) -> bool:
    """Whether any character of `text` leaves ink."""
    return any(
        unicodedata.category(character)[0] not in "ZCM" and character not in _BLANK_LETTERS
        for character in text
    )


def _shown(character: str) -> str:
    if is_hidden(character):
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


def storable_text(text: str) -> str:
    """Return `text` in a form that every database takes as text.

    NUL becomes its visible symbol U+2400 and half of a surrogate pair becomes U+FFFD, which
    PostgreSQL (NUL) and UTF-8 (surrogates) refuse; everything else stays.
    Source: postgresql.org/docs/current/datatype-character.html, read 2026-11.
    """
    if text.isascii() and "\0" not in text:
        return text
    return (
        text.replace("\0", "\u2400").encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    )


def fenced(text: str, language: str = "") -> str:
    """Return `text` in a Markdown code fence that nothing in it can close."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{text.rstrip()}\n{fence}"


def after_prefix(prefix: str) -> str | None:
    """Return the least text after all that start with `prefix`, by code points; None: there is none."""
    kept = prefix.rstrip("\U0010ffff")
    if not kept:
        return None
    following = ord(kept[-1]) + 1
    if 0xD800 <= following <= 0xDFFF:  # halves of surrogate pairs are no characters
        following = 0xE000
    return kept[:-1] + chr(following)
