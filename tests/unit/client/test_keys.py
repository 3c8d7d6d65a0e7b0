"""A key for a service is looked at before it is used, and never shown."""

from __future__ import annotations

import pytest

from jules_job_manager.client.connection import Connection, checked_key
from jules_job_manager.errors import ConfigurationError


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("sesame-one\nsesame-two", "several words or lines"),
        ("sesame one", "several words or lines"),
        ("sesame\u2028one", "several words or lines"),
        ("sesamü", "a character that is in no key"),
        ("sesame\x00", "a character that is in no key"),
        ("sesame\x7f", "a character that is in no key"),
        ("sesame\ud800", "a character that is in no key"),
    ],
)
def test_a_key_that_no_header_takes(key, said):
    """One sentence, what to do, and nothing of the key."""
    with pytest.raises(ConfigurationError, match=said) as refused:
        Connection("http://127.0.0.1", api_key=key, timeout_seconds=1)
    assert "sesam" not in f"{refused.value} {refused.value.hint}"
    assert "JJM_SERVER_KEY" in str(refused.value.hint)


@pytest.mark.parametrize(("key", "used"), [("", ""), ("jjm_a.B-~\n", "jjm_a.B-~"), (" k ", "k")])
def test_a_key_as_a_file_has_it(key, used):
    """Blanks around it are nothing."""
    assert used == checked_key(key)
