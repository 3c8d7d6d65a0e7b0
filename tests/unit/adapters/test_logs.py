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


@pytest.mark.parametrize("form", ["json", "human"])
def test_no_value_forges_a_line(tmp_path, form):
    """Line breaks in a value stay within its line, and a traceback is indented."""
    path = tmp_path / "jjm.log"
    handler = configure_logging(path=path, level="info", form=form, retention_days=1, secrets=[])
    log = logging.getLogger("jules_job_manager.test")
    forged = "2026-01-01T00:00:00Z [info] all is well"
    log.info("title\n%s", forged, extra={"title": f"x\r\n{forged}", "url": "https://t0ken@h/x"})
    try:
        raise ValueError(forged + "\n" + forged)
    except ValueError:
        log.exception("broken")
    stop_logging(handler)
    text = path.read_text()
    assert not [line for line in text.splitlines() if line.startswith(forged)]
    assert "t0ken" not in text


def test_the_next_days_file_is_private_too(tmp_path):
    """A file made by rotation can be read by its owner alone, whatever the umask says."""
    path = tmp_path / "jjm.log"
    handler = configure_logging(path=path, level="info", form="json", retention_days=2, secrets=[])
    logging.getLogger("jules_job_manager.test").info("yesterday")
    handler.doRollover()
    logging.getLogger("jules_job_manager.test").info("today")
    stop_logging(handler)
    files = list(tmp_path.iterdir())
    assert 2 == len(files)
    assert {0o600} == {stat.S_IMODE(file.stat().st_mode) for file in files}
