"""`jjm queue run` on a real (pseudo) terminal: the board, the keys, Ctrl-C; and without one.

What is true of the board is true here and through a service.
"""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time

import pytest
from tests.environment import bare_environment
from tests.service_thread import running_service
from tests.waiting import until
from tests.warm_program import start_jjm

from jules_job_manager.domain.event import EventType

pytestmark = [pytest.mark.integration, pytest.mark.slow]
BACKLOG = "### Task 1: First\n**Status**: Ready\n**Prompt**: Add a greeting\n"
SCENARIO = """
[timing]
queued = 1
planning = 1
step = 1
[[task]]
match = "Task 1"
plan = ["Greet \\u001b[2J them"]
[[task.rounds]]
message = "Greet"
[task.rounds.files]
"hello.txt" = "hello"
"""
HIDE, SHOW = "\x1b[?25l", "\x1b[?25h"


class Terminal:
    """A program on a pseudo terminal of 80 columns and 24 lines."""

    def __init__(self, words, folder, **environ):
        self.ours, theirs = pty.openpty()
        self.resize(80, 24)
        self.before = termios.tcgetattr(theirs)
        self.theirs = theirs
        self.text = ""
        self.process = start_jjm(
            words, cwd=folder, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
            env={"PATH": os.environ["PATH"], "TERM": "xterm-256color",
                 "JJM_HOME": str(folder / "home"), "JJM_BACKEND": "simulator", **environ},
        )  # fmt: skip

    def resize(self, columns, lines):
        fcntl.ioctl(self.ours, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def until(self, wanted):
        """Read until the text stands there (or, with None, the program closed the terminal)."""
        deadline = time.monotonic() + 60
        while wanted is None or wanted not in self.text:
            if select.select([self.ours], [], [], 0.2)[0]:
                self.text += os.read(self.ours, 65536).decode("utf-8", "replace")
            elif wanted is None and self.process.poll() is not None:
                return self.text
            assert time.monotonic() < deadline, self.text
        return self.text

    def press(self, keys):
        os.write(self.ours, keys.encode())

    def end(self):
        """Return the exit code; the terminal must be as it was."""
        self.until(None)
        assert self.before == termios.tcgetattr(self.theirs)
        assert self.text.rfind(SHOW) >= self.text.rfind(HIDE)
        os.close(self.ours)
        os.close(self.theirs)
        return self.process.returncode


@pytest.fixture
def queue(jjm, tmp_path):
    """Return the words of a run over one job, and its environment."""
    person = {f"GIT_{who}_{k}": "t@example.org" for who in ("AUTHOR", "COMMITTER") for k in ("NAME", "EMAIL")}  # fmt: skip
    for words in (["init", "-q", "-b", "main", "seed"],
                  ["-C", "seed", "commit", "-q", "--allow-empty", "-m", "Begin"],
                  ["clone", "-q", "--bare", "seed", "origin.git"]):  # fmt: skip
        environ = {"PATH": os.environ["PATH"], **person}
        subprocess.run(["git", *words], cwd=tmp_path, env=environ, check=True)
    (tmp_path / "b.md").write_text(BACKLOG)
    (tmp_path / "s.toml").write_text(SCENARIO)
    jjm("queue", "import", "b.md", "--repo", "octo/atlas")
    run = ["queue", "run", "--remote", "octo/atlas=origin.git", "--interval", "0.05"]
    return run, {"JJM_SIMULATOR__SCENARIO": "s.toml", "JJM_SIMULATOR__SPEED": "100"}


class Here:
    """The run works on this machine."""

    stopped = "Nothing is lost: `jjm queue run` goes on from here."

    def __init__(self, folder, words, environ):
        self.start = lambda **more: Terminal(words, folder, **environ, **more)

    def begin(self, **more):
        """Return a run that does all of the job."""
        return self.start(**more)


class Through:
    """The run follows a service, whose worker does the job."""

    stopped = "Stopped following. The service goes on."

    def __init__(self, folder, there):
        self.there = there
        service = {"JJM_SERVER": there.address, "JJM_SERVER_KEY": there.key, "JJM_BACKEND": "",
                   "JJM_HOME": str(folder / "elsewhere")}  # fmt: skip
        self.start = lambda **more: Terminal(["queue", "run"], folder, **service, **more)

    def begin(self, **more):
        """Return a run that sees the job begin: the queue is paused until the board is there."""
        terminal = self.start(**more)
        terminal.until("Ctrl-C stops following; the service goes on.")
        terminal.until("paused")
        work = self.there.app.queue_admin.resume()
        asyncio.run_coroutine_threadsafe(work, self.there.loop).result(timeout=60)
        return terminal


@pytest.fixture(params=["here", "service"])
def way(request, jjm, queue, tmp_path):
    """Return how a run is started on a terminal: over the store at hand, or through a service."""
    words, environ = queue
    if request.param == "here":
        yield Here(tmp_path, words, environ)
        return
    (tmp_path / "home" / "config.toml").write_text(
        f'[remotes]\n"octo/atlas" = "{tmp_path / "origin.git"}"\n'
        "[queue]\npoll_interval_seconds = 0.5\n"
    )
    home = bare_environment(
        JJM_HOME=str(tmp_path / "home"), JJM_BACKEND="simulator", JJM_REVIEW__SANDBOX="host",
        JJM_SIMULATOR__SCENARIO=str(tmp_path / "s.toml"), JJM_SIMULATOR__SPEED="100",
    )  # fmt: skip
    jjm("queue", "pause")
    with running_service(home, **{"server.worker": True}) as there:

        async def has_paused():
            return await there.app.store.events.read(type=EventType.QUEUE_DRAINED)

        # Otherwise the worker might say only to those who follow that nothing can move.
        asyncio.run_coroutine_threadsafe(until(has_paused), there.loop).result(timeout=60)
        yield Through(tmp_path, there)


def _job(jjm):
    return json.loads(jjm("queue", "list", "--json", "status,reason").stdout)[0]


def test_a_plan_is_approved_with_a_key(jjm, way):
    """The plan is shown with its escapes made visible; y lets it go on to the merge."""
    terminal = way.begin()
    terminal.until("may Jules do this?")
    assert r"1. Greet \x1b[2J them" in terminal.until("decide later")
    terminal.resize(40, 12)
    terminal.process.send_signal(signal.SIGWINCH)  # the kernel tells controlling terminals only
    terminal.text = terminal.until("\x1b[2J").partition("\x1b[2J")[2]  # all is drawn anew
    assert "attempt 1" in terminal.until("may Jules do this?")
    terminal.press("y")
    assert 0 == terminal.end()
    assert "plan approved (you approved it)" in re.sub(r"\s+", " ", terminal.text)
    assert "done" == _job(jjm)["status"]


def test_declining_is_remembered(jjm, way):
    """N leaves the job to the person and says how to go on; it is not asked again."""
    terminal = way.begin()
    terminal.until("may Jules do this?")
    terminal.press("n")
    assert 8 == terminal.end()
    job = _job(jjm)
    assert "needs_you" == job["status"]
    assert "you declined its plan; say what to change: jjm message" in job["reason"]
    again = way.start()
    assert 8 == again.end()
    assert "may Jules do this?" not in again.text


def test_skipping_names_the_commands(jjm, way):
    """S leaves it for later."""
    terminal = way.begin()
    terminal.until("may Jules do this?")
    terminal.press("s")
    assert 8 == terminal.end()
    assert "then jjm approve" in _job(jjm)["reason"]


def test_ctrl_c_leaves_a_clean_terminal(way):
    """It stops at once, and says what goes on."""
    terminal = way.begin(NO_COLOR="1")
    terminal.until("may Jules do this?")
    terminal.process.send_signal(signal.SIGINT)
    assert 8 == terminal.end()
    assert way.stopped in terminal.text
    assert not re.search(r"\x1b\[[0-9;]*3[0-7][0-9;]*m", terminal.text)


def test_a_stopped_demo_says_nothing_of_what_was_not_seen(tmp_path):
    """Ctrl-C ends the demo: its end is not told as if it had happened."""
    terminal = Terminal(["demo", "--speed", "1"], tmp_path)
    terminal.until("task 8499998493846846376 created")
    terminal.process.send_signal(signal.SIGINT)
    assert 2 == terminal.end()
    assert "What you saw" not in terminal.text


def test_without_a_terminal_nothing_is_asked_and_nothing_coloured(jjm, tmp_path, queue):
    """Piped, the job waits and the command that approves is named; JSON lines stay JSON."""
    words, environ = queue
    piped = jjm(*words, expect=8, **environ)
    assert "\x1b" not in piped.stdout + piped.stderr
    assert "then jjm approve" in piped.stdout
    assert "may Jules do this?" not in piped.stdout
    lines = jjm(*words, "--json", expect=8, **environ).stdout.splitlines()
    assert all({"at", "job", "text", "rule"} == json.loads(line).keys() for line in lines)
