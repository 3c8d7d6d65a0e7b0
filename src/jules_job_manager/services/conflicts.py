"""What is said of a delivery that does not merge: which files, and what the base did to them."""

from __future__ import annotations

from jules_job_manager.domain.job import Job
from jules_job_manager.domain.text import shorten
from jules_job_manager.errors import ForgeError
from jules_job_manager.ports.forge import Forge, MergeCandidate

MOST_FILES = 50
DIFF_CHARACTERS = 3000
"""Of all the diffs together: a message to a task has little room."""


async def conflict_text(forge: Forge, job: Job, candidate: MergeCandidate, delivered: str) -> str:
    """Return the conflicts as text, with what the base branch changed in these files meanwhile.

    What the base did is left out when git cannot tell it.
    """
    names = [f"- {shorten(path, 300)}" for path in candidate.conflicts[:MOST_FILES]]
    left = len(candidate.conflicts) - MOST_FILES
    names += [f"- and {left} more"] if left > 0 else []
    advice = f"Merge {job.base_branch} into your branch, keep what both sides meant, and commit."
    parts = ["Conflicts in:", *names, advice]
    diffs = await _of_the_base(forge, job, candidate, delivered)
    if diffs:
        parts += [f"Since your branch began, {job.base_branch} changed them so:", diffs]
    return "\n".join(parts)


async def _of_the_base(forge: Forge, job: Job, candidate: MergeCandidate, delivered: str) -> str:
    try:
        began = await forge.merge_base(job.repository, delivered, candidate.base_commit)
        if began is None:
            return ""
        files = await forge.diffs(job.repository, began, candidate.base_commit)
    except ForgeError:
        return ""
    wanted, text = set(candidate.conflicts), ""
    for file in files:
        if file.path in wanted and file.diff:
            text += f"{file.diff.rstrip()}\n"
    return text if len(text) <= DIFF_CHARACTERS else text[:DIFF_CHARACTERS] + "\n… (cut)"
