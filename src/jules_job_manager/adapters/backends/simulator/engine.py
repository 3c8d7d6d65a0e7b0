"""The pretend Jules: sessions that plan, ask, work, deliver and can be woken again.

Time is lazy. Each session carries a timeline of what happens when; every request first lets
happen what is due. Timestamps are those of the clock that is passed in; `speed` makes the steps
shorter, and speed 0 stops time, which then moves only with `advance`.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from filelock import FileLock

from jules_job_manager.adapters.backends.simulator import git_work, quota, refusal
from jules_job_manager.adapters.backends.simulator.delivery import Delivery
from jules_job_manager.adapters.backends.simulator.git_port import GitWork
from jules_job_manager.adapters.backends.simulator.ids import Ids, chance
from jules_job_manager.adapters.backends.simulator.lifecycle import Lifecycle
from jules_job_manager.adapters.backends.simulator.state import WorldState
from jules_job_manager.adapters.backends.simulator.switches import Scenario
from jules_job_manager.adapters.private_paths import make_private_file
from jules_job_manager.errors import ForgeError
from jules_job_manager.ports.clock import Clock

SAMPLE = "octo/sample"


@contextmanager
def _opening(state: Path | None) -> Iterator[None]:
    """Let one process at a time make a world: several commands may be the first."""
    if state is None:
        yield
        return
    lock = state.with_name(f"{state.name}.lock")
    make_private_file(lock)
    with FileLock(lock, mode=0o600):
        yield


@dataclass(frozen=True, kw_only=True, slots=True)
class CreateRequest:
    """What a create asks for, read from the wire."""

    prompt: str
    title: str = ""
    source: str = ""
    starting_branch: str = ""
    require_plan_approval: bool = False
    automation_mode: str = ""


class Simulator:
    """One account of the pretend Jules."""

    def __init__(
        self,
        state: WorldState,
        *,
        scenario: Scenario,
        seed: int,
        speed: float,
        repositories: Mapping[str, str],
        clock: Clock,
        git: GitWork = git_work,
    ) -> None:
        """Use an open state; see `open`."""
        self.scenario = scenario
        self._git = git
        self.repositories = dict(repositories)
        self._state = state
        self._speed = speed
        self._clock = clock
        self._seed = seed
        self._lock = threading.RLock()
        self._life = Lifecycle(
            state, scenario, Ids(state, seed), Delivery(self.repositories, scenario.deviations, git),
            scaled=self._scaled, roll=lambda *what: chance(seed, *what),
        )  # fmt: skip

    @classmethod
    def open(
        cls,
        state: Path | None,
        *,
        scenario: Scenario,
        seed: int,
        speed: float,
        repositories: Mapping[str, str],
        clock: Clock,
        git: GitWork = git_work,
    ) -> Self:
        """Open the world.

        Args:
            state: File that keeps it; None keeps it in memory.
            scenario: What Jules does.
            seed: Seed of ids and words.
            speed: How many times faster than the scenario's seconds things happen; 0 stops time.
            repositories: `owner/name` to git URL or path; with none a sample is made beside the
                state file (none in memory).
            clock: Tells the time.
            git: Does what Jules does with git; the default works on real repositories.

        Raises:
            ForgeError: the sample repository cannot be made.
        """
        known = dict(repositories)
        with _opening(state):
            if not known and state is not None:
                sample = state.with_name("sample.git")
                if not sample.exists():
                    git_work.make_sample(sample)
                known[SAMPLE] = str(sample)
            opened = WorldState(state)
        return cls(
            opened,
            scenario=scenario,
            seed=seed,
            speed=speed,
            repositories=known,
            clock=clock,
            git=git,
        )

    def close(self) -> None:
        """Close the state file."""
        self._state.close()

    def advance(self, seconds: float) -> None:
        """Let `seconds` (>= 0, of the scenario's) pass at once."""
        with self.step():
            self._state.put("offset", float(self._state.get("offset", 0.0)) + seconds)
        with self._lock:
            self._settle()

    @contextmanager
    def step(self) -> Iterator[None]:
        """One request: what is due happens first and is kept, whatever becomes of the request.

        What is due may push commits, which a refused request must not undo here.
        """
        with self._lock:
            self._settle()
            with self._state.transaction():
                yield

    def count_request(self, method: str) -> None:
        """Count a request, for `stats`."""
        with self._lock, self._state.transaction():
            self._state.count(f"request.{method}")

    def count_refusal(self, code: int, status: str) -> None:
        """Count a refusal, for `stats`."""
        with self._lock, self._state.transaction():
            self._state.count(f"refusal.{code} {status}")

    def stats(self) -> dict[str, Any]:
        """Return counters since the world began."""
        with self._lock, self._state.transaction():
            return {
                "sessions_created": int(self._state.get("sessions_created", 0)),
                "requests": self._state.counters("request."),
                "refusals": self._state.counters("refusal."),
            }

    def fault(self, name: str) -> bool:
        """Return whether the next call of this kind goes wrong, and count it (inside `step`)."""
        return self.strikes(name, getattr(self.scenario.faults, name))

    def strikes(self, name: str, often: int | float) -> bool:  # noqa: PYI041 - they differ here
        """Return whether the fault `name` happens now.

        Args:
            name: The fault.
            often: A whole number: the first so many times; a fraction: that share, by seed.
        """
        if not often:
            return False
        if not isinstance(often, int):
            return chance(self._seed, name, self._state.count(f"roll.{name}")) < often
        if int(self._state.get(f"fault.{name}", 0)) >= often:
            return False
        self._state.count(f"fault.{name}")
        return True

    def create(self, request: CreateRequest) -> dict[str, Any]:
        """Create a session and return it (inside `step`).

        Raises:
            Refusal: the quota, the source or the branch does not allow it.
        """
        # Before git is asked: a refusal costs nothing, and a refused create no quota.
        recent = quota.check(self._state, self.scenario, self.now(), self._scaled)
        base = self._base_commit(request)
        quota.spend(self._state, recent, self.now())
        return self._life.create(request, base=base, now=self.now())

    def now(self) -> float:
        """Return the present as seconds since 1970; read inside `step`."""
        offset = float(self._state.get("offset", 0.0))
        if self._speed == 0:
            start = self._state.get("epoch")
            if start is None:
                start = self._clock.now().timestamp()
                self._state.put("epoch", start)
            return float(start) + offset
        return self._clock.now().timestamp() + offset

    def present(self) -> float:
        """Return the present as seconds since 1970, outside of `step`."""
        with self.step():
            return self.now()

    def session(self, session_id: str) -> dict[str, Any]:
        """Return a session.

        Raises:
            Refusal: there is none.
        """
        found = self._state.session(session_id)
        if found is None:
            raise refusal.not_found()
        return found

    def seen(self, session_id: str) -> dict[str, Any]:
        """Return a session as the service tells of it, which may be late.

        Raises:
            Refusal: there is none, or none yet.
        """
        session = self.session(session_id)
        if self._is_young(session, self.scenario.deviations.session_404_seconds):
            raise refusal.not_found()
        return self._late(session)

    def sessions(self) -> list[dict[str, Any]]:
        """Return every session that the lists know of, newest first."""
        lag = self.scenario.deviations.list_lags_seconds
        return [self._late(s) for s in self._state.sessions() if not self._is_young(s, lag)]

    def activities(self, session_id: str) -> list[dict[str, Any]]:
        """Return the session's activities, oldest first.

        Raises:
            Refusal: there is no such session, or it is too young to have a list.
        """
        session = self.session(session_id)
        if self._is_young(session, self.scenario.deviations.activities_404_seconds):
            raise refusal.not_found()
        return self._state.activities(session_id)

    def activities_of(self, session_id: str) -> list[dict[str, Any]]:
        """Return what the web page knows of, whatever its age (inside `step`)."""
        return self._state.activities(session_id)

    def approve(self, session_id: str) -> None:
        """Approve the latest plan.

        Raises:
            Refusal: no plan waits.
        """
        self._life.approve(self.session(session_id), self.now())

    def message(self, session_id: str, text: str) -> None:
        """Take a message of the user.

        Raises:
            Refusal: the session is still queued (a deviation), or unknown.
        """
        session = self.session(session_id)
        if session["state"] == "QUEUED" and self.scenario.deviations.message_404_while_queued:
            raise refusal.not_found()
        self._life.message(session, text, self.now())

    def set_archived(self, session_id: str, *, archived: bool) -> dict[str, Any]:
        """Archive or unarchive; archiving a running session pauses it."""
        session = self.session(session_id)
        self._life.set_archived(session, self.now(), archived=archived)
        return session

    def resume(self, session_id: str) -> bool:
        """Press the web page's resume button; False when the session is not paused."""
        session = self.session(session_id)
        if session["state"] != "PAUSED":
            return False
        self._life.resume(session, self.now())
        return True

    def delete(self, session_id: str) -> None:
        """Delete a session for good."""
        self.session(session_id)
        self._state.delete_session(session_id)

    def source_name(self, repository: str) -> str:
        """Return the source name of `owner/name`, in the spelling the scenario asks for."""
        if self.scenario.deviations.hyphen_source_names:
            return "sources/github-" + repository.replace("/", "-")
        return f"sources/github/{repository}"

    def repository_of(self, source: str) -> str | None:
        """Return the repository a source name stands for, in either spelling, or None."""
        for repository in self.repositories:
            if source in {f"sources/github/{repository}", self.source_name(repository)}:
                return repository
        return None

    def branches(self, repository: str) -> list[str]:
        """Return the repository's branches; none when git cannot read it."""
        try:
            return sorted(self._git.branches(self.repositories[repository]))
        except ForgeError:
            return []

    def _base_commit(self, request: CreateRequest) -> str:
        if not request.source:
            return ""
        repository = self.repository_of(request.source)
        if repository is None:
            raise refusal.invalid()
        try:
            commit = self._git.branches(self.repositories[repository]).get(request.starting_branch)
        except ForgeError:
            raise refusal.precondition() from None
        if commit is None:
            raise refusal.invalid()
        return commit

    def _settle(self) -> None:
        due = True
        while due:
            with self._state.transaction():
                session = self._state.next_due(self.now())
                due = session is not None
                if session is not None:
                    self._life.happen(session)

    def real_seconds(self, seconds: float) -> float:
        """Return how long `seconds` of the scenario take here; nothing while time stands still."""
        return seconds / self._speed if self._speed else 0.0

    def _is_young(self, session: dict[str, Any], seconds: float) -> bool:
        return self.now() < float(session["created"]) + self._scaled(seconds)

    def _late(self, session: dict[str, Any]) -> dict[str, Any]:
        """Return the session with the state that it had some time ago, and that state's word."""
        odd = self.scenario.deviations
        if odd.state_lags_seconds:
            until = self.now() - self._scaled(odd.state_lags_seconds)
            past = [state for at, state in session["states"] if at <= until]
            state = past[-1] if past else session["states"][0][1]
            outputs = session["outputs"] if state == session["state"] else []
            session = {**session, "state": state, "outputs": outputs}
        if odd.unknown_state and session["state"] == "IN_PROGRESS":
            session = {**session, "state": odd.unknown_state}
        return session

    def _scaled(self, seconds: float) -> float:
        return seconds / self._speed if self._speed else seconds
