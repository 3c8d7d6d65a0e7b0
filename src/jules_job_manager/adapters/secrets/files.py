"""Secrets in files that only their owner can read."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

from jules_job_manager.domain.secret_reference import SecretReference
from jules_job_manager.errors import ConfigurationError

MOST_BYTES = 64 * 1024


class FileSecrets:
    """The SecretSource port on files. One line end at the end is not part of the secret."""

    def read(self, reference: SecretReference) -> str:
        """Return the content of the file.

        The file is opened once and judged by what was opened, so that it cannot be exchanged in
        between. A link is not followed: whoever may write its folder could let it point anywhere.
        """
        path = Path(reference.name).expanduser()
        try:
            handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
        except OSError as exc:
            if exc.errno == errno.ELOOP:
                raise ConfigurationError(
                    f"The file {path} is a link.", hint="Name the file itself."
                ) from exc
            raise ConfigurationError(f"The file {path} cannot be read: {exc.strerror}.") from exc
        try:
            _require_private(path, os.fstat(handle))
            content = b""
            while len(content) <= MOST_BYTES and (part := os.read(handle, MOST_BYTES + 1)):
                content += part
        except OSError as exc:
            raise ConfigurationError(f"The file {path} cannot be read: {exc.strerror}.") from exc
        finally:
            os.close(handle)
        if len(content) > MOST_BYTES:
            raise ConfigurationError(f"The file {path} is longer than {MOST_BYTES} bytes.")
        try:
            text = content.decode("utf-8")
        except UnicodeDecodeError:  # its text would show a part of the content
            raise ConfigurationError(f"The file {path} is not UTF-8 text.") from None
        secret = text.removesuffix("\n").removesuffix("\r")
        if not secret:
            raise ConfigurationError(f"The file {path} is empty.")
        return secret


def _require_private(path: Path, found: os.stat_result) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise ConfigurationError(f"{path} is no regular file.")
    mode = stat.S_IMODE(found.st_mode)
    if mode & 0o077:
        raise ConfigurationError(
            f"The file {path} can be read or written by others (mode {mode:04o}).",
            hint=f"Run: chmod 600 {path}",
        )
    if found.st_uid not in {os.geteuid(), 0}:
        raise ConfigurationError(f"The file {path} belongs to another user.")
