"""Several things in one request: each stands or falls by itself."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

from starlette.requests import Request

from jules_job_manager.domain.change_notes import several_created
from jules_job_manager.errors import JulesManagerError
from jules_job_manager.web.auditing import note_change
from jules_job_manager.web.problems import problem_of, request_id_of

T = TypeVar("T")


async def one_by_one(
    request: Request,
    items: Sequence[T],
    work: Callable[[T], Awaitable[dict[str, Any]]],
    *,
    resource: str,
    id_name: str,
) -> dict[str, Any]:
    """Do `work` for each in turn; return what became of each, with the status it alone would have.

    Args:
        request: Its audit entry tells of each, also when the rest is not reached any more.
        items: What is worked on.
        work: Creates one and returns it as JSON values.
        resource: What the audit log calls them: `tasks` or `jobs`.
        id_name: The member of what `work` returns that names it.
    """
    results: list[dict[str, Any]] = []
    told: list[dict[str, Any]] = []
    try:
        for index, item in enumerate(items):
            try:
                made = await work(item)
            except JulesManagerError as exc:
                answer = problem_of(exc, request_id_of(request))
                problem = json.loads(bytes(answer.body))
                results.append({"index": index, "status": answer.status_code, "problem": problem})
                told.append({"error": exc.code})
            else:
                results.append({"index": index, "status": 201, "item": made})
                told.append({"id": made[id_name]})
    finally:
        note_change(request, several_created(resource, told, asked=len(items)))
    return {"results": results}
