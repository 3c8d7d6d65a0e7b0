"""Log files that their owner alone may read, after every rotation too."""

from __future__ import annotations

import logging
import os
from io import TextIOWrapper


class PrivateFileHandler(logging.FileHandler):
    """Put before one of the standard library's file handlers: opens its file with mode 0600."""

    def _open(self) -> TextIOWrapper:
        flags = os.O_CREAT | os.O_APPEND | os.O_WRONLY
        descriptor = os.open(self.baseFilename, flags, 0o600)
        os.fchmod(descriptor, 0o600)
        return open(descriptor, "a", encoding=self.encoding)  # noqa: PTH123 (a descriptor)
