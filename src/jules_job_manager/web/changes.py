"""Tells the audit log what a request changed: only the members that differ, not the whole."""

from __future__ import annotations

from typing import Any

from fastapi import Request, Response

from jules_job_manager.domain import change_notes as notes
from jules_job_manager.domain.job import Job
from jules_job_manager.web.auditing import note_change
from jules_job_manager.web.etags import tagged


def job_changed(request: Request, response: Response, before: Job, after: Job) -> dict[str, Any]:
    """Note what differs between two states of a job, and return the later one with its tag."""
    note_change(request, notes.job_changed(before, after))
    return tagged(response, after.to_dict())
