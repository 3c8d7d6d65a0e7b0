"""A world in which the program can be killed: a pretend Jules, a bare repository, a backlog."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.environment import bare_environment
from tests.warm_program import run_jjm, start_jjm

REPOSITORY = "octo/atlas"
CHAIN = 10
"""A job that is not a multiple of 3 depends on the one so many places before."""
PERSON = {
    f"GIT_{who}_{what}": "t@example.org"
    for who in ("AUTHOR", "COMMITTER")
    for what in ("NAME", "EMAIL")
}
TIMING = {"queued": 0.3, "planning": 0.5, "step": 0.7, "answer": 0.5}
"""Seconds of the pretend Jules."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """One job of the generated backlog."""

    number: int

    @property
    def key(self) -> str:
        return f"Task {self.number}"

    @property
    def word(self) -> str:
        """Stands in the job's title and in no other's."""
        return f"job-{self.number:04}"

    @property
    def needs(self) -> int | None:
        before = self.number - CHAIN
        return before if before >= 1 and self.number % 3 else None

    @property
    def is_rejected_once(self) -> bool:
        return self.number % 7 == 3

    @property
    def asks(self) -> bool:
        return self.number % 7 == 5

    def as_backlog(self) -> str:
        """Return it as a document says it."""
        needs = "None" if self.needs is None else f"Task {self.needs}"
        return (
            f"### {self.key}: Make {self.word}\n**Status**: Ready\n**Dependencies**: {needs}\n\n"
            f"**Prompt**:\n```\nMake it.\n\nFILES TO CREATE:\n- out/{self.word}.txt (NEW)\n```\n"
        )

    def as_scenario(self) -> str:
        """Return what the pretend Jules does with it."""
        lines = ["[[task]]", f'match = "{self.word}"', 'plan = ["Work"]', f'branch = "{self.word}"']
        if self.asks:
            lines.append('question = "Which colour?"')
        names = [f"half/{self.word}.txt"] if self.is_rejected_once else []
        for name in (*names, f"out/{self.word}.txt"):
            lines += ["[[task.rounds]]", f'message = "Add {name}"', "[task.rounds.files]"]
            lines.append(f'"{name}" = "{self.word}"')
        return "\n".join(lines) + "\n"


def git(folder: Path, *words: str) -> str:
    """Run git and return what it printed."""
    done = subprocess.run(
        ["git", *words], cwd=folder, env={"PATH": os.environ["PATH"], **PERSON}, check=True,
        capture_output=True, text=True,
    )  # fmt: skip
    return done.stdout.strip()


def until(what: str, found: Callable[[], Any], *, seconds: float = 60.0) -> Any:
    """Return what `found` finds, asked again and again.

    Raises:
        TimeoutError: it found nothing for so long.
    """
    deadline = time.monotonic() + seconds
    while not (answer := found()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {seconds:g} s for {what}")
        time.sleep(0.05)
    return answer


class World:
    """Everything the program meets, under one folder."""

    def __init__(
        self, folder: Path, *, jobs: int, database: str = "", at_once: int = 20,
        quota: tuple[int, int] = (300, 60), is_counted: bool = False,
    ) -> None:  # fmt: skip
        """Make the repository, the backlog and the scenario.

        Args:
            folder: An empty folder.
            jobs: Entries of the backlog.
            database: Address of a PostgreSQL database; empty: a SQLite file.
            at_once: Most tasks at work at once.
            quota: Tasks in 24 hours and at once, as Jules gives and as the programs are told.
            is_counted: Whether the programs count what they cover; a killed one cannot.
        """
        self._is_counted = is_counted
        self.folder, self.database, self.at_once = folder, database, at_once
        self.per_day, self.at_jules = quota
        self.entries = [Entry(number=number) for number in range(1, jobs + 1)]
        self.origin = folder / "origin.git"
        self.backlog = folder / "backlog.md"
        self.api = ""
        self._programs: list[Program] = []
        git(folder, "init", "-q", "-b", "main", "seed")
        git(folder / "seed", "commit", "-q", "--allow-empty", "-m", "Begin")
        git(folder, "clone", "-q", "--bare", "seed", str(self.origin))
        self.backlog.write_text("# Jobs\n\n" + "\n".join(e.as_backlog() for e in self.entries))
        timing = "".join(f"{name} = {seconds}\n" for name, seconds in TIMING.items())
        limits = f"[quota]\ntasks_per_day = {self.per_day}\nconcurrent = {self.at_jules}\n"
        tasks = "".join(entry.as_scenario() for entry in self.entries)
        (folder / "scenario.toml").write_text(f"[timing]\n{timing}{limits}{tasks}")

    @contextlib.contextmanager
    def jules(self) -> Iterator[None]:
        """Serve the pretend Jules meanwhile; what still runs at the end is killed."""
        words = ["simulator", "serve", "--port", "0", "--speed", "1", "--state", "world.db",
                 "--scenario", "scenario.toml", "--repo", f"{REPOSITORY}={self.origin}"]  # fmt: skip
        with (self.folder / "jules.log").open("w") as errors:
            served = start_jjm(
                words, cwd=self.folder, env=self._environment("jules"), stdout=subprocess.PIPE,
                stderr=errors, text=True,
            )  # fmt: skip
        try:
            assert served.stdout is not None
            self.api = served.stdout.readline().strip()
            yield
        finally:
            for program in self._programs:
                program.kill()
            served.kill()
            served.communicate()

    def _environment(self, home: str) -> dict[str, str]:
        store = {} if not self.database else {
            "JJM_STORAGE__BACKEND": "postgresql", "DATABASE_URL": self.database
        }  # fmt: skip
        return bare_environment(
            is_counted=self._is_counted, JJM_HOME=str(self.folder / home), JJM_BACKEND="rest", JULES_API_KEY="any",
            JJM_REVIEW__SANDBOX="host",
            JULES_API_URL=self.api, JJM_JULES__TASKS_PER_DAY=str(self.per_day),
            JJM_JULES__TASKS_AT_ONCE=str(self.at_jules), JJM_QUEUE__ANSWER="Blue.",
            JJM_QUEUE__APPROVE="policy", JJM_QUEUE__CONCURRENCY=str(self.at_once), TMPDIR=str(self._scratch()),
            **store,
        )  # fmt: skip

    def _scratch(self) -> Path:
        path = self.folder / "tmp"
        path.mkdir(exist_ok=True)
        return path

    def run(self, *words: str, home: str = "home") -> str:
        """Run a command to its end and return what it printed."""
        done = run_jjm(words, env=self._environment(home), cwd=self.folder, seconds=600)
        if done.returncode:
            raise AssertionError(f"jjm {' '.join(words)}: {done.stdout[-2000:]}{done.stderr}")
        return done.stdout

    def import_backlog(self) -> None:
        """Read the backlog into the queue."""
        self.run("queue", "import", str(self.backlog), "--repo", REPOSITORY)

    def start(self, *words: str, home: str = "home", check: str = "test -d out") -> Program:
        """Start `jjm queue run` or `jjm worker` in the background, in a process group of its own."""
        log = self.folder / f"run-{len(self._programs) + 1:04}.log"
        with log.open("w") as output:
            process = start_jjm(
                [*words, "--interval", "0.2", "--json", "--check", check, "--remote", f"{REPOSITORY}={self.origin}"],
                cwd=self.folder, env=self._environment(home), stdin=subprocess.DEVNULL,
                stdout=output, stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip
        self._programs.append(Program(process=process, log=log))
        return self._programs[-1]

    def stats(self) -> dict[str, Any]:
        """Return the counters of the pretend Jules."""
        return dict(self._get(self.api.removesuffix("/v1alpha") + "/stats"))

    def sessions(self) -> list[dict[str, Any]]:
        """Return every session, the archived too."""
        wanted = "filter=archived%3Dtrue%20OR%20archived%3Dfalse&pageSize=100"
        return self._pages(f"{self.api}/sessions?{wanted}", "sessions")

    def activities(self, session: dict[str, Any]) -> list[dict[str, Any]]:
        """Return a session's activities, oldest first."""
        return self._pages(f"{self.api}/{session['name']}/activities?pageSize=100", "activities")

    def _pages(self, address: str, member: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        token = ""
        while True:
            page = self._get(f"{address}&pageToken={token}" if token else address)
            found += page.get(member, [])
            token = page.get("nextPageToken", "")
            if not token:
                return found

    def _get(self, address: str) -> Any:
        request = urllib.request.Request(address, headers={"X-Goog-Api-Key": "any"})
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)


@dataclass(frozen=True, kw_only=True)
class Program:
    """A started `jjm`."""

    process: subprocess.Popen[bytes]
    log: Path

    @property
    def text(self) -> str:
        """What it has printed so far."""
        return self.log.read_text("utf-8")

    @property
    def runs(self) -> bool:
        """Whether it has not ended."""
        return self.process.poll() is None

    def send(self, number: signal.Signals) -> None:
        """Send a signal to it."""
        self.process.send_signal(number)

    def press_ctrl_c(self) -> None:
        """Send SIGINT to it and to all it started, as a terminal does."""
        os.killpg(self.process.pid, signal.SIGINT)

    def kill(self) -> None:
        """End it as `kill -9` does."""
        self.process.kill()
        self.process.wait()

    def wait(self, seconds: float = 60.0) -> int:
        """Return its exit code once it has ended."""
        return self.process.wait(timeout=seconds)
