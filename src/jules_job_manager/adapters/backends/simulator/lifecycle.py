"""What happens in a session, and when: the state machine of the REST reference, section 4.3."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from jules_job_manager.adapters.backends.simulator import git_work, refusal
from jules_job_manager.adapters.backends.simulator.ids import Ids, branch_words
from jules_job_manager.adapters.backends.simulator.scenario import Behaviour, Round, Scenario
from jules_job_manager.adapters.backends.simulator.state import WorldState
from jules_job_manager.errors import ForgeError

if TYPE_CHECKING:
    from jules_job_manager.adapters.backends.simulator.engine import CreateRequest

Session = dict[str, Any]
FAILURE_REASON = "Jules was unable to complete the task."


class Lifecycle:
    """Moves sessions along their timelines. Every change is saved with the session."""

    def __init__(
        self,
        state: WorldState,
        scenario: Scenario,
        ids: Ids,
        repositories: Mapping[str, str],
        scaled: Callable[[float], float],
    ) -> None:
        """`scaled` turns the scenario's seconds into seconds of the clock."""
        self._state = state
        self._scenario = scenario
        self._ids = ids
        self._repositories = repositories
        self._scaled = scaled
        self._steps: dict[str, Callable[[Session, float], None]] = {
            "plan": self._plan,
            "generated": self._generated,
            "approved": self._approved,
            "progress": self._progress,
            "answered": self._answered,
            "finish": self._finish,
        }

    def create(self, request: CreateRequest, *, base: str, now: float) -> Session:
        """Add a session in state QUEUED."""
        title = request.title or request.prompt.strip().splitlines()[0][:80]
        session: Session = {
            "id": self._ids.session(),
            "title": title,
            "prompt": request.prompt,
            "source": request.source,
            "branch": request.starting_branch,
            "require_plan_approval": request.require_plan_approval,
            "automation_mode": request.automation_mode,
            "state": "QUEUED",
            "created": now,
            "updated": now,
            "archived": False,
            "outputs": [],
            "base": base,
            "working_branch": "",
            "round": 0,
            "done_steps": 0,
            "asked": False,
            "approved": False,
            "patch": "",
            "timeline": [],
        }
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
        waits = session["state"] == "AWAITING_PLAN_APPROVAL" or (
            session["state"] == "COMPLETED" and not session["approved"]
        )
        if not waits:
            raise refusal.precondition()
        self._approved(session, now)
        session["updated"] = now
        self._state.save_session(session)

    def message(self, session: Session, text: str, now: float) -> None:
        """Take a message: it revises a plan, answers a question, wakes, or asks for more work."""
        self._activity(session, now, "user", {"userMessaged": {"userMessage": text}})
        state = session["state"]
        timing = self._scenario.timing
        if state == "AWAITING_PLAN_APPROVAL":
            session["state"] = "PLANNING"
            self._later(session, now, timing.planning, "generated")
        elif state in {"COMPLETED", "FAILED"}:
            session["state"] = "IN_PROGRESS"
            session["round"] += 1
            self._later(session, now, timing.answer, "answered")
            self._later(session, now, timing.answer + timing.step, "finish")
        elif state in {"AWAITING_USER_FEEDBACK", "PAUSED"}:
            self.resume(session, now)
            return
        session["updated"] = now
        self._state.save_session(session)

    def resume(self, session: Session, now: float) -> None:
        """Go on with the plan where it stopped."""
        session["state"] = "IN_PROGRESS"
        session["stalled"] = True
        self._schedule_work(session, now)
        session["updated"] = now
        self._state.save_session(session)

    def _plan(self, session: Session, now: float) -> None:
        session["state"] = "PLANNING"
        self._later(session, now, self._scenario.timing.planning, "generated")

    def _generated(self, session: Session, now: float) -> None:
        steps: list[dict[str, Any]] = []
        for index, title in enumerate(self._behaviour(session).plan):
            step: dict[str, Any] = {"id": self._ids.hexadecimal(), "title": title}
            steps.append(step if index == 0 else {**step, "index": index})
        plan = {"id": self._ids.hexadecimal(), "steps": steps}
        session["plan_id"] = plan["id"]
        self._activity(session, now, "agent", {"planGenerated": {"plan": plan}})
        if session["require_plan_approval"] and not session["approved"]:
            odd = self._scenario.deviations.plan_waiting_says_completed
            session["state"] = "COMPLETED" if odd else "AWAITING_PLAN_APPROVAL"
        elif session["approved"]:
            # Approval carries forward: a revised plan runs at once (REST reference 3.6).
            session["state"] = "IN_PROGRESS"
            self._schedule_work(session, now)
        else:
            self._later(session, now, self._scenario.timing.approval, "approved")

    def _approved(self, session: Session, now: float) -> None:
        session["approved"] = True
        session["state"] = "IN_PROGRESS"
        self._activity(
            session, now, "user", {"planApproved": {"planId": session.get("plan_id", "")}}
        )
        self._schedule_work(session, now)

    def _schedule_work(self, session: Session, now: float) -> None:
        left = len(self._behaviour(session).plan) - session["done_steps"]
        if left > 0:
            self._later(session, now, self._scenario.timing.step, "progress")
        else:
            self._later(session, now, self._scenario.timing.step, "finish")

    def _progress(self, session: Session, now: float) -> None:
        behaviour = self._behaviour(session)
        title = behaviour.plan[session["done_steps"]]
        session["done_steps"] += 1
        self._activity(session, now, "agent", {"progressUpdated": {"title": title[:80]}})
        if behaviour.question and not session["asked"]:
            session["asked"] = True
            session["state"] = "AWAITING_USER_FEEDBACK"
            self._activity(
                session, now, "agent", {"agentMessaged": {"agentMessage": behaviour.question}}
            )
        elif behaviour.outcome == "stall" and not session.get("stalled"):
            session["state"] = "PAUSED"
        else:
            self._schedule_work(session, now)

    def _answered(self, session: Session, now: float) -> None:
        reply = self._round(session).reply or "I am on it."
        self._activity(session, now, "agent", {"agentMessaged": {"agentMessage": reply}})

    def _finish(self, session: Session, now: float) -> None:
        if self._behaviour(session).outcome == "failed" and session["round"] == 0:
            session["state"] = "FAILED"
            self._activity(session, now, "agent", {"sessionFailed": {"reason": FAILURE_REASON}})
            return
        work = self._round(session)
        try:
            self._commit(session, work, now)
        except ForgeError as exc:
            session["state"] = "FAILED"
            self._activity(
                session, now, "agent", {"sessionFailed": {"reason": f"git: {exc}"[:500]}}
            )
            return
        session["state"] = "COMPLETED"
        artifacts = [{"changeSet": self._change_set(session, work)}] if session["patch"] else []
        self._activity(session, now, "agent", {"sessionCompleted": {}}, artifacts)

    def _commit(self, session: Session, work: Round, now: float) -> None:
        repository = _repository(session["source"], self._repositories)
        if repository is None:
            return
        behaviour = self._behaviour(session)
        if not session["working_branch"]:
            words = behaviour.branch or branch_words(session["title"])
            session["working_branch"] = f"{words}-{session['id']}"
        commit = git_work.commit_and_push(
            self._repositories[repository],
            base=session["base"],
            base_branch=session["branch"],
            branch=session["working_branch"],
            files=work.files,
            delete=work.delete,
            message=work.message,
            at=datetime.fromtimestamp(now, UTC),
        )
        session["patch"] = commit.patch
        session["outputs"] = self._outputs(session, behaviour, work, repository)

    def _outputs(
        self, session: Session, behaviour: Behaviour, work: Round, repository: str
    ) -> list[dict[str, Any]]:
        outputs: list[dict[str, Any]] = []
        if "pull_request" in behaviour.outputs or session["automation_mode"] == "AUTO_CREATE_PR":
            number = int(session["id"]) % 900 + 100
            outputs.append(
                {
                    "pullRequest": {
                        "url": f"https://github.com/{repository}/pull/{number}",
                        "title": session["title"],
                        "description": work.message,
                        "baseRef": session["branch"],
                        "headRef": session["working_branch"],
                    }
                }
            )
        if "change_set" in behaviour.outputs:
            outputs.append({"changeSet": self._change_set(session, work)})
        return outputs

    def _change_set(self, session: Session, work: Round) -> dict[str, Any]:
        patch = {
            "unidiffPatch": session["patch"],
            "baseCommitId": session["base"],
            "suggestedCommitMessage": work.message,
        }
        return {"source": session["source"], "gitPatch": patch}

    def _behaviour(self, session: Session) -> Behaviour:
        return self._scenario.behaviour_for(session["title"], session["prompt"])

    def _round(self, session: Session) -> Round:
        rounds = self._behaviour(session).rounds
        number = int(session["round"])
        if rounds:
            return rounds[min(number, len(rounds) - 1)]
        note = f"notes/{session['id']}.md"
        text = f"# {session['title']}\n\nRound {number + 1} of a pretend Jules.\n"
        return Round(message=f"Work on: {session['title']}"[:72], files={note: text})

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

    def _later(self, session: Session, now: float, seconds: float, name: str) -> None:
        session["timeline"].append([now + self._scaled(seconds), name])


def _repository(source: str, repositories: Mapping[str, str]) -> str | None:
    for repository in repositories:
        if source in {
            f"sources/github/{repository}",
            "sources/github-" + repository.replace("/", "-"),
        }:
            return repository
    return None
