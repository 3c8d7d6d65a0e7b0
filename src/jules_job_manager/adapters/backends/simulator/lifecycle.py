"""What happens in a session, and when: the state machine of the REST reference, section 4.3."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from jules_job_manager.adapters.backends.simulator import refusal
from jules_job_manager.adapters.backends.simulator.delivery import Delivery, round_of
from jules_job_manager.adapters.backends.simulator.ids import Ids
from jules_job_manager.adapters.backends.simulator.state import WorldState
from jules_job_manager.adapters.backends.simulator.switches import Behaviour, Scenario
from jules_job_manager.errors import ForgeError

if TYPE_CHECKING:
    from jules_job_manager.adapters.backends.simulator.engine import CreateRequest

Session = dict[str, Any]
FAILURE_REASON = "Jules was unable to complete the task."
RUNNING = {"QUEUED", "PLANNING", "IN_PROGRESS"}


class Lifecycle:
    """Moves sessions along their timelines. Every change is saved with the session."""

    def __init__(
        self,
        state: WorldState,
        scenario: Scenario,
        ids: Ids,
        delivery: Delivery,
        *,
        scaled: Callable[[float], float],
        roll: Callable[..., float],
    ) -> None:
        """Keep sessions in `state`.

        Args:
            state: Where they are kept.
            scenario: What they do.
            ids: Makes ids.
            delivery: Does their work.
            scaled: Turns the scenario's seconds into seconds of the clock.
            roll: Gives the number in [0, 1) that stands for its arguments.
        """
        self._state = state
        self._scenario = scenario
        self._ids = ids
        self._delivery = delivery
        self._scaled = scaled
        self._roll = roll
        self._steps: dict[str, Callable[[Session, float], None]] = {
            "plan": self._plan,
            "generated": self._generated,
            "plan_changes": self._plan_changes,
            "approved": self._approved,
            "progress": self._progress,
            "goes_on": self._goes_on,
            "answered": self._answered,
            "finish": self._finish,
            "revives": self._revives,
            "late_push": self._late_push,
        }

    def create(self, request: CreateRequest, *, base: str, now: float) -> Session:
        """Add a session in state QUEUED."""
        title = request.title or request.prompt.strip().splitlines()[0][:80]
        session: Session = {
            "id": self._ids.session(), "title": title, "prompt": request.prompt,
            "source": request.source, "branch": request.starting_branch,
            "require_plan_approval": request.require_plan_approval,
            "automation_mode": request.automation_mode, "created": now, "updated": now,
            "archived": False, "outputs": [], "base": base, "head": "", "working_branch": "",
            "round": 0, "done_steps": 0, "asked": False, "approved": False, "plan_id": "",
            "plan": [], "revised": False, "stalled": False, "revived": False, "patch": "",
            "states": [], "timeline": [],
        }  # fmt: skip
        self._enter(session, now, "QUEUED")
        self._later(session, now, self._scenario.timing.queued, "plan")
        self._state.add_session(session)
        self._state.count("sessions_created")
        return session

    def happen(self, session: Session) -> None:
        """Let the first event of the session's timeline happen."""
        moment, name = session["timeline"].pop(0)
        self._steps[name](session, moment)
        session["updated"] = moment
        self._state.save_session(session)

    def approve(self, session: Session, now: float) -> None:
        """Approve the plan that waits, also when the session calls itself completed."""
        if not _plan_waits(session):
            raise refusal.precondition()
        session["timeline"] = []
        self._approved(session, now)
        self._save(session, now)

    def message(self, session: Session, text: str, now: float) -> None:
        """Take a message: it revises a plan, answers a question, wakes, or asks for more work."""
        self._activity(session, now, "user", {"userMessaged": {"userMessage": text}})
        state, timing = session["state"], self._scenario.timing
        behaviour = self._behaviour(session)
        mid_work = state == "IN_PROGRESS" and session["round"] == 0
        replans = mid_work and bool(behaviour.revised_plan) and not session["revised"]
        if _plan_waits(session) or replans:
            self._replan(session, now)
        elif state == "COMPLETED" or (
            state == "FAILED" and self._scenario.deviations.message_wakes_failed
        ):
            # A push that comes late comes all the same.
            session["timeline"] = [e for e in session["timeline"] if e[1] == "late_push"]
            self._enter(session, now, "IN_PROGRESS")
            session["round"] += 1
            self._later(session, now, timing.answer, "answered")
            self._later(session, now, timing.answer + timing.step, "finish")
        elif state in {"AWAITING_USER_FEEDBACK", "PAUSED"} or self._is_silent(session):
            self._goes_on(session, now)
        self._save(session, now)

    def resume(self, session: Session, now: float) -> None:
        """Go on where the session stopped."""
        self._goes_on(session, now)
        self._save(session, now)

    def set_archived(self, session: Session, now: float, *, archived: bool) -> None:
        """Archive or unarchive; archiving a running session pauses it (REST reference 3.7)."""
        session["archived"] = archived
        if archived and session["state"] in RUNNING:
            session["timeline"] = []
            self._enter(session, now, "PAUSED")
        self._save(session, now)

    def _plan(self, session: Session, now: float) -> None:
        self._enter(session, now, "PLANNING")
        if self._scenario.deviations.strange_activities:
            self._activity(session, now, "system", {"description": "Session started"})
            self._activity(session, now, "agent", {"moodChanged": {"mood": "curious"}})
        self._later(session, now, self._scenario.timing.planning, "generated")

    def _replan(self, session: Session, now: float) -> None:
        session["timeline"], session["revised"], session["done_steps"] = [], True, 0
        self._enter(session, now, "PLANNING")
        self._later(session, now, self._scenario.timing.planning, "generated")

    def _generated(self, session: Session, now: float) -> None:
        self._show_plan(session, now)
        behaviour = self._behaviour(session)
        if session["require_plan_approval"] and not session["approved"]:
            odd = self._scenario.deviations.plan_waiting_says_completed
            self._enter(session, now, "COMPLETED" if odd else "AWAITING_PLAN_APPROVAL")
            if behaviour.plan_changes_after and not session["revised"]:
                self._later(session, now, behaviour.plan_changes_after, "plan_changes")
        elif session["approved"]:
            # Approval carries forward: a revised plan runs at once (REST reference 3.6).
            self._enter(session, now, "IN_PROGRESS")
            self._schedule_work(session, now)
        else:
            self._later(session, now, self._scenario.timing.approval, "approved")

    def _plan_changes(self, session: Session, now: float) -> None:
        session["revised"] = True
        self._show_plan(session, now)

    def _show_plan(self, session: Session, now: float) -> None:
        behaviour = self._behaviour(session)
        titles = (session["revised"] and behaviour.revised_plan) or behaviour.plan
        steps: list[dict[str, Any]] = []
        for index, title in enumerate(titles):
            step: dict[str, Any] = {"id": self._ids.hexadecimal(), "title": title}
            steps.append(step if index == 0 else {**step, "index": index})
        plan = {"id": self._ids.hexadecimal(), "steps": steps}
        session["plan_id"], session["plan"] = plan["id"], list(titles)
        self._activity(session, now, "agent", {"planGenerated": {"plan": plan}})

    def _approved(self, session: Session, now: float) -> None:
        session["approved"] = True
        self._enter(session, now, "IN_PROGRESS")
        self._activity(session, now, "user", {"planApproved": {"planId": session["plan_id"]}})
        self._schedule_work(session, now)

    def _schedule_work(self, session: Session, now: float) -> None:
        left = len(session["plan"]) - session["done_steps"]
        name = "progress" if left > 0 else "finish"
        self._later(session, now, self._scenario.timing.step, name)

    def _progress(self, session: Session, now: float) -> None:
        behaviour = self._behaviour(session)
        text = session["plan"][session["done_steps"]]
        session["done_steps"] += 1
        self._tell_progress(session, now, text)
        if behaviour.question and not session["asked"]:
            session["asked"] = True
            self._enter(session, now, "AWAITING_USER_FEEDBACK")
            self._activity(
                session, now, "agent", {"agentMessaged": {"agentMessage": behaviour.question}}
            )
        elif behaviour.outcome in {"stall", "silence"} and not session["stalled"]:
            if behaviour.outcome == "stall":
                self._enter(session, now, "PAUSED")
            if behaviour.stall_seconds:
                self._later(session, now, behaviour.stall_seconds, "goes_on")
        else:
            self._schedule_work(session, now)

    def _tell_progress(self, session: Session, now: float, text: str) -> None:
        cut = {"title": text[:77] + "...", "description": text}
        entry = cut if len(text) > 80 else {"title": text}
        artifacts = self._delivery.progress_artifacts(session, self._behaviour(session), now)
        self._activity(session, now, "agent", {"progressUpdated": entry}, artifacts)

    def _goes_on(self, session: Session, now: float) -> None:
        """Take the work up where it stopped: before the plan, at its approval, or after."""
        session["stalled"], session["timeline"] = True, []
        if not session["plan_id"]:
            self._enter(session, now, "PLANNING")
            self._later(session, now, self._scenario.timing.planning, "generated")
        elif session["approved"]:
            self._enter(session, now, "IN_PROGRESS")
            self._schedule_work(session, now)
        elif session["require_plan_approval"]:
            self._enter(session, now, "AWAITING_PLAN_APPROVAL")
        else:
            self._enter(session, now, "PLANNING")
            self._later(session, now, self._scenario.timing.approval, "approved")

    def _answered(self, session: Session, now: float) -> None:
        reply = round_of(session, self._behaviour(session)).reply or "I am on it."
        self._activity(session, now, "agent", {"agentMessaged": {"agentMessage": reply}})

    def _finish(self, session: Session, now: float) -> None:
        behaviour = self._behaviour(session)
        if behaviour.outcome == "failed" and session["round"] == 0:
            self._fail(session, now, FAILURE_REASON)
            return
        try:
            self._delivery.commit(session, behaviour, now)
        except ForgeError as exc:
            self._fail(session, now, f"git: {exc}"[:500])
            return
        self._enter(session, now, "COMPLETED")
        artifacts = self._delivery.final_artifacts(session, behaviour)
        self._activity(session, now, "agent", {"sessionCompleted": {}}, artifacts)
        if behaviour.revives_after and not session["revived"]:
            self._later(session, now, behaviour.revives_after, "revives")
        if behaviour.late_push_after and session["round"] == 0:
            self._later(session, now, behaviour.late_push_after, "late_push")

    def _fail(self, session: Session, now: float, reason: str) -> None:
        self._enter(session, now, "FAILED")
        silent = self._scenario.deviations.failures_without_reason
        self._activity(
            session, now, "agent", {"sessionFailed": {} if silent else {"reason": reason}}
        )

    def _revives(self, session: Session, now: float) -> None:
        session["revived"] = True
        session["round"] += 1
        self._enter(session, now, "IN_PROGRESS")
        self._tell_progress(session, now, "Looked at it once more")
        self._later(session, now, self._scenario.timing.step, "finish")

    def _late_push(self, session: Session, now: float) -> None:
        try:
            self._delivery.push_late(session, self._behaviour(session), now)
        except ForgeError:  # nothing tells of it, as nothing tells of a push that worked
            return

    def _is_silent(self, session: Session) -> bool:
        """Whether the session says that it works, and nothing would ever happen in it."""
        work = [name for _, name in session["timeline"] if name not in {"goes_on", "late_push"}]
        return session["state"] == "IN_PROGRESS" and not work

    def _behaviour(self, session: Session) -> Behaviour:
        return self._scenario.behaviour_for(
            session["title"],
            session["prompt"],
            lambda place: self._roll("task", place, session["id"]),
        )

    def _activity(
        self,
        session: Session,
        now: float,
        originator: str,
        kind: Mapping[str, Any],
        artifacts: list[dict[str, Any]] | None = None,
    ) -> None:
        doc: dict[str, Any] = {"at": now, "originator": originator, "kind": dict(kind)}
        doc["id"] = self._ids.hexadecimal()
        doc["artifacts"] = artifacts or []
        self._state.add_activity(session["id"], doc)

    def _enter(self, session: Session, now: float, state: str) -> None:
        session["state"] = state
        session["states"] = [*session["states"][-9:], [now, state]]

    def _later(self, session: Session, now: float, seconds: float, name: str) -> None:
        session["timeline"].append([now + self._scaled(seconds), name])
        session["timeline"].sort(key=lambda event: event[0])

    def _save(self, session: Session, now: float) -> None:
        session["updated"] = now
        self._state.save_session(session)


def _plan_waits(session: Session) -> bool:
    if session["approved"] or not session["plan_id"]:
        return False
    gated = bool(session["require_plan_approval"])
    return session["state"] == "AWAITING_PLAN_APPROVAL" or (
        session["state"] == "COMPLETED" and gated
    )
