"""The local forge on real git repositories."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest

from jules_job_manager.adapters.forges.local import LocalGitForge
from jules_job_manager.domain.artifact import ChangeSet
from jules_job_manager.domain.job import Job
from jules_job_manager.domain.review import Delivery
from jules_job_manager.errors import ForgeError

pytestmark = pytest.mark.integration
REPO = "acme/widgets"
JOB = Job(key="Task 1", title="t", prompt="p", repository=REPO, base_branch="main")


def merging(candidate) -> dict:
    """What `push_merge` is told, for a push that needs only the candidate."""
    delivery = Delivery(commit=candidate.commit)
    return {"job": JOB, "base_branch": "main", "delivery": delivery, "candidate": candidate}


def run(folder: Path, *arguments: str) -> str:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}
    environment |= {
        f"GIT_{who}_{what}": "t@example.org"
        for who in ("AUTHOR", "COMMITTER")
        for what in ("NAME", "EMAIL")
    }
    done = subprocess.run(
        ["git", *arguments], cwd=folder, env=environment, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


class World:
    """A bare remote and a clone that plays the other people."""

    def __init__(self, root: Path) -> None:
        self.remote = root / "remote.git"
        self.clone = root / "clone"
        run(root, "init", "-q", "--bare", "-b", "main", str(self.remote))
        run(root, "clone", "-q", str(self.remote), str(self.clone))
        run(self.clone, "checkout", "-q", "-b", "main")
        run(self.clone, "commit", "-q", "--allow-empty", "-m", "root")
        self.commit({"a.txt": "one\n"}, "main")
        self.forge = LocalGitForge(cache=root / "cache", remotes={REPO: str(self.remote)})

    def commit(self, files: dict[str, str], branch: str, *, start: str = "HEAD") -> str:
        run(self.clone, "checkout", "-q", "-B", branch, start)
        for name, text in files.items():
            (self.clone / name).write_text(text)
        run(self.clone, "add", "-A")
        run(self.clone, "commit", "-q", "-m", f"change on {branch}")
        run(self.clone, "push", "-q", "-f", "origin", f"HEAD:refs/heads/{branch}")
        return run(self.clone, "rev-parse", "HEAD")

    def commit_as_is(self, files: dict[str, str]) -> str:
        """Commit on a branch of its own, whatever the files ask git to do."""
        (self.clone / ".git" / "info").mkdir(exist_ok=True)
        blobs = []
        for name, text in files.items():
            (self.clone / "raw").write_text(text)
            blob = run(self.clone, "hash-object", "-w", "--no-filters", "raw")
            blobs.append(f"100644 blob {blob}\t{name}\n")
        tree = subprocess.run(
            ["git", "mktree"], cwd=self.clone, input="".join(blobs), check=True,
            capture_output=True, text=True,
        ).stdout.strip()  # fmt: skip
        commit = run(self.clone, "commit-tree", "--no-gpg-sign", tree, "-p", "main", "-m", "raw")
        run(self.clone, "push", "-q", "origin", f"{commit}:refs/heads/raw")
        return commit


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


async def test_a_delivery_is_merged_and_pushed_as_a_real_merge_commit(world: World) -> None:
    """The base moves to a commit with base and delivery as its parents."""
    base = await world.forge.head_commit(REPO, "main")
    commit = world.commit({"b.txt": "two\n"}, "work")
    await world.forge.fetch(REPO)
    async with world.forge.merged(
        REPO,
        base_branch="main",
        delivery=Delivery(commit=commit, branch="work"),
        message="merge it",
    ) as candidate:
        assert candidate.worktree is not None
        assert (candidate.worktree / "b.txt").read_text() == "two\n"
        worktree = candidate.worktree
    assert not worktree.exists()
    await world.forge.push_merge(REPO, **merging(candidate))
    parents = run(world.remote, "log", "-1", "--format=%P %s", "main")
    assert parents == f"{base} {commit} merge it"
    assert await world.forge.head_commit(REPO, "main") == candidate.commit


async def test_copies_of_repositories_are_their_owners_alone(world: World, tmp_path: Path) -> None:
    """As all else in the home folder; a folder that an older version made is narrowed."""
    (tmp_path / "cache").mkdir()
    await world.forge.head_commit(REPO, "main")
    assert 0o700 == (tmp_path / "cache").stat().st_mode & 0o777


async def test_a_base_that_moved_is_never_overwritten(world: World) -> None:
    """A push after the base moved is refused and says so; the other commit stays."""
    commit = world.commit({"b.txt": "two\n"}, "work")
    await world.forge.fetch(REPO)
    async with world.forge.merged(
        REPO, base_branch="main", delivery=Delivery(commit=commit), message="m"
    ) as candidate:
        pass
    other = world.commit({"c.txt": "three\n"}, "main", start="main")
    with pytest.raises(ForgeError) as caught:
        await world.forge.push_merge(REPO, **merging(candidate))
    assert caught.value.context == {"moved": True}
    assert run(world.remote, "rev-parse", "main") == other


async def test_conflicts_are_named_file_by_file(world: World) -> None:
    """A delivery that does not merge lists its files and leaves no commit."""
    commit = world.commit({"a.txt": "theirs\n", "ü b.txt": "x\n"}, "work", start="main")
    world.commit({"a.txt": "ours\n", "ü b.txt": "y\n"}, "main", start="main")
    await world.forge.fetch(REPO)
    async with world.forge.merged(
        REPO, base_branch="main", delivery=Delivery(commit=commit), message="m"
    ) as candidate:
        assert candidate.conflicts == ("a.txt", "ü b.txt")
        assert candidate.commit == ""
    with pytest.raises(ForgeError, match="conflicts"):
        await world.forge.push_merge(REPO, **merging(candidate))


async def test_a_delivery_already_in_the_base_needs_no_merge(world: World) -> None:
    """After a crash between push and record the same delivery merges to the base itself."""
    head = await world.forge.head_commit(REPO, "main")
    assert head is not None
    async with world.forge.merged(
        REPO, base_branch="main", delivery=Delivery(commit=head), message="m"
    ) as candidate:
        assert candidate.commit == head
    await world.forge.push_merge(REPO, **merging(candidate))
    assert run(world.remote, "rev-parse", "main") == head


async def test_branch_names_are_data(world: World) -> None:
    """Names that look like options or revisions find nothing and do nothing."""
    for name in ("--upload-pack=touch x", "-x", "main~0", "main@{0}", "../heads/main", "", "a\nb"):
        assert await world.forge.head_commit(REPO, name) is None
    run(world.clone, "push", "-q", "origin", "main:refs/heads/$(id);--help")
    await world.forge.fetch(REPO)
    assert await world.forge.list_branches(REPO) == ["$(id);--help", "main"]


async def test_a_patch_becomes_a_commit_on_its_base(world: World) -> None:
    """A delivery without a branch is turned into a commit whose parent is the patch's base."""
    base = await world.forge.head_commit(REPO, "main")
    assert base is not None
    patch = "diff --git a/a.txt b/a.txt\n--- a/a.txt\n+++ b/a.txt\n@@ -1 +1 @@\n-one\n+two\n"
    delivery = await world.forge.deliver_patch(
        REPO, ChangeSet(unidiff_patch=patch, base_commit_id=base), "from a patch"
    )
    async with world.forge.merged(
        REPO, base_branch="main", delivery=delivery, message="m"
    ) as candidate:
        assert candidate.worktree is not None
        assert (candidate.worktree / "a.txt").read_text() == "two\n"


@pytest.mark.parametrize(
    ("base", "path"),
    [("", "a.txt"), ("--help", "a.txt"), (None, "../outside.txt"), (None, ".git/config")],
)
async def test_a_hostile_patch_is_refused(world: World, base: str | None, path: str) -> None:
    """A patch with no base commit, or that reaches outside its worktree, is an error."""
    start = await world.forge.head_commit(REPO, "main") if base is None else base
    patch = f"diff --git a/{path} b/{path}\nnew file mode 100644\n--- /dev/null\n+++ b/{path}\n@@ -0,0 +1 @@\n+x\n"
    with pytest.raises(ForgeError):
        await world.forge.deliver_patch(
            REPO, ChangeSet(unidiff_patch=patch, base_commit_id=start or ""), "m"
        )


async def test_a_remote_with_the_base_checked_out_says_what_to_do(
    tmp_path: Path, world: World
) -> None:
    """Git's refusal to push into a checked-out branch becomes a sentence with a remedy."""
    run(world.clone, "checkout", "-q", "main")
    forge = LocalGitForge(cache=tmp_path / "other", remotes={REPO: str(world.clone)})
    commit = world.commit({"b.txt": "two\n"}, "work")
    run(world.clone, "checkout", "-q", "main")
    await forge.fetch(REPO)
    async with forge.merged(
        REPO, base_branch="main", delivery=Delivery(commit=commit), message="m"
    ) as candidate:
        pass
    with pytest.raises(ForgeError, match="checked out") as caught:
        await forge.push_merge(REPO, **merging(candidate))
    assert "bare" in (caught.value.hint or "")


async def test_hooks_of_a_delivery_never_run(world: World, tmp_path: Path) -> None:
    """A hook in the mirror is not run by merge or commit."""
    commit = world.commit({"b.txt": "two\n"}, "work")
    await world.forge.fetch(REPO)
    mirror = next((tmp_path / "cache").glob("*.git"))
    hook = mirror / "hooks" / "post-merge"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\ntouch {tmp_path}/pwned\n")
    hook.chmod(0o755)
    async with world.forge.merged(
        REPO, base_branch="main", delivery=Delivery(commit=commit), message="m"
    ):
        pass
    assert not (tmp_path / "pwned").exists()


async def test_the_users_git_configuration_does_not_touch_a_delivery(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Filters, merge drivers and hooks a person has set up do not run on hostile files."""
    home = tmp_path / "home"
    (home / ".config" / "git").mkdir(parents=True)
    (home / ".config" / "git" / "attributes").write_text("* filter=evil merge=evil\n")
    touch = f"touch {tmp_path}/pwned"
    (home / ".gitconfig").write_text(
        f'[filter "evil"]\nsmudge = "{touch}; cat"\nclean = "{touch}; cat"\nrequired = true\n'
        f'[merge "evil"]\ndriver = "{touch}"\n[core]\nhooksPath = {home}/hooks\n'
        "[commit]\ngpgSign = true\n"
    )
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / ".config"))
    commit = world.commit_as_is({".gitattributes": "* filter=evil merge=evil\n", "b.txt": "two\n"})
    (tmp_path / "pwned").unlink(missing_ok=True)
    await world.forge.fetch(REPO)
    async with world.forge.merged(
        REPO, base_branch="main", delivery=Delivery(commit=commit), message="m"
    ) as candidate:
        assert candidate.worktree is not None
        assert (candidate.worktree / "b.txt").read_text() == "two\n"
    await world.forge.push_merge(REPO, **merging(candidate))
    assert not (tmp_path / "pwned").exists()


async def test_the_users_addresses_and_credentials_still_work(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`url.insteadOf` of the person's own configuration is followed for fetch and push."""
    home = tmp_path / "home"
    home.mkdir()
    (home / ".gitconfig").write_text(f'[url "{world.remote}"]\ninsteadOf = https://git.invalid/w\n')
    monkeypatch.setenv("HOME", str(home))
    forge = LocalGitForge(cache=tmp_path / "other", remotes={REPO: "https://git.invalid/w"})
    await forge.fetch(REPO)
    assert ["main"] == await forge.list_branches(REPO)


async def test_other_transports_are_refused(tmp_path: Path) -> None:
    """An address may not run a program."""
    remote = f"ext::touch {tmp_path}/pwned"
    with pytest.raises(ForgeError):
        await LocalGitForge(cache=tmp_path / "c", remotes={REPO: remote}).fetch(REPO)
    assert not (tmp_path / "pwned").exists()


async def test_two_programs_share_a_mirror(world: World, tmp_path: Path) -> None:
    """Many merges from several processes at once: none disturbs another's worktree or refs."""
    commit = world.commit({"b.txt": "two\n"}, "work")
    code = f"""
import asyncio, pathlib
from jules_job_manager.adapters.forges.local import LocalGitForge
from jules_job_manager.domain.review import Delivery

async def one(forge, n):
    await forge.fetch({REPO!r})
    async with forge.merged({REPO!r}, base_branch="main", message=f"m{{n}}",
                            delivery=Delivery(commit={commit!r})) as candidate:
        assert (candidate.worktree / "b.txt").read_text() == "two\\n"

async def main():
    forge = LocalGitForge(cache=pathlib.Path({str(tmp_path / "shared")!r}),
                          remotes={{{REPO!r}: {str(world.remote)!r}}})
    await asyncio.gather(*(one(forge, n) for n in range(4)))

asyncio.run(main())
"""
    programs = [await asyncio.create_subprocess_exec(sys.executable, "-c", code) for _ in range(3)]
    assert [0, 0, 0] == [await program.wait() for program in programs]


async def test_kept_commits_are_bounded(world: World, tmp_path: Path) -> None:
    """The oldest merges lose their ref, the newest keep it, and asking for a lost one says so."""
    forge = LocalGitForge(
        cache=tmp_path / "small", remotes={REPO: str(world.remote)}, kept_commits=2
    )
    commit = world.commit({"b.txt": "two\n"}, "work")
    await forge.fetch(REPO)
    merges = []
    for number in range(23):
        async with forge.merged(
            REPO, base_branch="main", delivery=Delivery(commit=commit), message=f"m{number}"
        ) as candidate:
            merges.append(candidate.commit)
    mirror = next((tmp_path / "small").glob("*.git"))
    kept = run(mirror, "for-each-ref", "--format=%(refname)", "refs/jjm/kept/").splitlines()
    assert len(kept) <= 3
    assert f"refs/jjm/kept/{merges[-1]}" in kept
    assert False is await forge.contains(REPO, "main", merges[-1])
    assert True is await forge.contains(REPO, "work", commit)
    assert None is await forge.contains(REPO, "main", "0" * 40)
    assert None is await forge.contains(REPO, "main", "--help")
    assert False is await forge.contains(REPO, "none", commit)


async def test_errors_name_no_password(tmp_path: Path) -> None:
    """The address in an error has its credentials masked."""
    forge = LocalGitForge(
        cache=tmp_path, remotes={REPO: "http://me:hunter2@127.0.0.1:1/acme/widgets.git"}
    )
    with pytest.raises(ForgeError) as caught:
        await forge.fetch(REPO)
    assert "hunter2" not in f"{caught.value!r}"
    with pytest.raises(ForgeError) as unknown:
        await forge.fetch("no/such")
    assert "--remote no/such=URL" in (unknown.value.hint or "")


@pytest.mark.parametrize("name", ["refs/remotes/origin/main.lock", "packed-refs.lock"])
async def test_a_lock_that_a_killed_git_left_is_removed(world, tmp_path, name):
    """Once it is older than git holds one; a fresh one may be in use."""
    world.commit({"b.txt": "one\n"}, "gone")
    await world.forge.fetch(REPO)
    [mirror] = (tmp_path / "cache").glob("*.git")
    run(mirror, "pack-refs", "--all")
    lock = mirror / name
    moved = world.commit({"a.txt": "two\n"}, "main")
    run(world.clone, "push", "-q", "origin", ":refs/heads/gone")
    lock.parent.mkdir(parents=True, exist_ok=True)
    lock.touch()
    with pytest.raises(ForgeError, match="fetch failed"):
        await world.forge.fetch(REPO)
    assert lock.exists()
    os.utime(lock, (0, 0))
    await world.forge.fetch(REPO)
    assert moved == await world.forge.head_commit(REPO, "main")
    assert not lock.exists()


async def test_the_same_merge_has_the_same_id_on_every_machine(world):
    """So that one may push what another checked: its date is that of what it merges, not now."""
    delivered = world.commit({"b.txt": "two\n"}, "work")
    tree = run(world.clone, "rev-parse", "HEAD^{tree}")
    person = "t <t@example.org> 4000000000 +0000"
    text = f"tree {tree}\nparent {delivered}\nauthor {person}\ncommitter {person}\n\nlater\n"
    made = subprocess.run(
        ["git", "hash-object", "-t", "commit", "-w", "--stdin"], cwd=world.clone, check=True,
        capture_output=True, text=True, input=text,
    )  # fmt: skip
    later = made.stdout.strip()
    run(world.clone, "push", "-q", "origin", f"{later}:refs/heads/later")
    await world.forge.fetch(REPO)
    async with world.forge.merged(
        REPO, base_branch="main", delivery=Delivery(commit=later), message="Merge it"
    ) as candidate:
        shown = run(candidate.worktree, "show", "-s", "--format=%ct %at", candidate.commit)
    assert "4000000000 4000000000" == shown
