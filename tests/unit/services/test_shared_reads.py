"""Many who ask at once get one answer, and never one from before they asked."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jules_job_manager.services.shared_reads import SharedReads


class Source:
    """Something that changes, and is read when it is let go."""

    def __init__(self) -> None:
        self.value = 0
        self.reads = 0
        self.may_end = asyncio.Event()

    async def read(self) -> int:
        self.reads += 1
        found = self.value
        await self.may_end.wait()
        return found


async def turns(count: int = 5) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


async def test_those_who_ask_meanwhile_wait_for_the_next_read():
    """Two reads for a hundred who ask; the later ones see what changed during the first."""
    shared, source = SharedReads(), Source()
    early = [asyncio.ensure_future(shared.read("k", source.read)) for _ in range(50)]
    await turns()
    source.value = 1
    late = [asyncio.ensure_future(shared.read("k", source.read)) for _ in range(50)]
    await turns()
    assert source.reads == 1
    source.may_end.set()
    assert await asyncio.gather(*early) == [0] * 50
    assert await asyncio.gather(*late) == [1] * 50
    assert source.reads == 2


async def test_keys_are_apart_and_nothing_is_kept():
    """A read for one key waits for none of another; afterwards it is read anew."""
    shared, source, other = SharedReads(), Source(), Source()
    held = asyncio.ensure_future(shared.read("k", source.read))
    other.may_end.set()
    assert await shared.read("other", other.read) == 0
    other.value = 2
    assert await shared.read("other", other.read) == 2
    source.may_end.set()
    await held


async def test_who_gives_up_takes_nothing_from_the_others():
    """Also when it is the one whose work is done."""
    shared, source = SharedReads(), Source()
    first, second = (asyncio.ensure_future(shared.read("k", source.read)) for _ in range(2))
    await turns()
    first.cancel()
    source.may_end.set()
    assert await second == 0
    assert first.cancelled()


async def test_all_hear_of_a_failure_and_the_next_read_is_made():
    """A failure is no answer to those who come later."""
    shared = SharedReads()

    async def fail() -> int:
        raise OSError("away")

    found = await asyncio.gather(
        *(shared.read("k", fail) for _ in range(3)), return_exceptions=True
    )
    assert [type(one) for one in found] == [OSError] * 3
    with pytest.raises(OSError, match="away"):
        await shared.read("k", fail)
    source = Source()
    source.may_end.set()
    assert await shared.read("k", source.read) == 0


@given(st.lists(st.sampled_from(["ask", "change", "turn", "end"]), max_size=40))
def test_no_answer_is_older_than_its_question(steps):
    """Whatever the order of asking, changing and answering."""

    async def check() -> None:
        shared, source = SharedReads(), Source()
        asked = []
        for step in steps:
            if step == "ask":
                asked.append((source.value, asyncio.ensure_future(shared.read("k", source.read))))
                await asyncio.sleep(0)  # it has asked
            elif step == "change":
                source.value += 1
            elif step == "turn":
                await asyncio.sleep(0)
            else:
                source.may_end.set()
                await turns()
                source.may_end.clear()
        source.may_end.set()
        for at_least, answer in asked:
            assert at_least <= await answer <= source.value
        assert source.reads <= len(asked)

    asyncio.run(check())
