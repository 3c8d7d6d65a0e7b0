"""Sessions, activities and sources as the service writes them, member for member.

Defaults are left out, as proto3 JSON does, and `id` comes last. Source: Jules REST reference
v1alpha, sections 4 to 6 and 9 (read 2026-11).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from jules_job_manager.adapters.backends.simulator.switches import Deviations
from jules_job_manager.domain.clockwork import to_rfc3339

SESSION_PAGE = "https://jules.google.com/session/"
TASK_PAGE = "https://jules.google.com/task/"
_BARE = ("createTime", "updateTime", "state", "url")
Wire = dict[str, Any]


def stamp(seconds: float, *, digits: int = 6) -> str:
    """Return seconds since 1970 as RFC 3339 with 0, 3, 6 or 9 fraction digits."""
    text = to_rfc3339(datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds))
    whole, _, fraction = text.rstrip("Z").partition(".")
    return f"{whole}.{(fraction + '789')[:digits]}Z" if digits else f"{whole}Z"


class Writer:
    """Writes what the service answers, in the ways that a scenario asks for."""

    def __init__(self, deviations: Deviations) -> None:
        """Deviate as told."""
        self._odd = deviations

    def session(self, session: Mapping[str, Any]) -> Wire:
        """Return a Session. Live, `createTime` has nine digits and `updateTime` six."""
        updated = 6
        if self._odd.mixed_fractions:
            updated = (0, 3, 6, 9)[int(session["id"]) % 4]
        wire: Wire = {
            "name": f"sessions/{session['id']}",
            "title": session["title"],
            "createTime": stamp(session["created"], digits=9),
            "updateTime": stamp(session["updated"], digits=updated),
            "state": session["state"],
        }
        if session["source"]:
            context: Wire = {
                "source": session["source"],
                "githubRepoContext": {"startingBranch": session["branch"]},
            }
            if session["working_branch"]:
                context["workingBranch"] = session["working_branch"]
            wire["sourceContext"] = context
        wire["prompt"] = session["prompt"]
        wire["url"] = (TASK_PAGE if self._odd.task_urls else SESSION_PAGE) + session["id"]
        optional = {
            "outputs": session["outputs"],
            "requirePlanApproval": session["require_plan_approval"],
            "automationMode": session["automation_mode"],
            "archived": session["archived"],
        }
        wire.update({name: value for name, value in optional.items() if value})
        return {**wire, "id": session["id"]}

    def created(self, session: Mapping[str, Any]) -> Wire:
        """Return the answer to a create, which may leave out state, address and times."""
        wire = self.session(session)
        if self._odd.bare_create_answers:
            return {name: value for name, value in wire.items() if name not in _BARE}
        return wire

    def activity(self, session_id: str, doc: Mapping[str, Any]) -> Wire:
        """Return an Activity."""
        wire: Wire = {
            "name": f"sessions/{session_id}/activities/{doc['id']}",
            "createTime": stamp(doc["at"], digits=self._activity_digits(doc)),
        }
        if self._odd.originators != "missing":
            upper = self._odd.originators == "upper"
            wire["originator"] = doc["originator"].upper() if upper else doc["originator"]
        wire.update(doc["kind"])
        if doc["artifacts"]:
            wire["artifacts"] = doc["artifacts"]
        return {**wire, "id": doc["id"]}

    def _activity_digits(self, doc: Mapping[str, Any]) -> int:
        """Return how many digits a time is written with; none of its value is ever lost."""
        if not self._odd.mixed_fractions:
            return 6
        microseconds = round(doc["at"] * 1_000_000) % 1_000_000
        if microseconds == 0:
            return 0
        if microseconds % 1000 == 0:
            return 3
        return 9 if int(doc["id"][0], 16) % 2 else 6


def source_wire(name: str, repository: str, branches: list[str]) -> Wire:
    """Return a Source."""
    owner, _, repo = repository.partition("/")
    github: Wire = {"owner": owner, "repo": repo}
    if branches:
        default = "main" if "main" in branches else branches[0]
        github["defaultBranch"] = {"displayName": default}
        github["branches"] = [{"displayName": branch} for branch in branches]
    return {"name": name, "githubRepo": github, "id": name.removeprefix("sources/")}
