"""Which keys a new job may have."""

from __future__ import annotations

import pytest

from jules_job_manager.domain.job_keys import require_key
from jules_job_manager.errors import InvalidInputError


@pytest.mark.parametrize(
    "key",
    [".", "..", "a\x00b", "a\x1bb", "a\x7f", "a\x85b", "a\u2028b", "a\u2029b", "\u202ea", "a\u2066b",
     "\u200b", "a\u200bb", "\u200d", "\u3164", "\u2800", "\ufe0f", "\u0301", "\ufeffa", "\ud800"],
)  # fmt: skip
def test_what_nobody_could_reach_or_see(key):
    """The message is plain ASCII, whatever the key is."""
    with pytest.raises(InvalidInputError) as refused:
        require_key(key)
    assert refused.value.message.isascii()
    assert refused.value.message.isprintable()


@pytest.mark.parametrize(
    "key", ["Task 1", "JJM-001", "...", ".a", "ü", "タスク 1", "می\u200cخواهم", "👩\u200d💻", "e\u0301", "-", "?"]
)  # fmt: skip
def test_what_people_call_jobs(key):
    """Scripts and emoji that need joiners, too."""
    assert key == require_key(key)
