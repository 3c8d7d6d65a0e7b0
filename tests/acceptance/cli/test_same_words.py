"""What cannot be used is refused in the same words beside the store and through a service."""

from __future__ import annotations

import pytest

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.both_ways]
BACKLOG = (
    "### Task 1: First\n**Status**: 📋 Ready\n**Prompt**: Do it\n**Checklist**:\n- [ ] It runs\n"
)


def test_input_that_is_empty(jjm, tmp_path):
    """No name of the interface is shown."""
    (tmp_path / "empty.md").write_bytes(b"")
    (tmp_path / "b.md").write_text(BACKLOG, "utf-8")
    jjm("queue", "import", "b.md")
    for words, said in (
        (["queue", "import", "empty.md"], "There is no job in the document."),
        (["key", "create", "", "--role", "viewer"], "A name has 1 to 64 characters."),
        (["key", "create", "x" * 65, "--role", "viewer"], "A name has 1 to 64 characters."),
        (["key", "link", "", "--role", "viewer"], "A name has 1 to 64 characters."),
        (["webhook", "create", ""], "'' is no address that messages can be sent to."),
        (["review", "sign", "Task 1", "1", "--evidence", ""], "Say what proves it, with --evidence."),
    ):  # fmt: skip
        refused = jjm(*words, expect=1).stderr
        assert f"error: {said}\n" == refused.splitlines(keepends=True)[0], words
        assert "body." not in refused
