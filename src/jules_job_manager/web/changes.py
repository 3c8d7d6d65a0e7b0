"""Tells the audit log what a request changed: only the members that differ, not the whole."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import Request, Response

from jules_job_manager.domain.job import Job
from jules_job_manager.web.auditing import note_change
from jules_job_manager.web.etags import tagged


def job_changed(request: Request, response: Response, before: Job, after: Job) -> dict[str, Any]:
    """Note what differs between two states of a job, and return the later one with its tag."""
    was, now = differing(before.to_dict(), after.to_dict())
    note_change(request, resource=f"job:{after.key}", before=was, after=now)
    return tagged(response, after.to_dict())


def differing(
    before: Mapping[str, Any], after: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the members that are not the same in both, as they were and as they are."""
    names = [name for name in after if before.get(name) != after[name]]
    return {name: before.get(name) for name in names}, {name: after[name] for name in names}
