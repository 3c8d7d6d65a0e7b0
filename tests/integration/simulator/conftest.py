"""A pretend Jules in memory, spoken to in its own wire format."""

from __future__ import annotations

import subprocess

import httpx2
import pytest

from jules_job_manager.adapters.backends.simulator.clock import SimulatedClock
from jules_job_manager.adapters.backends.simulator.engine import Simulator
from jules_job_manager.adapters.backends.simulator.rest_face import in_process_transport
from jules_job_manager.adapters.backends.simulator.scenario import scenario_from

PERSON = ["-c", "user.name=T", "-c", "user.email=t@example.com"]


class Talk:
    """An HTTP client of one simulator; time passes only with `wait`."""

    def __init__(self, simulator, clock) -> None:
        self.simulator, self.clock = simulator, clock
        self.http = httpx2.AsyncClient(
            transport=in_process_transport(simulator), base_url="http://simulator.test/v1alpha",
            headers={"X-Goog-Api-Key": "k"},
        )  # fmt: skip

    def wait(self, seconds: float) -> None:
        """Let time pass, and what is due happen."""
        self.clock.advance(seconds)
        self.simulator.present()

    async def ask(self, method: str, path: str, body: object = None) -> httpx2.Response:
        """Send a request and return the answer, whatever it is."""
        return await self.http.request(method, path, json=body)

    async def get(self, path: str) -> dict:
        """Return what a GET answers, which must be a success."""
        answer = await self.ask("GET", path)
        assert 200 == answer.status_code, answer.text
        return answer.json()

    async def create(self, prompt: str = "x", *, on: str = "octo/demo", **members: object) -> str:
        """Create a session and return its path."""
        answer = await self.ask("POST", "/sessions", body_of(prompt, on=on, **members))
        assert 200 == answer.status_code, answer.text
        return f"/{answer.json()['name']}"

    async def kinds(self, path: str) -> list[str]:
        """Return the kinds of the session's activities, oldest first."""
        known = {"name", "createTime", "originator", "artifacts", "id"}
        return [next(iter(set(a) - known), "") for a in await self.activities(path)]

    async def activities(self, path: str) -> list[dict]:
        return (await self.get(f"{path}/activities")).get("activities", [])


def body_of(prompt: str = "x", *, on: str = "octo/demo", **members: object) -> dict:
    """Return the body of a create; `on` is the repository, empty for none."""
    body: dict[str, object] = {"prompt": prompt, **members}
    if on:
        context = {"source": f"sources/github/{on}"}
        body["sourceContext"] = {**context, "githubRepoContext": {"startingBranch": "main"}}
    return body


def git(repository, *arguments: str) -> str:
    """Run git in the repository and return what it says."""
    command = ["git", "-C", str(repository), *PERSON, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def repository(tmp_path):
    """Return a bare repository with one commit on main."""
    bare = tmp_path / "demo.git"
    subprocess.run(["git", "init", "-q", "--bare", "-b", "main", str(bare)], check=True)
    commit = git(bare, "commit-tree", "-m", "Begin", git(bare, "mktree"))
    git(bare, "update-ref", "refs/heads/main", commit)
    return bare


@pytest.fixture
async def talk(repository, tmp_path):
    """Return a function that opens a simulator with a scenario (a parsed document)."""
    opened = []

    def begin(*, seed: int = 1, state=None, **scenario: object) -> Talk:
        clock = SimulatedClock()
        simulator = Simulator.open(
            state, scenario=scenario_from(scenario), seed=seed, speed=1,
            repositories={"octo/demo": str(repository)}, clock=clock,
        )  # fmt: skip
        opened.append(Talk(simulator, clock))
        return opened[-1]

    yield begin
    for one in opened:
        await one.http.aclose()
        one.simulator.close()
