"""Every backend, talking to a pretend Jules whose time stands still."""

from __future__ import annotations

import contextlib
import subprocess
import sys

import pytest
import tomlkit
from tests.clocks import ImpatientClock
from tests.environment import bare_environment
from tests.served_app import served

from jules_job_manager.adapters.backends.mcp.backend import open_mcp_backend
from jules_job_manager.adapters.backends.rest.backend import open_rest_backend
from jules_job_manager.adapters.backends.simulator.engine import Simulator
from jules_job_manager.adapters.backends.simulator.rest_face import create_app, in_process_transport
from jules_job_manager.adapters.backends.simulator.scenario import scenario_from
from jules_job_manager.adapters.backends.watched import WatchedBackend
from jules_job_manager.adapters.metrics.prometheus import PrometheusMeter
from jules_job_manager.services.backend_health import BackendHealth
from jules_job_manager.services.metering import CallMeter


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
def worlds():
    """Return where each simulator keeps its world, and its scenario: other processes join in."""
    return {}


@pytest.fixture
def make_simulator(repository, clock, tmp_path, worlds):
    """Return a function that makes a simulator with a scenario (a parsed document)."""
    opened = []

    def make(**scenario):
        state = tmp_path / f"world-{len(opened)}.db"
        script = tmp_path / f"scenario-{len(opened)}.toml"
        script.write_text(tomlkit.dumps(scenario))
        simulator = Simulator.open(
            state, scenario=scenario_from(scenario), seed=1, speed=0,
            repositories={"octo/demo": str(repository)}, clock=clock,
        )  # fmt: skip
        opened.append(simulator)
        worlds[simulator] = (state, script)
        return simulator

    yield make
    for simulator in opened:
        simulator.close()


@pytest.fixture
def meter():
    return PrometheusMeter()


@pytest.fixture
def watchers(meter, clock):
    """Return what watches the calls of the kind `watched`."""
    return [CallMeter(meter=meter, clock=clock), BackendHealth(clock=clock)]


@pytest.fixture
async def connect_as(clock, worlds, repository, tmp_path, watchers):
    """Return a function that connects a backend of the kind named to a simulator."""
    async with contextlib.AsyncExitStack() as stack:

        def over_http(simulator):
            address = stack.enter_context(served(create_app(simulator)))
            return open_rest_backend(base_url=f"{address}/v1alpha", **common)

        def in_process(simulator):
            return open_rest_backend(
                base_url="http://127.0.0.1/v1alpha", name="simulator",
                transport=in_process_transport(simulator), **common,
            )  # fmt: skip

        def over_mcp(simulator):
            state, script = worlds[simulator]
            home = {"JULES_DATA_PATH": str(tmp_path / "data.json"), "JJM_HOME": str(tmp_path)}
            return open_mcp_backend(
                command=[
                    sys.executable, "-m", "jules_job_manager", "simulator", "mcp", "--speed", "0",
                    "--state", str(state), "--scenario", str(script),
                    "--repo", f"octo/demo={repository}",
                ],
                environment=bare_environment(**home), call_timeout_seconds=20,
                create_timeout_seconds=20, start_timeout_seconds=20, stderr_log=None, clock=clock,
            )  # fmt: skip

        common = {"api_key": "k", "timeout_seconds": 20, "max_tries": 3, "clock": clock}

        def watched(simulator):
            return WatchedBackend(in_process(simulator), account="default", watchers=watchers)

        kinds = {"rest": over_http, "simulator": in_process, "mcp": over_mcp, "watched": watched}

        async def to(kind, simulator):
            backend = kinds[kind](simulator)
            stack.push_async_callback(backend.aclose)
            return backend

        yield to


@pytest.fixture(params=["rest", "simulator", "mcp", "watched"])
def connect(request, connect_as):
    """Return a function that connects a backend of each kind to a simulator."""
    return lambda simulator: connect_as(request.param, simulator)


@pytest.fixture(params=["rest", "simulator", "watched"])
def connect_rest(request, connect_as):
    """Return a function that connects the backends that speak the REST API."""
    return lambda simulator: connect_as(request.param, simulator)
