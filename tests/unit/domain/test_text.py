"""Untrusted text cannot move a terminal."""

from __future__ import annotations

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from jules_job_manager.domain.text import after_prefix, safe_text, shorten, storable_text


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


@given(st.text(max_size=3).map(storable_text), st.text(max_size=3).map(storable_text))
def test_the_end_of_what_starts_with_a_text(prefix, other):
    """Between a text and its end lies all that starts with it, and nothing else."""
    end = after_prefix(prefix)
    for text in (other, prefix + other):
        between = prefix <= text and (end is None or text < end)
        assert text.startswith(prefix) == between


def test_ends_at_the_edges_of_the_code_points():
    """Surrogates are no characters, and nothing follows the last code point."""
    assert ("b", "a\ue000") == (after_prefix("a\U0010ffff"), after_prefix("a\ud7ff"))
    assert (None, None) == (after_prefix(""), after_prefix("\U0010ffff"))
