"""Several things in one request: each stands or falls by itself."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

from jules_job_manager.errors import JulesManagerError
from jules_job_manager.web.problems import problem_of

T = TypeVar("T")


async def one_by_one(
    items: Sequence[T], work: Callable[[T], Awaitable[dict[str, Any]]], request_id: str
) -> dict[str, Any]:
    """Do `work` for each in turn; return what became of each, with the status it alone would have."""
    results: list[dict[str, Any]] = []
    for index, item in enumerate(items):
        try:
            results.append({"index": index, "status": 201, "item": await work(item)})
        except JulesManagerError as exc:
            answer = problem_of(exc, request_id)
            problem = json.loads(bytes(answer.body))
            results.append({"index": index, "status": answer.status_code, "problem": problem})
    return {"results": results}
