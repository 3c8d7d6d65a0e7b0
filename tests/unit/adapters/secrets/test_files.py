"""Secrets in files that only their owner can read."""

from __future__ import annotations

import os

import pytest

from jules_job_manager.adapters.secrets.files import FileSecrets
from jules_job_manager.domain.secret_reference import SecretReference
from jules_job_manager.errors import ConfigurationError


@pytest.fixture
def path(tmp_path):
    found = tmp_path / "key"
    found.write_text("s3cret\n")
    found.chmod(0o600)
    return found


def _read(path):
    return FileSecrets().read(SecretReference(scheme="file", name=str(path)))


@pytest.mark.parametrize(
    ("content", "secret"),
    [
        (b"s3cret\n", "s3cret"),
        (b"s3cret\r\n", "s3cret"),
        (b" s3 \n\n", " s3 \n"),
        (b"a\nb", "a\nb"),
    ],
)
def test_the_content_without_its_line_end(path, content, secret):
    """One, for editors add one."""
    path.write_bytes(content)
    assert secret == _read(path)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602, 0o644, 0o601])
def test_a_file_that_others_can_use_is_refused(path, mode):
    """With what mends it."""
    path.chmod(mode)
    with pytest.raises(ConfigurationError, match=f"mode {mode:04o}") as caught:
        _read(path)
    assert f"Run: chmod 600 {path}" == caught.value.hint


@pytest.mark.parametrize("mode", [0o400, 0o600, 0o700])
def test_any_rights_of_the_owner_will_do(path, mode):
    """As containers mount them."""
    path.chmod(mode)
    assert "s3cret" == _read(path)


def test_a_link_is_not_followed(path, tmp_path):
    """It could point anywhere."""
    link = tmp_path / "link"
    link.symlink_to(path)
    with pytest.raises(ConfigurationError, match="is a link"):
        _read(link)


def test_what_is_no_file(tmp_path):
    """A pipe must not hang the start."""
    os.mkfifo(tmp_path / "pipe", 0o600)
    for name in ("pipe", "."):
        with pytest.raises(ConfigurationError, match="is no regular file"):
            _read(tmp_path / name)
    with pytest.raises(ConfigurationError, match="cannot be read: No such file"):
        _read(tmp_path / "nothing")


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "is empty"),
        (b"\n", "is empty"),
        (b"s3cret\xff", "is not UTF-8"),
        (b"x" * 65537, "longer"),
    ],
)
def test_content_that_is_no_secret(path, content, why):
    """And none of it is shown, not even by what caused the error."""
    path.write_bytes(content)
    with pytest.raises(ConfigurationError, match=why) as caught:
        _read(path)
    assert caught.value.__cause__ is None
    assert "s3cret" not in str(caught.value)
