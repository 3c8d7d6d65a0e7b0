"""Runs `jjm` as a user does: as a process, in a home of its own, or through a service.

Tests with the mark `both_ways` run twice: once with the store at hand, once with `--server` in a
home that has none. What they say of the output holds for both. Keywords of the mark are environment
variables of both, and of the service.
"""

from __future__ import annotations

import contextlib

import pytest
from tests.environment import bare_environment
from tests.service_thread import running_service
from tests.warm_program import run_jjm

AT_HOME = frozenset(
    {"config", "doctor", "demo", "storage", "simulator", "completion", "notify", "worker", "serve",
     "queue run", "queue clean", "review init"}
)  # fmt: skip
"""Commands for the machine that has the store: they are run there, beside the service."""


def pytest_generate_tests(metafunc):
    """Let a test with the mark run both ways."""
    if metafunc.definition.get_closest_marker("both_ways") and "jjm" in metafunc.fixturenames:
        metafunc.parametrize("jjm", ["here", "service"], indirect=True)


@pytest.fixture
def jjm(request, tmp_path):
    """Return a function that runs a command line and returns the finished process."""
    way = getattr(request, "param", "here")
    home = {
        "JJM_HOME": str(tmp_path / "home"), "JJM_BACKEND": "simulator",
        "JJM_SIMULATOR__SPEED": "2000", "JJM_REVIEW__SANDBOX": "host",
    }  # fmt: skip
    mark = request.node.get_closest_marker("both_ways")
    home |= {} if mark is None else mark.kwargs
    service = {}

    def run(*words: str, expect: int = 0, stdin: str = "", **environ: str):
        is_remote = service and AT_HOME.isdisjoint({words[0], " ".join(words[:2])})
        env = bare_environment(**{**home, **(service if is_remote else {}), **environ})
        done = run_jjm(words, env=env, cwd=tmp_path, stdin=stdin)
        assert expect == done.returncode, done.stdout + done.stderr
        return done

    with contextlib.ExitStack() as stack:
        if way == "service":
            there = stack.enter_context(running_service(bare_environment(**home)))
            service = {
                "JJM_SERVER": there.address, "JJM_SERVER_KEY": there.key, "JJM_BACKEND": "",
                "JJM_HOME": str(tmp_path / "elsewhere"),
            }  # fmt: skip
        yield run
