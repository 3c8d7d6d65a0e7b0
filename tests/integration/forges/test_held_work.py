"""Whether a branch holds a piece of work, on real git repositories."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.integration.forges.test_local_forge import REPO, World, run

from jules_job_manager.ports.forge import Holding

pytestmark = pytest.mark.integration
LONG = "".join(f"line {n}\n" for n in range(40))


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = World(tmp_path)
    made.commit({"code.py": LONG}, "main")
    return made


async def held(world: World, commit: str) -> Holding | None:
    await world.forge.fetch(REPO)
    return await world.forge.holds_work(REPO, "main", commit)


def work(world: World, *changes: dict[str, str]) -> str:
    """Commit these changes one after the other on branch `work`, which starts from main."""
    start = "main"
    for files in changes:
        commit = world.commit(files, "work", start=start)
        start = "work"
    return commit


async def test_work_that_nobody_merged_is_not_held(world: World) -> None:
    """Neither is a commit that git does not know, nor one on a branch that is not there."""
    commit = work(world, {"new.py": "x = 1\n"})
    world.commit({"other.py": "y = 1\n"}, "main", start="main")
    assert await held(world, commit) is None
    assert await world.forge.holds_work(REPO, "main", "0" * 40) is None
    assert await world.forge.holds_work(REPO, "main", "--all") is None
    assert await world.forge.holds_work(REPO, "nowhere", commit) is None


async def test_merged_work_is_held(world: World) -> None:
    """A commit in the branch's history is held, whatever came later."""
    commit = work(world, {"new.py": "x = 1\n"})
    world.commit({"new.py": "x = 2\n"}, "main", start="work")
    assert Holding.COMMIT == await held(world, commit)


async def test_a_squash_merge_is_held(world: World) -> None:
    """All that two commits bring stands in the branch as one."""
    commit = work(world, {"new.py": "x = 1\n"}, {"new.py": "x = 2\n", "more.py": "y = 1\n"})
    world.commit({"other.py": ""}, "main", start="main")
    world.commit({"new.py": "x = 2\n", "more.py": "y = 1\n"}, "main", start="main")
    assert Holding.CONTENT == await held(world, commit)


async def test_a_squash_merge_that_was_edited_later_is_held(world: World) -> None:
    """The same lines changed again do not hide that the work came in."""
    commit = work(world, {"code.py": LONG + "a\n"}, {"code.py": LONG + "b\n"})
    world.commit({"code.py": "first\n" + LONG}, "main", start="main")
    world.commit({"code.py": "first\n" + LONG + "b\n"}, "main", start="main")
    world.commit({"code.py": "first\n" + LONG + "c\n"}, "main", start="main")
    assert Holding.SAME_CHANGE == await held(world, commit)


async def test_a_squash_within_a_merged_branch_that_was_edited_later_is_held(world: World) -> None:
    """The change may have come in as what a merge brought."""
    commit = work(world, {"code.py": LONG + "a\n"}, {"code.py": LONG + "b\n"})
    world.commit({"code.py": LONG + "half\n"}, "side", start="main")
    world.commit({"code.py": LONG + "b\n"}, "side", start="side")
    run(world.clone, "checkout", "-q", "main")
    run(world.clone, "merge", "-q", "--no-ff", "-m", "merge", "side")
    world.commit({"code.py": LONG + "c\n"}, "main", start="main")
    assert Holding.SAME_CHANGE == await held(world, commit)


async def test_rebased_work_that_was_edited_later_is_held(world: World) -> None:
    """Each commit has its twin, though none makes the whole change."""
    commit = work(world, {"one.py": "1\n"}, {"two.py": "2\n"})
    world.commit({"other.py": ""}, "main", start="main")
    run(world.clone, "checkout", "-q", "main")
    run(world.clone, "cherry-pick", "work~1", "work")
    world.commit({"one.py": "11\n", "two.py": "22\n"}, "main", start="main")
    assert Holding.SAME_COMMITS == await held(world, commit)


async def test_half_of_the_work_is_not_the_work(world: World) -> None:
    """One commit of two was picked: the other would be lost."""
    commit = work(world, {"one.py": "1\n"}, {"two.py": "2\n"})
    run(world.clone, "checkout", "-q", "main")
    run(world.clone, "cherry-pick", "work~1")
    world.commit({"one.py": "11\n"}, "main", start="main")
    assert await held(world, commit) is None


async def test_white_space_counts(world: World) -> None:
    """The same change but for its indentation is another program."""
    commit = work(world, {"new.py": "if a:\n    b()\n    c()\n"})
    world.commit({"new.py": "if a:\n    b()\nc()\n"}, "main", start="main")
    assert await held(world, commit) is None


async def test_what_no_text_tells_apart_counts(world: World) -> None:
    """Pictures, and bytes that are no UTF-8, are compared by what they hold."""

    def binary(branch: str, data: bytes, start: str) -> str:
        run(world.clone, "checkout", "-q", "-B", branch, start)
        (world.clone / "data").write_bytes(data)
        return world.commit({"note": "n\n"}, branch, start="HEAD")

    for mine, theirs in ((b"\0\1mine", b"\0\1their"), (b"caf\xe9\n", b"caf\xe8\n")):
        root = run(world.clone, "rev-parse", "main~1")
        commit = binary("work", mine, root)
        binary("main", theirs, root)
        assert await held(world, commit) is None
        binary("main", mine, root)
        world.commit({"note": "later\n"}, "main", start="main")
        assert await held(world, commit) is not None
