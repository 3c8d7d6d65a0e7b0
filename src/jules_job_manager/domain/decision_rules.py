"""A person's own rules: which plan is approved, which delivery merged, which question answered how."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from posixpath import normpath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jules_job_manager.domain.job import Job
    from jules_job_manager.domain.plan import Plan
    from jules_job_manager.domain.review import Review


@dataclass(frozen=True, kw_only=True, slots=True)
class PlanRule:
    """What is done with a plan that all the given conditions fit. The first rule that fits counts."""

    name: str
    decision: str
    """`approve`, or `ask`: a person must see it."""
    max_steps: int | None = None
    """Fits plans of at most so many steps."""
    words: tuple[str, ...] = ()
    """Fits when the plan has one of these, whatever their case."""
    paths: tuple[str, ...] = ()
    """Patterns (`docs/*`, `*.md`); fits when the job declares files and every one matches."""
    priorities: tuple[str, ...] = ()
    jobs: tuple[str, ...] = ()
    """Patterns of job keys."""

    def fits(self, plan: Plan, job: Job) -> bool:
        """Whether every condition that is given holds."""
        text = plan_text(plan)
        return (
            (self.max_steps is None or len(plan.steps) <= self.max_steps)
            and (not self.words or any(word.casefold() in text for word in self.words))
            and (not self.paths or _all_match([normpath(f.path) for f in job.files], self.paths))
            and (not self.priorities or job.priority.value in self.priorities)
            and (not self.jobs or _all_match([job.key], self.jobs))
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class MergeRule:
    """What is done with an accepted delivery that all the given conditions fit. The first one counts."""

    name: str
    decision: str
    """`merge`, or `ask`: a person must say so."""
    max_files: int | None = None
    """Fits deliveries that change at most so many files."""
    max_lines: int | None = None
    """Added and removed."""
    paths: tuple[str, ...] = ()
    """Patterns (`docs/*`, `*.md`); fits when every changed file matches one."""
    any_paths: tuple[str, ...] = ()
    """Patterns; fits when some changed file matches one."""
    priorities: tuple[str, ...] = ()
    jobs: tuple[str, ...] = ()
    """Patterns of job keys."""

    def fits(self, review: Review, job: Job) -> bool:
        """Whether every condition that is given holds. Of more files than are kept, `paths` never does."""
        paths = list(review.changed_paths)
        whole = len(paths) == review.changed_files
        return (
            (self.max_files is None or review.changed_files <= self.max_files)
            and (self.max_lines is None or review.changed_lines <= self.max_lines)
            and (not self.paths or (whole and _all_match(paths, self.paths)))
            and (not self.any_paths or not whole or _any_match(paths, self.any_paths))
            and (not self.priorities or job.priority.value in self.priorities)
            and (not self.jobs or _all_match([job.key], self.jobs))
        )


def _any_match(texts: list[str], patterns: tuple[str, ...]) -> bool:
    return any(fnmatchcase(t, p) for t in texts for p in patterns)


def _all_match(texts: list[str], patterns: tuple[str, ...]) -> bool:
    return bool(texts) and all(any(fnmatchcase(t, p) for p in patterns) for t in texts)


def plan_text(plan: Plan) -> str:
    """Return the words of the plan, case folded."""
    return "\n".join(f"{step.title}\n{step.description}" for step in plan.steps).casefold()


@dataclass(frozen=True, kw_only=True, slots=True)
class AnswerRule:
    """How a question of Jules that has one of `words` (none: any question) is answered."""

    name: str
    words: tuple[str, ...] = ()
    text: str = ""
    command: str = ""
    """A program that gets the question as JSON and prints the answer; used when `text` is empty."""

    def fits(self, question: str) -> bool:
        """Whether the rule answers this question."""
        folded = question.casefold()
        return not self.words or any(word.casefold() in folded for word in self.words)
