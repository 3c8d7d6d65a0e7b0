"""Where a person decides on plans while the queue goes on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from jules_job_manager.domain.job import Job
from jules_job_manager.domain.plan import Plan


@dataclass(frozen=True, kw_only=True, slots=True)
class PlanQuestion:
    """A plan for a person to decide on, and why the policy does not."""

    job: Job
    task_id: str
    plan: Plan
    reason: str
    rule: str
    before: Plan | None = None
    """The plan before it, when Jules made another one; None: it is the first."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PlanAnswer:
    """What the person said: `approve`, `decline`, or `skip` (to be decided elsewhere)."""

    question: PlanQuestion
    answer: str


class PlanDesk(Protocol):
    """Where a person decides on plans while the queue goes on."""

    def ask(self, question: PlanQuestion) -> None:
        """Put the question; asking again for the same plan does nothing."""
        ...

    def keep_only(self, fingerprints: Sequence[str]) -> None:
        """Take back questions about plans that are not among these: they have expired."""
        ...

    def take_answers(self) -> Sequence[PlanAnswer]:
        """Return the answers not yet taken, without waiting."""
        ...

    def is_asking(self) -> bool:
        """Whether a question is open."""
        ...

    async def wait_answer(self) -> None:
        """Wait until there is an answer to take."""
        ...
