"""Several things in one request: each stands or falls by itself."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

from starlette.requests import Request
from starlette.responses import Response

from jules_job_manager.domain.change_notes import several_created
from jules_job_manager.errors import InvalidInputError, JulesManagerError
from jules_job_manager.web.auditing import note_change
from jules_job_manager.web.problems import problem_of, request_id_of, unfit
from jules_job_manager.web.schemas.base import Unfit

T = TypeVar("T")


async def one_by_one(
    request: Request,
    items: Sequence[T | Unfit],
    work: Callable[[T], Awaitable[dict[str, Any]]],
    *,
    resource: str,
    id_name: str,
) -> dict[str, Any]:
    """Do `work` for each in turn; return what became of each, with the status it alone would have.

    Args:
        request: Its audit entry tells of each, also when the rest is not reached any more.
        items: What is worked on, or why it cannot be.
        work: Creates one and returns it as JSON values.
        resource: What the audit log calls them: `tasks` or `jobs`.
        id_name: The member of what `work` returns that names it.
    """
    request_id = request_id_of(request)
    results: list[dict[str, Any]] = []
    told: list[dict[str, Any]] = []
    try:
        for index, item in enumerate(items):
            try:
                if isinstance(item, Unfit):
                    results.append(_failed(index, unfit(item.errors, request_id, within="body")))
                    told.append({"error": InvalidInputError.code})
                    continue
                made = await work(item)
            except JulesManagerError as exc:
                results.append(_failed(index, problem_of(exc, request_id)))
                told.append({"error": exc.code})
            else:
                results.append({"index": index, "status": 201, "item": made})
                told.append({"id": made[id_name]})
    finally:
        note_change(request, several_created(resource, told, asked=len(items)))
    return {"results": results}


def _failed(index: int, answer: Response) -> dict[str, Any]:
    problem = json.loads(bytes(answer.body))
    return {"index": index, "status": answer.status_code, "problem": problem}
