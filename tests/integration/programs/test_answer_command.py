"""Commands that answer questions of Jules, as real processes."""

from __future__ import annotations

import json
import os
import resource
import sys
from pathlib import Path

import pytest

from jules_job_manager.adapters.programs.answer_command import MOST_CHARACTERS, AnswerProgram
from jules_job_manager.domain.job import Job

pytestmark = pytest.mark.integration
JOB = Job(key="Task 1", title="t", prompt="p")


async def _answer(code: str, tmp_path, question="Which?", seconds=60.0):
    script = tmp_path / "a script.py"
    script.write_text(code)
    run = AnswerProgram(environment={"PATH": os.environ["PATH"]}, timeout_seconds=seconds)
    return await run(f"{sys.executable} '{script}'", JOB, question)


async def test_what_it_prints_is_the_answer(tmp_path):
    """It is given the job and the question as JSON."""
    code = "import json, sys; d = json.load(sys.stdin); print(d['job']['key'], d['question'])"
    assert ("Task 1 Which?", "") == await _answer(code, tmp_path)


HOSTILE = [
    "'; touch pwned; '", "$(touch pwned)", "`touch pwned`", "\n--option", '"}, "job": {}',
    "\x1b]0;x\x07", "\ud800 half a pair", "\x00",
]  # fmt: skip


@pytest.mark.parametrize("question", HOSTILE)
async def test_hostile_text_stays_data(question, tmp_path, monkeypatch):
    """No shell reads it, and the command gets it as it was asked."""
    monkeypatch.chdir(tmp_path)
    code = "import json, sys; print(json.dumps(json.load(sys.stdin)['question']), sys.argv[1:])"
    text, failure = await _answer(code, tmp_path, question)
    assert (f"{json.dumps(question)} []", "") == (text, failure)
    assert not Path("pwned").exists()


@pytest.mark.parametrize(
    ("code", "failure"),
    [
        ("import sys; print('no idea', file=sys.stderr); sys.exit(3)", "ended with 3 (no idea)"),
        ("import os; os.kill(os.getpid(), 9)", "ended with -9"),
        ("raise SystemExit('\\x1b[2J')", "ended with 1 ("),
    ],
)
async def test_an_exit_code_is_a_failure(code, failure, tmp_path):
    """What it printed before does not count, and what it complained of is safe to show."""
    text, said = await _answer(f"print('half an answer', flush=True)\n{code}", tmp_path)
    assert "" == text
    assert failure in said
    assert "\x1b" not in said


async def test_it_has_so_long_and_its_children_end_with_it(tmp_path):
    """Neither it nor what it started is left behind."""
    os.mkfifo(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    code = (
        "import os, subprocess, sys, time\n"
        f"held = os.open({str(tmp_path / 'pipe')!r}, os.O_WRONLY)\n"
        "os.write(held, b'begun')\n"
        "long = [sys.executable, '-c', 'import time; time.sleep(600)']\n"
        "subprocess.Popen(long, pass_fds=[held]).wait()\n"
    )
    text, failure = await _answer(code, tmp_path, seconds=3.0)
    assert ("", "its answer command took longer than 3 s") == (text, failure)
    os.set_blocking(reader, True)
    with open(reader, "rb") as pipe:  # noqa: ASYNC230, PTH123 - ends when nobody holds it any more
        assert b"begun" == pipe.read()


@pytest.mark.parametrize("command", ["/nonexistent/program", "'unclosed", "   ", "a\0b"])
async def test_a_command_that_cannot_be_started(command):
    """It is said, and a person is asked."""
    text, failure = await AnswerProgram(environment={})(command, JOB, "?")
    assert "" == text
    assert failure.startswith("its answer command ")


async def test_it_need_not_read_the_question(tmp_path):
    """A long question to a command that does not read is no failure."""
    assert ("yes", "") == await _answer("print('yes')", tmp_path, question="x" * 1_000_000)


async def test_output_without_end_is_no_answer_and_takes_no_memory(tmp_path):
    """It is read and forgotten until the time is over."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    code = "import sys\nwhile True: sys.stdout.write('y' * 65536)"
    text, failure = await _answer(code, tmp_path, seconds=3.0)
    assert ("", "its answer command took longer than 3 s") == (text, failure)
    assert 50_000 > resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before


async def test_a_long_answer_is_cut(tmp_path):
    """So that it fits into a message."""
    text, _ = await _answer("print('ä' * 30_000)", tmp_path)
    assert "ä" * MOST_CHARACTERS == text
