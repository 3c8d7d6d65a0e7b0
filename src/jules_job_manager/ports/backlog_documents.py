"""Reads and writes backlog documents."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from jules_job_manager.domain.backlog import Backlog, JobProgress


class BacklogDocuments(Protocol):
    """One document format, working on the bytes of a file: reading and writing files is the caller's."""

    def read(self, content: bytes) -> Backlog:
        """Read a document. What is not understood is listed as problems, never guessed.

        Raises:
            BacklogError: it is not such a document at all (no job in it, or not text).
        """
        ...

    def write_back(self, content: bytes, progress: Sequence[JobProgress]) -> bytes:
        """Return the document with the progress put in, every other byte as it was.

        Raises:
            BacklogError: a key is not in the document.
        """
        ...
