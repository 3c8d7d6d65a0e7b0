"""How the deliveries to the project of notes are written down."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tests.review_corpus.case import Case, job
from tests.review_corpus.memory_change import Content
from tests.review_corpus.notes.base import BASE


def sample(
    *,
    name: str,
    files: Mapping[str, Content | None] | None = None,
    moved: Mapping[str, str] | None = None,
    caught_by: str = "",
    creates: Sequence[str] = (),
    modifies: Sequence[str] = (),
    prompt: str = "Do the work.",
) -> Case:
    """Return a delivery.

    Args:
        name: What is done in it.
        files: New content by path; None deletes the file.
        moved: New path by old path; `files` may change the content as well.
        caught_by: The required rule that must refuse it; empty: it is honest.
        creates: Files the job said it would create.
        modifies: Files the job said it would change.
        prompt: Of the job.
    """
    given = files or {}
    return Case(
        name=name, rule=caught_by, base=BASE, rename=moved or {},
        job=job(prompt, "Work", create=" ".join(creates), modify=" ".join(modifies)),
        write={path: content for path, content in given.items() if content is not None},
        remove=tuple(path for path, content in given.items() if content is None),
    )  # fmt: skip
