"""A repository with canaries around it, for deliveries that are judged for real."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import uuid
from dataclasses import dataclass
from pathlib import Path

from jules_job_manager.adapters.checks.sandboxed import SandboxOptions
from jules_job_manager.adapters.sandboxes.bubblewrap import BubblewrapSandbox
from jules_job_manager.domain.artifact import ChangeSet
from jules_job_manager.domain.job import Job
from jules_job_manager.domain.review import Review
from jules_job_manager.errors import ForgeError
from jules_job_manager.ports.sandbox import MIB, Limits
from tests.review_corpus.running import BASE, Running
from tests.review_lab import REPOSITORY, Lab

LIMITS = Limits(
    memory_bytes=512 * MIB, processes=64, output_bytes=4 * MIB, file_bytes=64 * MIB, cpu_seconds=60
)


@dataclass
class Judged:
    """What came of a delivery."""

    review: Review | None
    """None: it did not even become a commit."""
    reached: list[str]
    """What it reached that it must not."""

    @property
    def is_refused(self) -> bool:
        return self.review is None or self.review.verdict.value != "accept"


class World:
    """A repository, and canaries around it."""

    def __init__(self, folder: Path, listener: socket.socket) -> None:
        self.token = f"jjm-canary-{uuid.uuid4().hex}"
        self.outside = folder / "outside"
        self.outside.mkdir(parents=True)
        self.secret = folder / "home" / ".secret"
        self.secret.parent.mkdir()
        self.secret.write_text(self.token)
        self.listener = listener
        sandbox = BubblewrapSandbox(path="/usr/bin:/bin", home=self.secret.parent)
        self.lab = Lab(folder=folder, sandbox=sandbox, options=SandboxOptions(limits=LIMITS))
        self.base = self.lab.commit("main", BASE)

    async def judge(self, delivery: Running) -> Judged:
        """Deliver it, review it, and look at the canaries."""
        os.environ["JJM_TEST_CANARY"] = self.token
        try:
            review = await self._review(delivery)
        except ForgeError:
            review = None
        finally:
            del os.environ["JJM_TEST_CANARY"]
        return Judged(review, self._reached(review))

    async def _review(self, delivery: Running) -> Review:
        places = {
            "secret": str(self.secret), "outside": str(self.outside), "token": self.token,
            "port": self.listener.getsockname()[1],
        }  # fmt: skip

        def placed(text):
            if not isinstance(text, str):
                return text
            for name, value in places.items():
                text = text.replace(f"{{{name}!r}}", repr(value)).replace(f"{{{name}}}", str(value))
            return text

        job = Job(key="J", title="Work")
        if delivery.patch:
            forge = self.lab.forge
            await forge.fetch(REPOSITORY)
            change = ChangeSet(base_commit_id=self.base, unidiff_patch=placed(delivery.patch))
            commit = (await forge.deliver_patch(REPOSITORY, change, "x")).commit
            return await self.lab.review("", commit, job)
        blob = ""
        if any("{blob}" in word for words in delivery.git for word in words):
            done = subprocess.run(
                ["git", "hash-object", "-w", "--stdin"], cwd=self.lab.work, check=True,
                input=str(self.secret).encode(), capture_output=True,
            )  # fmt: skip
            blob = done.stdout.decode().strip()
        run = [
            [word.replace("{blob}", blob).replace("{main}", self.base) for word in words]
            for words in delivery.git
        ]
        files = {name: placed(text) for name, text in delivery.files.items()}
        commit = self.lab.commit("work", files, run=run)
        return await self.lab.review("work", commit, job)

    def _reached(self, review: Review | None) -> list[str]:
        found = [f"wrote {p.name}" for p in self.outside.iterdir()]
        if review is not None and self.token in json.dumps(review.to_dict()):
            found.append("read the canary")
        self.listener.settimeout(0)
        try:
            self.listener.accept()
            found.append("connected")
        except BlockingIOError:
            pass
        for place in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                if self.token in place.read_text() and "-c" in place.read_text():
                    found.append("left a process")
            except OSError:
                continue
        hooks = self.lab.folder.glob("mirrors/**/hooks/pre-push")
        found += [f"left a hook {hook}" for hook in hooks]
        return found
