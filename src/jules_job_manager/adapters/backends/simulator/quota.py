"""The account's limits: tasks in any 24 hours, and tasks running at once.

Source: Jules REST reference, section 10: the window rolls, and every created session costs one,
whether it fails or not.
"""

from __future__ import annotations

from collections.abc import Callable

from jules_job_manager.adapters.backends.simulator import refusal
from jules_job_manager.adapters.backends.simulator.state import WorldState
from jules_job_manager.adapters.backends.simulator.switches import Scenario

WINDOW_SECONDS = 86_400.0
RUNNING = {
    "QUEUED",
    "PLANNING",
    "AWAITING_PLAN_APPROVAL",
    "AWAITING_USER_FEEDBACK",
    "IN_PROGRESS",
    "PAUSED",
}


def check(
    state: WorldState, scenario: Scenario, now: float, scaled: Callable[[float], float]
) -> list[float]:
    """Return when the tasks in the window were created, if there is room for one more.

    Raises:
        Refusal: none is left in the window, or too many run.
    """
    quota = scenario.quota
    recent: list[float] = []
    if quota.tasks_per_day:
        since = now - scaled(WINDOW_SECONDS)
        recent = [moment for moment in state.get("created_at", []) if moment > since]
        if len(recent) >= quota.tasks_per_day:
            raise _refusal(quota.daily_refusal, scenario)
    if quota.concurrent:
        running = sum(session["state"] in RUNNING for session in state.sessions())
        if running >= quota.concurrent:
            raise _refusal(quota.concurrent_refusal, scenario)
    return recent


def spend(state: WorldState, recent: list[float], now: float) -> None:
    """Note that a task was created `now`; `recent` is what `check` returned."""
    state.put("created_at", [*recent, now])


def _refusal(status: str, scenario: Scenario) -> refusal.Refusal:
    if status == "RESOURCE_EXHAUSTED":
        return refusal.exhausted(scenario.faults.retry_after_seconds)
    return refusal.precondition()
