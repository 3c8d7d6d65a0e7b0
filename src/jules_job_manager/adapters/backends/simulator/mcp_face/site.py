"""The pretend web page that the server drives: what a visitor sees of a session, and can click."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from jules_job_manager.adapters.backends.simulator.engine import CreateRequest, Simulator
from jules_job_manager.adapters.backends.simulator.refusal import Refusal
from jules_job_manager.adapters.backends.simulator.switches import McpServer

WORDS = {
    "QUEUED": "Queued",
    "PLANNING": "Planning",
    "AWAITING_PLAN_APPROVAL": "Waiting for approval",
    "AWAITING_USER_FEEDBACK": "Waiting for feedback",
    "IN_PROGRESS": "In progress",
    "PAUSED": "Paused",
    "COMPLETED": "Completed",
    "FAILED": "Failed",
}
_CHANGED_FILE = re.compile(r"^diff --git a/.* b/(.*)$", re.MULTILINE)


class ElementMissingError(Exception):
    """What was to be clicked or filled did not appear."""

    def __init__(self, action: str, selector: str, *, reached: str = "") -> None:
        """Name the Playwright `action` and the `selector`; `reached` is where the page went."""
        super().__init__(selector)
        self.action = action
        self.selector = selector
        self.reached = reached


@dataclass(frozen=True, kw_only=True, slots=True)
class View:
    """What the page of a task shows."""

    status: str = ""
    files: tuple[str, ...] = ()
    messages: tuple[str, ...] = ()


class Site:
    """The site of one account. Every method is one step of the simulator's world."""

    def __init__(self, simulator: Simulator) -> None:
        """Show the world of `simulator`."""
        self._sim = simulator

    @property
    def switches(self) -> McpServer:
        """How the server and the site deviate."""
        return self._sim.scenario.mcp

    def strikes(self, fault: str) -> bool:
        """Return whether a counted fault of the `[mcp]` table happens now."""
        with self._sim.step():
            return self._sim.strikes(f"mcp.{fault}", int(getattr(self.switches, fault)))

    def view(self, task_id: str) -> View:
        """Return what is seen; nothing, for an unknown task or when nobody is signed in."""
        with self._sim.step():
            session = self._session(task_id)
            if session is None:
                return View()
            activities = self._sim.activities_of(session["id"])
        status = WORDS.get(session["state"], session["state"])
        if self.switches.untrimmed_status:
            status = f"\n        {status}\n      "
        return View(
            status=status.lower(),
            files=tuple(_CHANGED_FILE.findall(session["patch"])),
            messages=tuple(text for doc in activities if (text := _said(doc["kind"]))),
        )

    def create(self, description: str, repository: str) -> str:
        """Fill in the form and submit it; return the new task's id.

        Raises:
            ElementMissingError: nobody is signed in, the repository is not offered, or the site
                does not go on to the task's page.
        """
        if not self.switches.signed_in:
            raise ElementMissingError("locator.click", "div.repo-select div.header-container")
        with self._sim.step():
            offered = (r for r in self._sim.repositories if repository.lower() in r.lower())
            chosen = next(offered, None)
            if chosen is None:
                selector = "div.repo-select div.opt-list > swebot-option"
                raise ElementMissingError("locator.click", selector)
            branches = self._sim.branches(chosen)
            try:
                session = self._sim.create(
                    CreateRequest(
                        prompt=description,
                        source=self._sim.source_name(chosen),
                        starting_branch="main" if "main" in branches else branches[0],
                        require_plan_approval=self.switches.plan_waits,
                    )
                )
            except (Refusal, IndexError):
                raise ElementMissingError("page.waitForURL", "**/task/**") from None
        return str(session["id"])

    def send(self, task_id: str, message: str) -> None:
        """Type a message and press Enter.

        Raises:
            ElementMissingError: the page has no box for a message.
        """
        with self._sim.step():
            try:
                if self._session(task_id) is not None:
                    self._sim.message(task_id, message)
                    return
            except Refusal:
                pass  # the box is not there yet
        raise ElementMissingError("locator.fill", "div.bottom-bar-container textarea")

    def approve(self, task_id: str) -> bool:
        """Click the approval, when its button is there."""
        with self._sim.step():
            session = self._session(task_id)
            if session is None or session["state"] != "AWAITING_PLAN_APPROVAL":
                return False
            self._sim.approve(task_id)
            return True

    def resume(self, task_id: str) -> bool:
        """Click resume, when its button is there."""
        with self._sim.step():
            return self._session(task_id) is not None and self._sim.resume(task_id)

    def _session(self, task_id: str) -> Mapping[str, Any] | None:
        if not self.switches.signed_in:
            return None
        try:
            return self._sim.session(task_id)
        except Refusal:
            return None


def _said(kind: Mapping[str, Any]) -> str:
    agent, user = kind.get("agentMessaged", {}), kind.get("userMessaged", {})
    return str(agent.get("agentMessage") or user.get("userMessage") or "").strip()
