"""By what patches are told apart."""

from __future__ import annotations

import hashlib

from jules_job_manager.domain.artifact import ChangeSet


def patch_digest(change_set: ChangeSet) -> str:
    """Return the SHA-256 (hex) by which a patch is told from others of its task."""
    text = change_set.base_commit_id + "\0" + change_set.unidiff_patch
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
