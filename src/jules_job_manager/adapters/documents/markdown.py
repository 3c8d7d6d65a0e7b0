"""Backlogs in Markdown: the task-queue form, the ticket form, and anything that mixes them."""

from __future__ import annotations

from collections.abc import Sequence

from jules_job_manager.adapters.documents.document import parse_document
from jules_job_manager.adapters.documents.write_back import written_back
from jules_job_manager.domain.backlog import Backlog, JobProgress


class MarkdownBacklogDocuments:
    """Reads and writes Markdown backlogs.

    A job is a heading that begins with a key (`### Task 1: Title`, `#### JJM-007: Title`) and
    the bold labels under it; see docs/reference/backlog-format.md. A list entry
    `- JJM-026: Title` outside of jobs is a draft.
    """

    def read(self, content: bytes) -> Backlog:
        """Read a document. What is not understood is listed as problems, never guessed.

        Raises:
            BacklogError: it is not text, has no job, two jobs share a key, or jobs wait for
                each other in a circle.
        """
        document = parse_document(content)
        return Backlog(
            title=document.title,
            jobs=tuple(parsed.job for parsed in document.jobs),
            review_notes=document.notes,
            problems=document.problems,
            job_lines={parsed.job.key: parsed.line + 1 for parsed in document.jobs},
        )

    def write_back(self, content: bytes, progress: Sequence[JobProgress]) -> bytes:
        """Return the document with the progress put in, every other byte as it was.

        Raises:
            BacklogError: a key is not in the document, or the document cannot be read.
        """
        return written_back(content, progress)
