"""Every backend, talking to a pretend Jules whose time stands still."""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import threading

import httpx2
import pytest
import uvicorn

from jules_job_manager.adapters.backends.rest.backend import open_rest_backend
from jules_job_manager.adapters.backends.simulator.engine import Simulator
from jules_job_manager.adapters.backends.simulator.rest_face import create_app
from jules_job_manager.adapters.backends.simulator.scenario import scenario_from
from jules_job_manager.adapters.system_clock import SystemClock


class ImpatientClock(SystemClock):
    """A clock that notes how long was waited, and does not wait."""

    def __init__(self) -> None:
        self.waits: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        await asyncio.sleep(0)


@contextlib.contextmanager
def served(app):
    """Serve an application on a free loopback port and yield its address."""
    config = uvicorn.Config(
        app, host="127.0.0.1", port=0, log_level="error", lifespan="off", ws="none"
    )
    server = uvicorn.Server(config)
    listener = config.bind_socket()
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(timeout=10)
        listener.close()


@pytest.fixture
def repository(tmp_path):
    """Return a bare repository with one commit on main."""
    seed, bare = tmp_path / "seed", tmp_path / "demo.git"
    person = ["-c", "user.name=T", "-c", "user.email=t@example.com"]
    for command in (
        ["git", "init", "-q", "-b", "main", str(seed)],
        ["git", "-C", str(seed), *person, "commit", "-q", "--allow-empty", "-m", "Begin"],
        ["git", "clone", "-q", "--bare", str(seed), str(bare)],
    ):
        subprocess.run(command, check=True, capture_output=True)
    return bare


@pytest.fixture
def clock():
    return ImpatientClock()


@pytest.fixture
def make_simulator(repository, clock):
    """Return a function that makes a simulator with a scenario (a parsed document)."""
    opened = []

    def make(**scenario):
        simulator = Simulator.open(
            None, scenario=scenario_from(scenario), seed=1, speed=0, repositories={"octo/demo": str(repository)},
            clock=clock,
        )  # fmt: skip
        opened.append(simulator)
        return simulator

    yield make
    for simulator in opened:
        simulator.close()


@pytest.fixture(params=["rest", "simulator"])
async def connect(request, clock):
    """Return a function that connects a backend of each kind to a simulator."""
    async with contextlib.AsyncExitStack() as stack:

        async def to(simulator):
            common = {"api_key": "k", "timeout_seconds": 20, "max_tries": 3, "clock": clock}
            if request.param == "rest":
                address = stack.enter_context(served(create_app(simulator)))
                backend = open_rest_backend(base_url=f"{address}/v1alpha", **common)
            else:
                backend = open_rest_backend(
                    base_url="http://127.0.0.1/v1alpha", name="simulator",
                    transport=httpx2.ASGITransport(app=create_app(simulator)), **common,
                )  # fmt: skip
            stack.push_async_callback(backend.aclose)
            return backend

        yield to
