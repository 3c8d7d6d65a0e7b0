"""Untrusted text cannot move a terminal."""

from __future__ import annotations

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from jules_job_manager.domain.text import safe_text, shorten


def test_escape_codes_become_visible():
    """Colour, title and cursor codes are shown, not obeyed."""
    assert safe_text("\x1b[31mred\x1b]0;t\x07\x9b2J") == "\\x1b[31mred\\x1b]0;t\\x07\\x9b2J"


def test_direction_overrides_become_visible():
    """Text cannot be reordered to look like other text."""
    assert safe_text("a\u202eb") == "a\\u202eb"


def test_emoji_and_scripts_stay():
    """What people write stays as it is, joined emoji too."""
    text = "✏️ 👩\u200d💻 naïve 東京"
    assert safe_text(text) == text


def test_line_breaks():
    """Line breaks stay only where several lines may be shown; a lone return never does."""
    assert safe_text("a\r\nb\tc\rd", multiline=True) == "a\nb\tc\\x0dd"
    assert safe_text("a\nb") == "a b"


@given(st.text())
def test_nothing_a_terminal_acts_on_is_left(text):
    """No control character is left in any text, in either form."""
    for shown in (
        safe_text(text),
        safe_text(text, multiline=True).replace("\n", "").replace("\t", ""),
    ):
        assert not any(unicodedata.category(c) in {"Cc", "Cs"} for c in shown)


@given(st.text(), st.integers(1, 40))
def test_shortened_text_fits(text, width):
    """A shortened text is never longer than asked."""
    assert len(shorten(text, width)) <= width
