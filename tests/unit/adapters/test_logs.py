"""The log file."""

from __future__ import annotations

import json
import logging
import stat

import pytest

from jules_job_manager.adapters.logs import configure_logging, stop_logging


@pytest.mark.parametrize("form", ["json", "human"])
def test_lines_hold_context_and_no_secret(tmp_path, form):
    """A line holds the message and its context; keys and terminal codes do not get in."""
    path = tmp_path / "logs" / "jjm.log"
    handler = configure_logging(
        path=path, level="info", form=form, retention_days=30, secrets=["s3cret", ""]
    )
    logging.getLogger("jules_job_manager.test").info(
        "key s3cret \x1b[31m", extra={"action": "try", "task_id": "1", "url": "http://x/?s3cret"}
    )
    logging.getLogger("jules_job_manager.test").debug("not written")
    stop_logging(handler)
    text = path.read_text()
    assert "s3cret" not in text
    assert "\x1b" not in text
    assert "not written" not in text
    assert "task_id" in text
    assert 0o600 == stat.S_IMODE(path.stat().st_mode)
    if form == "json":
        assert ("try", "info") == (json.loads(text)["action"], json.loads(text)["level"])


def test_a_log_that_cannot_be_opened(tmp_path):
    """A folder that cannot be made is an OSError, which the program turns into a warning."""
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="file"):
        configure_logging(
            path=tmp_path / "file" / "x.log",
            level="info",
            form="json",
            retention_days=1,
            secrets=[],
        )
