"""What a session hands over: commits on its branch, patches, outputs and artifacts."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from jules_job_manager.adapters.backends.simulator import git_work
from jules_job_manager.adapters.backends.simulator.git_port import GitWork
from jules_job_manager.adapters.backends.simulator.ids import branch_words
from jules_job_manager.adapters.backends.simulator.switches import Behaviour, Deviations, Round
from jules_job_manager.errors import ForgeError

Session = dict[str, Any]
Artifacts = list[dict[str, Any]]
_PIXEL = "iVBORw0KGgo="  # the first bytes of every PNG


class Delivery:
    """Does the work of sessions on the repositories of the world."""

    def __init__(
        self, repositories: Mapping[str, str], deviations: Deviations, git: GitWork
    ) -> None:
        """Work on `repositories` (`owner/name` to git URL or path) with `git`."""
        self._git = git
        self._repositories = repositories
        self._deviations = deviations

    def commit(self, session: Session, behaviour: Behaviour, now: float) -> None:
        """Commit and push the session's present round; done again, it is not done twice.

        Raises:
            ForgeError: git failed.
        """
        repository = self._repository(session)
        if repository is None:
            return
        if not session["working_branch"]:
            words = behaviour.branch or branch_words(session["title"])
            session["working_branch"] = f"{words}-{session['id']}"
        work = round_of(session, behaviour)
        made = self._git.commit_and_push(
            self._repositories[repository],
            base=session["base"],
            base_branch=session["branch"],
            branch=session["working_branch"],
            own_head=session.get("head", ""),
            change=_change(work.files, work, now),
        )
        session["head"], session["patch"] = made.id, made.patch
        session["outputs"] = self._outputs(session, behaviour, repository)

    def push_late(self, session: Session, behaviour: Behaviour, now: float) -> None:
        """Push the next round from the session's first base over whatever the branch holds.

        Source: Jules REST reference 4.3 (two real cases of an overwritten branch).

        Raises:
            ForgeError: git failed.
        """
        repository = self._repository(session)
        if repository is None or not session["working_branch"]:
            return
        later = {**session, "round": session["round"] + 1}
        rounds = [round_of({**session, "round": n}, behaviour) for n in range(later["round"] + 1)]
        files = {name: text for work in rounds for name, text in work.files.items()}
        made = self._git.overwrite(
            self._repositories[repository],
            base=session["base"],
            base_branch=session["branch"],
            branch=session["working_branch"],
            change=_change(files, rounds[-1], now),
        )
        session["head"] = made.id

    def progress_artifacts(self, session: Session, behaviour: Behaviour, now: float) -> Artifacts:
        """Return what a progress entry carries: the patch so far, an image, a command's output."""
        artifacts: Artifacts = []
        if patch := session["patch"] or self._patch_so_far(session, behaviour, now):
            artifacts.append({"changeSet": _change_set(session, patch)})
        if size := self._deviations.media_bytes:
            data = _PIXEL.rstrip("=") + "A" * max(0, size * 4 // 3 - len(_PIXEL))
            data = data[: len(data) // 4 * 4]
            artifacts.append({"media": {"data": data, "mimeType": "image/png"}})
        if self._deviations.bash_outputs:
            step = session["done_steps"]
            bash = {"command": f"\nmake test # {step}", "output": "1 failed\n", "exitCode": 1}
            artifacts.append({"bashOutput": bash if step == 1 else {"output": "ok\n"}})
        if self._deviations.strange_activities:
            artifacts.append({"hologram": {"depth": 3}})
        return artifacts

    def final_artifacts(self, session: Session, behaviour: Behaviour) -> Artifacts:
        """Return what the end of a session carries: the whole patch, with words for a commit."""
        if not session["patch"]:
            return []
        words = round_of(session, behaviour).message
        return [{"changeSet": _change_set(session, session["patch"], words)}]

    def _patch_so_far(self, session: Session, behaviour: Behaviour, now: float) -> str:
        repository = self._repository(session)
        if repository is None or not self._deviations.progress_patches:
            return ""
        if "pieces" not in session:
            work = round_of(session, behaviour)
            try:
                session["pieces"] = self._git.pieces(
                    self._repositories[repository],
                    base=session["base"],
                    base_branch=session["branch"],
                    change=_change(work.files, work, now),
                )
            except ForgeError:  # the end of the session will tell
                session["pieces"] = []
        pieces: list[str] = session["pieces"]
        share = min(1.0, session["done_steps"] / max(1, len(session["plan"])))
        return "".join(pieces[: round(share * len(pieces) + 0.499)])

    def _outputs(self, session: Session, behaviour: Behaviour, repository: str) -> Artifacts:
        words = round_of(session, behaviour).message
        wanted = behaviour.outputs
        if wanted is None:
            asked = session["automation_mode"] == "AUTO_CREATE_PR"
            wanted = ("pull_request", "change_set") if asked else ("change_set",)
        outputs: Artifacts = []
        if "pull_request" in wanted:
            outputs.append({"pullRequest": _pull_request(session, repository, words)})
        if "change_set" in wanted:
            outputs.append({"changeSet": _change_set(session, session["patch"], words)})
        return outputs

    def _repository(self, session: Session) -> str | None:
        for repository in self._repositories:
            hyphened = "sources/github-" + repository.replace("/", "-")
            if session["source"] in {f"sources/github/{repository}", hyphened}:
                return repository
        return None


def round_of(session: Session, behaviour: Behaviour) -> Round:
    """Return the session's present round; the last one written stands for all after it."""
    number = int(session["round"])
    if behaviour.rounds:
        return behaviour.rounds[min(number, len(behaviour.rounds) - 1)]
    note = f"notes/{session['id']}.md"
    text = f"# {session['title']}\n\nRound {number + 1} of a pretend Jules.\n"
    return Round(message=f"Work on: {session['title']}"[:72], files={note: text})


def _change(files: Mapping[str, str], work: Round, now: float) -> git_work.Change:
    moment = datetime.fromtimestamp(now, UTC)
    return git_work.Change(files=files, delete=work.delete, message=work.message, at=moment)


def _change_set(session: Session, patch: str, words: str = "") -> dict[str, Any]:
    made = {"unidiffPatch": patch, "baseCommitId": session["base"]}
    if words:
        made["suggestedCommitMessage"] = words
    return {"source": session["source"], "gitPatch": made}


def _pull_request(session: Session, repository: str, words: str) -> dict[str, Any]:
    number = int(session["id"]) % 900 + 100
    return {
        "url": f"https://github.com/{repository}/pull/{number}",
        "title": session["title"],
        "description": words,
        "baseRef": session["branch"],
        "headRef": session["working_branch"],
    }
