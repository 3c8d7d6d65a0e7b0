"""Reviewers as real processes, in the real sandbox."""

from __future__ import annotations

import asyncio
import json
import os
from dataclasses import replace
from pathlib import Path

import pytest
from tests.review_corpus.memory_change import Link, make_change

from jules_job_manager.adapters.reviewers import workplace
from jules_job_manager.adapters.reviewers.command import CommandReviewers
from jules_job_manager.adapters.sandboxes.bubblewrap import BubblewrapSandbox
from jules_job_manager.adapters.sandboxes.host import HostSandbox
from jules_job_manager.domain.job import Job
from jules_job_manager.domain.reviewer import ReviewerSpec
from jules_job_manager.domain.reviewers import MOST_ANSWER_BYTES
from jules_job_manager.ports.sandbox import DEFAULT_LIMITS

pytestmark = pytest.mark.integration
CHANGE = make_change(
    {"a.py": "old\n", "tools/judge.sh": "cat base/a.py merged/a.py\n"},
    {
        "a.py": "new\n", "tools/judge.sh": "echo taken over\n", "request.json": "no\n",
        "answer.json": "no\n", "link": Link("/etc/passwd"), "../out": "x", ".git/config": "x",
        "sub/.GIT/hooks/x": "x", "a.py/below": "x",
    },
    Job(key="k"),
)  # fmt: skip


@pytest.fixture(scope="module")
def sandbox():
    """Return bubblewrap, or skip with the reason."""
    made = BubblewrapSandbox(path=os.environ["PATH"], home=Path.home())
    if problem := asyncio.run(made.is_usable()):
        pytest.skip(problem)
    return made


@pytest.fixture
def ask(sandbox):
    """Return a function that asks a command."""
    environment = {"PATH": os.environ["PATH"], "HOME": "/home/me", "KEY": "a 'key'", "OTHER": "no"}
    access = CommandReviewers(
        sandbox=sandbox, host=HostSandbox(environment={}), limits=DEFAULT_LIMITS,
        environment=environment,
    )  # fmt: skip

    async def go(command, *, request='{"protocol": 1}\n', change=CHANGE, **members):
        spec = replace(ReviewerSpec(name="r", command=command, timeout_seconds=20.0), **members)
        return await access.ask(spec, request=request, change=change)

    return go


async def test_the_request_goes_in_and_the_answer_comes_out(ask):
    """What it says beside its answer does not get into it."""
    reply = await ask("cat; echo aside >&2")
    assert (b'{"protocol": 1}\n', "", "aside\n") == (reply.answer, reply.problem, reply.log)
    assert reply.duration_seconds > 0


async def test_both_sides_are_there_and_the_base_is_what_the_base_has(ask):
    """A script that the delivery changes is run as it was; no link and no odd name is laid out."""
    assert b"old\nnew\n" == (await ask("sh base/tools/judge.sh")).answer
    listed = (await ask("find . | sort")).answer.decode().split()
    assert {"./merged/answer.json", "./merged/request.json", "./request.json"} <= set(listed)
    assert set() == {name for name in listed if ".git" in name.casefold() or "link" in name}
    assert "./merged/out" not in listed
    assert "./out" not in listed


async def test_it_sees_nothing_else(ask):
    """No variable that is not named, no home, no network."""
    reply = await ask(
        "env; ls /home; getent hosts example.org; ls /proc/net/dev && cat /proc/net/dev"
    )
    said = reply.answer.decode()
    assert "OTHER" not in said
    assert "a 'key'" not in said
    assert "eth0" not in said


async def test_a_person_can_hand_it_variables(ask):
    """Their values stand on no command line, and in no file when the reviewer runs."""
    reply = await ask('echo "$KEY"; ls; echo $OTHER', environment=("KEY", "MISSING"))
    assert "a 'key'\nanswer.json\nbase\nmerged\nrequest.json\n\n" == reply.answer.decode()


async def test_outside_of_the_sandbox_it_is_the_person(ask):
    """With the person's home folder and variables."""
    reply = await ask('cat; echo "$HOME $OTHER"', sandbox=False)
    assert b'{"protocol": 1}\n/home/me no\n' == reply.answer


@pytest.mark.parametrize(
    ("command", "why"),
    [
        ("echo {}; echo broken >&2; exit 3", "it ended with 3 (broken)"),
        ("no-such-program", "it ended with 127"),
        ("rm answer.json; ln -s /etc/hosts answer.json", "its answer was replaced by"),
        ("rm answer.json; mkfifo answer.json", "its answer was replaced by"),
        ("rm answer.json; mkdir answer.json", "its answer was replaced by"),
        ("yes >&2", "it went over the limit of output"),
        ("kill -KILL $$", "it ended with 137"),
    ],
)
async def test_trouble_is_one_sentence(ask, command, why):
    """Whatever it does."""
    reply = await ask(command)
    assert reply.problem.startswith(why)
    assert "\n" not in reply.problem


async def test_time_is_limited(ask):
    """And what it started ends with it."""
    reply = await ask("sleep 300 & sleep 300", timeout_seconds=0.5)
    assert "it took longer than 0.5 s" == reply.problem


async def test_only_the_beginning_of_a_long_answer_is_read(ask):
    """Ten megabytes are not kept in memory."""
    reply = await ask("head -c 10000000 /dev/zero")
    assert "" == reply.problem
    assert MOST_ANSWER_BYTES + 1 == len(reply.answer)


async def test_a_repository_that_is_too_large(ask, monkeypatch):
    """It is said, and nothing is laid out."""
    monkeypatch.setattr(workplace, "MOST_BYTES", 10)
    reply = await ask("cat")
    assert "it could not be asked (the repository is too large to be laid out for it)" == (
        reply.problem
    )


async def test_a_sandbox_that_is_missing(tmp_path):
    """It is a sentence too, never a run without one."""
    access = CommandReviewers(
        sandbox=BubblewrapSandbox(path="", home=Path("/"), program="no-bwrap"),
        host=HostSandbox(environment={}), limits=DEFAULT_LIMITS, environment={},
    )  # fmt: skip
    spec = ReviewerSpec(name="r", command=f"touch {tmp_path}/made")
    reply = await access.ask(spec, request="{}", change=CHANGE)
    assert "it could not be asked (bubblewrap is not installed)" == reply.problem
    assert not (tmp_path / "made").exists()


async def test_requests_can_be_large(ask):
    """As large as they get."""
    request = json.dumps({"x": "y" * 2_000_000}) + "\n"
    reply = await ask("wc -c", request=request)
    assert len(request) == int(reply.answer)
