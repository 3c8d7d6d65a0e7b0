"""A repository whose deliveries are reviewed for real: git, the rules and the checks."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from jules_job_manager.adapters.checks.sandboxed import SandboxCheckRunner, SandboxOptions
from jules_job_manager.adapters.checks.test_reports import FileReportReader
from jules_job_manager.adapters.forges.local import LocalGitForge
from jules_job_manager.adapters.system_clock import SystemClock
from jules_job_manager.domain.job import Attempt, Job
from jules_job_manager.domain.review import CheckResult, Delivery, Review
from jules_job_manager.domain.review_plan import ReviewPlan
from jules_job_manager.ports.sandbox import Sandbox
from jules_job_manager.services.check_suite import CheckSuite
from jules_job_manager.services.review import Reviewer

REPOSITORY = "octo/lab"
PERSON = {f"GIT_{w}_{k}": "t@example.org" for w in ("AUTHOR", "COMMITTER") for k in ("NAME", "EMAIL")}  # fmt: skip


@dataclass(kw_only=True)
class Lab:
    """One repository with a branch `main`, and what reviews deliveries to it."""

    folder: Path
    sandbox: Sandbox
    plan: ReviewPlan = field(default_factory=ReviewPlan)
    options: SandboxOptions = field(default_factory=SandboxOptions)
    at_once: int = 2

    def __post_init__(self) -> None:
        """Make the repository."""
        self.work = self.folder / "work"
        self.work.mkdir(parents=True)
        self.git("init", "-q", "-b", "main")
        self.forge = LocalGitForge(
            cache=self.folder / "mirrors", remotes={REPOSITORY: str(self.work)}
        )
        self.seen: list[CheckResult] = []

    def git(self, *words: str) -> str:
        """Run git in the repository."""
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.folder), **PERSON}
        done = subprocess.run(
            ["git", *words], cwd=self.work, check=True, env=environment, capture_output=True
        )
        return done.stdout.decode().strip()

    def commit(
        self, branch: str, files: Mapping[str, str | bytes | None], *, run: Sequence[Sequence[str]] = ()
    ) -> str:  # fmt: skip
        """Put files (None: delete) and whatever git commands do on a branch from main."""
        if branch != "main":
            self.git("checkout", "-q", "-B", branch, "main")
        for name, content in files.items():
            place = self.work / name
            place.parent.mkdir(parents=True, exist_ok=True)
            if content is None:
                place.unlink()
            else:
                place.write_bytes(content.encode() if isinstance(content, str) else content)
        self.git("add", "-A")
        for words in run:
            self.git(*words)
        self.git("commit", "-q", "--allow-empty", "-m", f"On {branch}")
        return self.git("rev-parse", "HEAD")

    def reviewer(self) -> Reviewer:
        """Return what judges."""
        suite = CheckSuite(
            forge=self.forge, runner=SandboxCheckRunner(self.sandbox, self.options),
            reports=FileReportReader(), at_once=self.at_once,
        )  # fmt: skip
        return Reviewer(
            forge=self.forge, suite=suite, store=None, clock=SystemClock(), plan=self.plan  # type: ignore[arg-type]
        )  # fmt: skip

    async def review(self, branch: str, commit: str, job: Job | None = None) -> Review:
        """Review a commit as what a job delivered."""
        job = job or Job(key=branch)
        job = Job.from_dict(job.to_dict() | {"repository": REPOSITORY, "base_branch": "main"})
        attempt = Attempt(mark="m", job_key=job.key, number=1)
        delivery = Delivery(commit=commit, branch=branch)
        return await self.reviewer().review(job, attempt, delivery, self.seen.append)
