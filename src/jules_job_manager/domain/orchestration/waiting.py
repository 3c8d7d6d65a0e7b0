"""Which waiting jobs start now, and why the others do not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from jules_job_manager.domain.clockwork import in_zone
from jules_job_manager.domain.graph import statuses_for_dependents
from jules_job_manager.domain.job import Attempt, AttemptState, Job, JobStatus
from jules_job_manager.domain.orchestration.actions import Action, Dispatch
from jules_job_manager.domain.orchestration.policy import Policy
from jules_job_manager.domain.orchestration.snapshot import Snapshot
from jules_job_manager.domain.orchestration.statuses import status
from jules_job_manager.domain.overlap import BusyFiles
from jules_job_manager.domain.queue_order import effective_rank, in_order
from jules_job_manager.domain.quota import FAR, HIGH_RANK, UNLIMITED, AccountUse
from jules_job_manager.domain.task import JulesTask, TaskStatus

ENDED = frozenset({TaskStatus.COMPLETED, TaskStatus.FAILED, TaskStatus.CANCELLED})
WAITING = frozenset({JobStatus.BLOCKED, JobStatus.READY})


_ODD = {
    JobStatus.FAILED: "failed",
    JobStatus.CANCELLED: "was cancelled",
    JobStatus.DRAFT: "is a draft",
}


class WaitKind(StrEnum):
    """What a waiting job waits for."""

    PERSON = "person"
    DEPENDENCY = "dependency"
    PROMPT = "prompt"
    SCHEDULE = "schedule"
    FILES = "files"
    SLOT = "slot"
    QUOTA = "quota"


NEXT_SLOT = "; next slot "
"""Stands in the reason of the first job of those that wait for the quota, before a time."""
_WAITS_WHEN_READY = frozenset({WaitKind.FILES, WaitKind.SLOT, WaitKind.QUOTA})


@dataclass(frozen=True, kw_only=True, slots=True)
class Wait:
    """Why a job does not start now. `until` is when that ends by itself, where it is known."""

    kind: WaitKind
    reason: str
    until: datetime | None = None

    @property
    def blocks(self) -> bool:
        """Whether the job is not even ready."""
        return self.kind not in _WAITS_WHEN_READY


class WaitingLine:
    """Goes through the waiting jobs in order, and gives out what room there is."""

    def __init__(self, snapshot: Snapshot, now: datetime, policy: Policy) -> None:
        """Count what is at work already."""
        self._snapshot, self._now, self._policy = snapshot, now, policy
        self.statuses = statuses_for_dependents(snapshot.jobs)
        self._done = {key for key, value in self.statuses.items() if value is JobStatus.DONE}
        self.jobs = by_key = {job.key: job for job in snapshot.jobs}
        """Every job, by key."""
        self._lanes = _lanes(snapshot.attempts, by_key)
        self._uses = {
            name: _counted(use, snapshot, by_key) for name, use in snapshot.accounts.items()
        }
        used = slots_used(snapshot, by_key)
        self._room = max(0, policy.concurrency - used) if policy.concurrency else UNLIMITED
        self._busy = BusyFiles()
        for attempt in snapshot.attempts:
            if attempt.state.is_live and attempt.job_key in by_key:
                known = snapshot.changed_files.get(attempt.mark, ())
                self._busy.add(by_key[attempt.job_key], known)
        self._told_slot = False
        self._waits_for_room: dict[bool, Wait | None] = {}
        """By whether the job may use the reserve: what is known until a slot is given out."""

    def candidates(self) -> list[Job]:
        """Return the jobs that may get an attempt, in order."""
        return in_order(
            (job for job in self._snapshot.jobs if self.missing_lanes(job)),
            self._now, self._policy.ageing,
        )  # fmt: skip

    def missing_lanes(self, job: Job) -> tuple[int, ...]:
        """Return the lanes of the job in which an attempt is to be begun."""
        lanes = self._lanes.get(job.key)
        if job.best_of < 2:
            busy = lanes is not None and any(a.state.is_live for a in lanes.values())
            return () if busy or job.status not in WAITING else (0,)
        if job.status not in WAITING and (job.status.is_final or not lanes):
            return ()
        return tuple(n for n in range(job.best_of) if _may_begin(job, (lanes or {}).get(n)))

    def wait(self, job: Job) -> Wait | None:
        """Return why the job gets no attempt now, or None when it may have one."""
        return self._wait_for_others(job) or self._wait_for_room(job)

    def begin(self, job: Job, lane: int) -> Dispatch | None:
        """Give the job a slot for one attempt in `lane`; None when there is no room left."""
        name = self._account_for(job)
        if name is None or self._room <= 0:
            return None
        self._room -= 1
        self._waits_for_room.clear()
        self._uses[name] = self._uses[name].with_one_more(self._now)
        self._busy.add(job)
        last = self._lanes.get(job.key, {}).get(lane)
        replaced = last is not None and last.state is AttemptState.REPLACED
        numbers = [a.number for a in self._attempts_of(job)]
        return Dispatch(
            job_key=job.key, rule="dependencies are done", account=name, lane=lane,
            number=1 + max(numbers, default=0) + self._begun_before(job, lane),
            start_branch=self._start_branch(job),
            carry=last.mark if last is not None and replaced else "",
        )  # fmt: skip

    def slot_text(self, wait: Wait) -> str:
        """Return the reason with the time of the next slot, told once: to the first in the line."""
        if wait.kind is not WaitKind.QUOTA or wait.until is None or self._told_slot:
            return wait.reason
        self._told_slot = True
        return f"{wait.reason}{NEXT_SLOT}{_at(wait.until, self._now, self._policy)}"

    def _attempts_of(self, job: Job) -> list[Attempt]:
        return self._by_job.get(job.key, []) if self._by_job is not None else self._index(job)

    _by_job: dict[str, list[Attempt]] | None = None

    def _index(self, job: Job) -> list[Attempt]:
        self._by_job = {}
        for attempt in self._snapshot.attempts:
            self._by_job.setdefault(attempt.job_key, []).append(attempt)
        return self._by_job.get(job.key, [])

    def _begun_before(self, job: Job, lane: int) -> int:
        return sum(1 for other in self.missing_lanes(job) if other < lane)

    def _wait_for_others(self, job: Job) -> Wait | None:
        if self._snapshot.paused:
            return Wait(
                kind=WaitKind.PERSON, reason=f"the queue is paused: {self._snapshot.paused}"
            )
        if job.held:
            return Wait(kind=WaitKind.PERSON, reason=f"held: {job.held}")
        waits = self._wait_for_jobs(job)
        if waits is not None:
            return waits
        if not job.prompt.strip():
            return Wait(kind=WaitKind.PROMPT, reason="has no prompt")
        if job.not_before is not None and self._now < job.not_before:
            at = _at(job.not_before, self._now, self._policy)
            return Wait(kind=WaitKind.SCHEDULE, reason=f"starts {at}", until=job.not_before)
        return self._wait_for_files(job)

    def _wait_for_jobs(self, job: Job) -> Wait | None:
        open_keys = [key for key in job.depends_on if key not in self._done]
        if self._policy.dependents == "stacked":
            # One branch can be started from, not two.
            stacked = next((k for k in open_keys if k in self._snapshot.branches), None)
            open_keys = [key for key in open_keys if key != stacked]
        if open_keys:
            reason = f"waits for {listed(open_keys, self.statuses)}"
            return Wait(kind=WaitKind.DEPENDENCY, reason=reason)
        away = self._snapshot.unlanded.get(job.key)
        if away:
            branch = job.base_branch or "its base branch"
            reason = f"waits until {branch} holds the merge of {' and '.join(away)}"
            return Wait(kind=WaitKind.DEPENDENCY, reason=reason)
        return None

    def _wait_for_files(self, job: Job) -> Wait | None:
        if self._policy.overlap == "allow" or job.shares_files:
            return None
        shared = self._busy.conflict(job)
        if shared is None:
            return None
        return Wait(
            kind=WaitKind.FILES, reason=f"waits for {shared[1]}, which also touches {shared[0]}"
        )

    def _wait_for_room(self, job: Job) -> Wait | None:
        high = effective_rank(job, self._now, self._policy.ageing) <= HIGH_RANK
        if high not in self._waits_for_room:
            self._waits_for_room[high] = self._room_now(job)
        return self._waits_for_room[high]

    def _room_now(self, job: Job) -> Wait | None:
        if self._room <= 0:
            return Wait(kind=WaitKind.SLOT, reason="waits for a free slot")
        if self._account_for(job) is not None:
            return None
        rank = effective_rank(job, self._now, self._policy.ageing)
        slots = [
            use.next_day_slot(self._now, rank=rank, reserve=self._policy.reserve)
            for use in self._uses.values()
        ]
        if not slots or any(slot is None for slot in slots):
            return Wait(kind=WaitKind.SLOT, reason="waits for a free slot")
        until = min(slot for slot in slots if slot is not None)
        return Wait(
            kind=WaitKind.QUOTA, reason="waits for Jules' quota",
            until=None if until == FAR else until,
        )  # fmt: skip

    def _account_for(self, job: Job) -> str | None:
        """Return the account with the most room of its day left, or None."""
        rank = effective_rank(job, self._now, self._policy.ageing)
        rooms = {
            name: use.room(self._now, rank=rank, reserve=self._policy.reserve)
            for name, use in self._uses.items()
        }
        best = max(rooms, key=lambda name: rooms[name], default=None)
        return best if best is not None and rooms[best] > 0 else None

    def _start_branch(self, job: Job) -> str:
        for key in job.depends_on:
            if key not in self._done:
                return self._snapshot.branches.get(key, "")
        return ""


def waiting_actions(line: WaitingLine) -> list[Action]:
    """Return the attempts to begin, and where the jobs that wait stand."""
    actions: list[Action] = []
    for job in line.candidates():
        wait = line.wait(job)
        if wait is None:
            begun = [line.begin(job, lane) for lane in line.missing_lanes(job)]
            actions += [action for action in begun if action is not None]
        elif job.status in WAITING:
            value = JobStatus.BLOCKED if wait.blocks else JobStatus.READY
            reason = line.slot_text(wait)
            if job.status is not value or job.reason != reason:
                actions.append(status(job, value, reason, wait.kind))
    return actions


def explain(snapshot: Snapshot, job: Job, now: datetime, policy: Policy) -> tuple[Wait | None, int]:
    """Return why a waiting job does not start now, and how many would start before it.

    Those before it are given the room there is, as `waiting_actions` does.
    """
    line = WaitingLine(snapshot, now, policy)
    ahead = 0
    for other in line.candidates():
        if other.key == job.key:
            return line.wait(job), ahead
        if line.wait(other) is None:
            for lane in line.missing_lanes(other):
                line.begin(other, lane)
            ahead += 1
        elif not line.wait(other).blocks:  # type: ignore[union-attr]
            ahead += 1
    return None, ahead


def waiting_reason(job: Job, statuses: Mapping[str, JobStatus]) -> str:
    """Return what the job waits for, in words, or an empty text when nothing holds it back."""
    open_keys = [key for key in job.depends_on if statuses.get(key) is not JobStatus.DONE]
    return "" if not open_keys else f"waits for {listed(open_keys, statuses)}"


def listed(keys: Sequence[str], statuses: Mapping[str, JobStatus]) -> str:
    """Return the keys in words, with what is odd about each."""
    texts = []
    for key in keys if len(keys) < 2 else dict.fromkeys(keys):
        value = statuses.get(key)
        note = "is not in the queue" if value is None else _ODD.get(value)
        texts.append(key if note is None else f"{key}, which {note}")
    return " and ".join(texts)


def slots_used(snapshot: Snapshot, by_key: Mapping[str, Job] | None = None) -> int:
    """Return how many of the slots at Jules are taken by live attempts.

    A task that waits for a person still runs at Jules. One that ended there takes a slot only
    while it may be sent back without anyone's help. `by_key` spares making the index of the jobs.
    """
    if by_key is None:
        by_key = {job.key: job for job in snapshot.jobs}
    return sum(
        takes_slot(by_key[attempt.job_key], _task_of(snapshot, attempt))
        for attempt in snapshot.attempts
        if attempt.state.is_live and attempt.job_key in by_key
    )


def takes_slot(job: Job, task: JulesTask | None) -> bool:
    """Whether a live attempt of the job takes a slot."""
    return task is None or task.status not in ENDED or job.status is not JobStatus.NEEDS_YOU


def _task_of(snapshot: Snapshot, attempt: Attempt) -> JulesTask | None:
    return snapshot.tasks.get(attempt.task_id) if attempt.task_id else None


def _counted(use: AccountUse, snapshot: Snapshot, by_key: Mapping[str, Job]) -> AccountUse:
    """Return the use with attempts counted that Jules does not (yet) show at work."""
    unseen = 0
    for attempt in snapshot.attempts:
        if not attempt.state.is_live or attempt.account != use.name:
            continue
        job, task = by_key.get(attempt.job_key), _task_of(snapshot, attempt)
        if job is not None and (task is None or task.status in ENDED) and takes_slot(job, task):
            unseen += 1
    return use if not unseen else _with_work(use, unseen)


def _with_work(use: AccountUse, more: int) -> AccountUse:
    return AccountUse(
        name=use.name, limits=use.limits, starts=use.starts, at_work=use.at_work + more,
        refused_until=use.refused_until,
    )  # fmt: skip


def _lanes(attempts: Iterable[Attempt], by_key: Mapping[str, Job]) -> dict[str, dict[int, Attempt]]:
    """Return the latest attempt of each lane in each job's present occurrence."""
    found: dict[str, dict[int, Attempt]] = {}
    for attempt in sorted(attempts, key=lambda a: a.number):
        job = by_key.get(attempt.job_key)
        if job is not None and (attempt.occurrence == job.occurrence or attempt.state.is_live):
            found.setdefault(attempt.job_key, {})[attempt.lane] = attempt
    return found


def _may_begin(job: Job, last: Attempt | None) -> bool:
    if last is None:
        return True
    if job.best_of < 2:
        return not last.state.is_live
    return last.state in {AttemptState.FAILED, AttemptState.REPLACED} or (
        job.status in WAITING and not last.state.is_live
    )


def _at(moment: datetime, now: datetime, policy: Policy) -> str:
    there, here = in_zone(moment, policy.zone), in_zone(now, policy.zone)
    same_day = there.date() == here.date()
    return there.strftime("%H:%M" if same_day else "%Y-%m-%d %H:%M")
