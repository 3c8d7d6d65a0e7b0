"""Whole deliveries, hostile and honest, through git, the rules and the sandbox."""

from __future__ import annotations

import contextlib
import random
import shutil
import socket
from dataclasses import replace

import pytest
from tests.hostile_world import World
from tests.review_corpus.running import HONEST, HOSTILE

from jules_job_manager.domain.report import ReportInput, to_html

pytestmark = [
    pytest.mark.integration,
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("bwrap") is None, reason="bubblewrap is not installed"),
]


def _listener() -> socket.socket:
    """Listen where the system gives nobody a port: a client of another test that tries again could reach it, else."""
    for port in random.sample(range(20_000, 30_000), 100):
        with contextlib.suppress(OSError):
            return socket.create_server(("127.0.0.1", port))
    raise AssertionError("no port is free")


@pytest.fixture
def world(tmp_path):
    with _listener() as listener:
        yield World(tmp_path / "world", listener)


@pytest.mark.parametrize("delivery", HOSTILE, ids=lambda delivery: delivery.name)
async def test_a_hostile_delivery_reaches_nothing(world, delivery):
    """And it is refused, unless all it does is fail to reach anything."""
    judged = await world.judge(delivery)
    assert [] == judged.reached
    if delivery.refused:
        assert judged.is_refused
    if judged.review is not None:
        page = to_html(ReportInput(review=replace(judged.review)))
        assert "<script" not in page
        assert "\x1b" not in page


@pytest.mark.parametrize("delivery", HONEST, ids=lambda delivery: delivery.name)
async def test_an_honest_delivery_is_accepted(world, delivery):
    """Whatever git makes of its files."""
    judged = await world.judge(delivery)
    assert judged.review is not None
    failed = [(c.name, c.output) for c in judged.review.checks if c.is_failed]
    assert ([], "accept") == (failed, judged.review.verdict.value)


async def test_a_submodule_that_was_there_before_is_left_alone(world):
    """It is no part of the delivery; moving it to another commit is."""
    gitmodules = '[submodule "vendor"]\n\tpath = vendor\n\turl = https://example.org/vendor.git\n'
    lab = world.lab
    lab.git("checkout", "-q", "main")
    link = ("update-index", "--add", "--cacheinfo", f"160000,{world.base},vendor")
    lab.commit("main", {".gitmodules": gitmodules}, run=[link])
    lab.work.joinpath("vendor").mkdir()
    honest = lab.commit("work", {"README.md": "# Notes\n\nLoud.\n"})
    assert "accept" == (await lab.review("work", honest)).verdict.value
    other = lab.git("rev-parse", "HEAD")
    moved = ("update-index", "--cacheinfo", f"160000,{other},vendor")
    review = await lab.review("work", lab.commit("work", {}, run=[moved]))
    assert "reject" == review.verdict.value


def test_there_are_enough():
    """Told apart by name."""
    assert 40 <= len({delivery.name for delivery in HOSTILE}) == len(HOSTILE)
