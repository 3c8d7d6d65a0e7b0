"""Secrets do not get into what is shown or logged."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jules_job_manager.domain.masking import MASK, masked


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("postgresql://me:pa55@db:5432/x", f"postgresql://{MASK}@db:5432/x"),
        (
            "fetch https://ghp_abc@github.com/o/r.git now",
            f"fetch https://{MASK}@github.com/o/r.git now",
        ),
        (f"use ghp_{'a1B2' * 9}.", f"use {MASK}."),
        (f"github_pat_{'a1B2_' * 9}", MASK),
        ("ghs_build and ghp_x", "ghs_build and ghp_x"),
        ("redis://:pa55@h:6379/0", f"redis://{MASK}@h:6379/0"),
        ("Authorization: Bearer ya29.abc-DEF", f"Authorization: Bearer {MASK}"),
        ("X-Goog-Api-Key: AQ.abc", f"X-Goog-Api-Key: {MASK}"),
        ("{'x-goog-api-key': 'AQ.abc', 'a': 1}", f"{{'x-goog-api-key': '{MASK}', 'a': 1}}"),
        ("GET /v1?key=AIza&x=1", f"GET /v1?key={MASK}&x=1"),
        ("password = hunter2", f"password = {MASK}"),
        ("https://jules.google.com/session/12?hl=en", "https://jules.google.com/session/12?hl=en"),
        ("the key of the job is Task 1", "the key of the job is Task 1"),
        ("git@github.com:o/r.git", "git@github.com:o/r.git"),
        ("postgresql://user:password@h", f"postgresql://{MASK}@h"),
        ("redis://USER:PASSWORD1@h", f"redis://{MASK}@h"),
        ('api_key = "…x"', f'api_key = "{MASK}"'),
    ],
)
def test_forms_of_secrets(text, left):
    """What is a secret by its form goes; what is none stays."""
    assert left == masked(text)


@pytest.mark.parametrize(
    "hint",
    [
        "Write it as postgresql://USER:PASSWORD@host:5432/name",
        "or postgresql://USER@host/name.",
        'configuration: [servers."https://x"] with api_key = "…".',
    ],
)
def test_examples_in_hints_stay(hint):
    """They have no secret, and without them nobody sees what to write."""
    assert hint == masked(hint)


@given(st.text(), st.text(min_size=4).filter(lambda s: s not in MASK), st.text())
def test_named_secrets_never_stay(before, secret, after):
    """A secret that is named is not in the text, wherever it stood."""
    assert secret not in masked(before + secret + after, [secret]).replace(MASK, "")


def test_short_texts_are_no_secrets():
    """A setting such as `1` must not blank out every number."""
    assert "1 of 10" == masked("1 of 10", ["1", ""])
