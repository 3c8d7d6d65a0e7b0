"""Git in memory does what real git does, as far as the queue can see."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
from tests.github_stand_in.forge import github_forge
from tests.memory_git import MemoryGit

from jules_job_manager.adapters.backends.simulator import git_work
from jules_job_manager.adapters.backends.simulator.git_work import Change, Commit
from jules_job_manager.adapters.forges.local import LocalGitForge
from jules_job_manager.domain.job import Job
from jules_job_manager.domain.review import Delivery
from jules_job_manager.errors import ForgeError
from jules_job_manager.ports.forge import MergeCandidate

pytestmark = pytest.mark.integration
REPO = "octo/demo"
JOB = Job(key="Task 1", title="A task", prompt="p", repository=REPO, base_branch="main")
AT = datetime(2026, 11, 24, tzinfo=UTC)


@dataclass
class Place:
    """A forge, and the git that Jules works with on the same repository."""

    forge: Any
    git: Any
    url: str
    keeps_commits: bool = True
    """Whether a merged delivery's own commits are in the base."""

    def base(self) -> str:
        return self.git.branches(self.url)["main"]

    def work(self, branch: str, files: dict[str, str], *, base="", own="", words="Work") -> Commit:
        return self.git.commit_and_push(
            self.url, base=base or self.base(), base_branch="main", branch=branch, own_head=own,
            change=Change(files=files, message=words, at=AT),
        )  # fmt: skip

    async def candidate(self, commit: str):
        await self.forge.fetch(REPO)
        delivery = Delivery(commit=commit)
        async with self.forge.merged(
            REPO, base_branch="main", delivery=delivery, message="Merge"
        ) as made:
            tree = {} if made.worktree is None else _files(made.worktree)
        return made, tree

    async def merge(self, commit: str) -> str:
        made, _ = await self.candidate(commit)
        return (await self.push(made, commit)).commit

    async def push(self, made: MergeCandidate, commit: str) -> Any:
        """Merge what was made of a delivered commit."""
        branch = next((b for b, c in self.git.branches(self.url).items() if c == commit), "")
        return await self.forge.push_merge(
            REPO, job=JOB, base_branch="main", candidate=made,
            delivery=Delivery(commit=commit, branch=branch),
        )  # fmt: skip


def _files(folder) -> dict[str, str]:
    names = (p for p in folder.rglob("*") if p.is_file() and ".git" not in p.parts)
    return {str(p.relative_to(folder)): p.read_text() for p in names if p.name != ".git"}


@pytest.fixture(params=["real", "memory", "github", "github-squash", "github-rebase"])
def place(request, tmp_path) -> Place:
    if request.param == "memory":
        git = MemoryGit(REPO)
        return Place(git, git, REPO)
    git_work.make_sample(tmp_path / "demo.git")
    url = str(tmp_path / "demo.git")
    if request.param.startswith("github"):
        method = request.param.partition("-")[2] or "merge"
        return Place(
            github_forge(tmp_path, merge_method=method)[0], git_work, url, method == "merge"
        )
    forge = LocalGitForge(cache=tmp_path / "cache", remotes={REPO: url})
    return Place(forge, git_work, url)


async def test_a_merge_holds_base_and_delivery(place):
    """The base moves to a commit whose tree has both, and both are ancestors of the branch."""
    base, work = place.base(), place.work("w", {"a/b.txt": "1\n"})
    made, tree = await place.candidate(work.id)
    assert (base, ()) == (made.base_commit, made.conflicts)
    assert {"README.md", "a/b.txt"} == set(tree)
    assert await place.forge.contains(REPO, "main", work.id) is False
    merged = await place.push(made, work.id)
    assert merged.commit == place.base() == await place.forge.head_commit(REPO, "main")
    assert "" == merged.note
    kept = [work.id] if place.keeps_commits else []
    for commit in (base, *kept, merged.commit):
        assert await place.forge.contains(REPO, "main", commit) is True


async def test_a_base_that_moved_is_not_overwritten(place):
    """A merge made on the base of before is refused, in a way that says why."""
    one, two = place.work("one", {"1.txt": "1\n"}), place.work("two", {"2.txt": "2\n"})
    made, _ = await place.candidate(one.id)
    after = await place.merge(two.id)
    with pytest.raises(ForgeError) as caught:
        await place.push(made, one.id)
    assert caught.value.context.get("moved") is True
    assert after == place.base()


async def test_two_changes_of_one_file_conflict(place):
    """The second names the file, has no commit and no worktree, and cannot be pushed."""
    one, two = place.work("one", {"x.txt": "1\n"}), place.work("two", {"x.txt": "2\n"})
    await place.merge(one.id)
    made, _ = await place.candidate(two.id)
    assert (("x.txt",), "", None) == (made.conflicts, made.commit, made.worktree)
    with pytest.raises(ForgeError):
        await place.push(made, two.id)


async def test_the_same_change_on_both_sides_merges(place):
    """Two tasks that wrote the very same file do not conflict."""
    one, two = place.work("one", {"x.txt": "1\n"}), place.work("two", {"x.txt": "1\n"}, words="Two")
    await place.merge(one.id)
    _, tree = await place.candidate(two.id)
    assert "1\n" == tree["x.txt"]


async def test_a_delivery_that_the_base_holds_needs_no_merge(place):
    """The candidate is the base itself; squashed work has the same content, and merges as what it is."""
    work = place.work("w", {"a.txt": "1\n"})
    merged = await place.merge(work.id)
    made, tree = await place.candidate(work.id)
    assert merged == made.base_commit
    assert place.keeps_commits is (merged == made.commit)
    assert merged == (await place.push(made, work.id)).commit == place.base()
    assert "a.txt" in tree


async def test_commits_and_branches_that_are_not_there(place):
    """An unknown commit is told from one that is only elsewhere."""
    await place.forge.fetch(REPO)
    assert await place.forge.head_commit(REPO, "nowhere") is None
    assert await place.forge.contains(REPO, "main", "0" * 40) is None
    assert await place.forge.contains(REPO, "nowhere", place.base()) is False
    assert ["main"] == list(await place.forge.list_branches(REPO))
    with pytest.raises(ForgeError):
        await place.candidate("0" * 40)
    with pytest.raises(ForgeError):
        await place.forge.fetch("octo/unknown")


async def test_work_done_twice_is_one_commit(place):
    """After a crash the same commit is made again, and the branch has it once."""
    base = place.base()
    first = place.work("w", {"a.txt": "1\n"}, base=base)
    again = place.work("w", {"a.txt": "1\n"}, base=base)
    assert first.id == again.id == place.git.branches(place.url)["w"]
    later = place.work("w", {"b.txt": "2\n"}, base=base, own=first.id, words="More")
    _, tree = await place.candidate(later.id)
    assert {"a.txt", "b.txt"} < set(tree)


async def test_a_late_push_begins_at_the_first_base(place):
    """What the branch had held is not in it any more."""
    base = place.base()
    first = place.work("w", {"a.txt": "1\n"}, base=base)
    change = Change(files={"b.txt": "2\n"}, message="Late", at=AT)
    late = place.git.overwrite(place.url, base=base, base_branch="main", branch="w", change=change)
    assert late.id == place.git.branches(place.url)["w"] != first.id
    _, tree = await place.candidate(late.id)
    assert {"README.md", "b.txt"} == set(tree)


async def test_several_are_merged_in_turn(place):
    """Each on the one before it, and every merge is the very one that is made alone later."""
    works = [place.work(name, {f"{name}.txt": "1\n"}) for name in ("a", "b")]
    await place.forge.fetch(REPO)
    parts = [(Delivery(commit=work.id), f"Merge {n}") for n, work in enumerate(works)]
    async with place.forge.merged_in_turn(REPO, base_branch="main", deliveries=parts) as made:
        pass
    assert [place.base(), made[0].commit] == [one.base_commit for one in made]
    for (delivery, message), one in zip(parts, made, strict=True):
        async with place.forge.merged(
            REPO, base_branch="main", delivery=delivery, message=message
        ) as alone:
            assert (one.base_commit, one.commit) == (alone.base_commit, alone.commit)
        if hasattr(place.forge, "covers"):
            return  # a pull request is merged as another commit, so they go one by one
        await place.forge.push_merge(
            REPO, job=JOB, base_branch="main", delivery=delivery, candidate=one
        )
    assert made[-1].commit == place.base()


async def test_those_that_do_not_merge_in_turn(place):
    """The last candidate names the files; what comes after it is left out."""
    works = [place.work(name, {"same.txt": f"{name}\n"}) for name in ("a", "b", "c")]
    await place.forge.fetch(REPO)
    parts = [(Delivery(commit=work.id), "Merge") for work in works]
    async with place.forge.merged_in_turn(REPO, base_branch="main", deliveries=parts) as made:
        pass
    assert [(), ("same.txt",)] == [one.conflicts for one in made]


async def test_two_commits_with_the_same_files(place):
    """Their trees are the same; those of others are not."""
    one = place.work("a", {"x.txt": "1\n"})
    two = place.work("b", {"x.txt": "1\n"}, words="Other words")
    other = place.work("c", {"x.txt": "2\n"})
    await place.forge.fetch(REPO)
    trees = [await place.forge.tree(REPO, work.id) for work in (one, two, other)]
    assert trees[0] == trees[1] != trees[2]


@pytest.fixture
def real(tmp_path) -> Place:
    """Real git alone: taking back is never simulated."""
    git_work.make_sample(tmp_path / "demo.git")
    url = str(tmp_path / "demo.git")
    return Place(LocalGitForge(cache=tmp_path / "cache", remotes={REPO: url}), git_work, url)


async def _reverted(place: Place, commit: str):
    await place.forge.fetch(REPO)
    async with place.forge.reverted(
        REPO, base_branch="main", commit=commit, message="Revert"
    ) as made:
        return made, {} if made.worktree is None else _files(made.worktree)


async def test_a_merge_is_undone(real):
    """All that it brought is gone, what came after it stays, and there is nothing to undo twice."""
    first = await real.merge(real.work("a", {"a.txt": "one\n"}).id)
    await real.merge(real.work("b", {"b.txt": "another\n"}).id)
    made, tree = await _reverted(real, first)
    assert {"README.md", "b.txt"} == set(tree)
    same, _ = await _reverted(real, first)
    assert made.commit == same.commit
    await real.push(made, made.commit)
    assert made.commit == real.base()
    again, _ = await _reverted(real, first)
    assert again.base_commit == again.commit


async def test_what_later_work_changed_cannot_be_undone(real):
    """The files are named."""
    first = await real.merge(real.work("a", {"a.txt": "1\n"}).id)
    await real.merge(real.work("b", {"a.txt": "2\n"}).id)
    made, _ = await _reverted(real, first)
    assert ("", ("a.txt",)) == (made.commit, made.conflicts)


async def test_a_plain_commit_is_undone_too(real):
    """A squashed merge has one parent."""
    commit = real.git.commit_and_push(
        real.url, base=real.base(), base_branch="main", branch="main", own_head=real.base(),
        change=Change(files={"s.txt": "1\n"}, message="Squashed", at=AT),
    )  # fmt: skip
    _, tree = await _reverted(real, commit.id)
    assert {"README.md"} == set(tree)


@pytest.mark.parametrize("place", ["real", "github", "github-squash"], indirect=True)
async def test_taking_back_goes_the_way_of_a_merge(place):
    """Through a pull request where those are merged; a second time there is nothing to undo."""
    work = place.work("a", {"a.txt": "one\n"})
    made, _ = await place.candidate(work.id)
    merged = (await place.push(made, work.id)).commit
    undone, tree = await _reverted(place, merged)
    assert {"README.md"} == set(tree)
    await place.push(undone, undone.commit)
    await place.forge.fetch(REPO)
    again, tree = await _reverted(place, merged)
    assert (again.base_commit, {"README.md"}) == (again.commit, set(tree))
