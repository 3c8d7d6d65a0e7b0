"""Lost work comes back as a branch of a person's own clone, and nothing else there changes."""

from __future__ import annotations

import hashlib
import subprocess

import pytest

from jules_job_manager.adapters.forges.own_clone import OwnClone
from jules_job_manager.domain.artifact import ChangeSet
from jules_job_manager.domain.job import Attempt, AttemptState, Job, JobStatus
from jules_job_manager.domain.task import JulesTask, TaskStatus
from jules_job_manager.errors import ForgeError, InvalidInputError, OperationFailedError
from jules_job_manager.services.recovery import Recovery

pytestmark = pytest.mark.integration
PERSON = ["-c", "user.name=T", "-c", "user.email=t@example.com"]
LINES = "".join(f"line {n}\n" for n in range(9))
JOB = Job(key="JJM-007", title="Greet", status=JobStatus.FAILED, repository="octo/demo",
          base_branch="main")  # fmt: skip


class Clone:
    """A person's clone, with a change they have not committed and one they have staged."""

    def __init__(self, folder) -> None:
        self.folder = folder
        subprocess.run(["git", "init", "-q", "-b", "main", folder], check=True)
        self.first = self.commit({"a.py": LINES})

    def git(self, *arguments: str, check: bool = True) -> str:
        command = ["git", "-C", str(self.folder), *PERSON, *arguments]
        done = subprocess.run(command, check=check, capture_output=True, text=True)
        return done.stdout.strip()

    def commit(self, files: dict[str, str]) -> str:
        for name, text in files.items():
            (self.folder / name).write_text(text)
        self.git("add", "-A")
        self.git("commit", "-q", "--no-verify", "-m", "change")
        return self.git("rev-parse", "HEAD")

    def patch(self, files: dict[str, str]) -> str:
        """Return these changes as Jules would tell them, and undo them."""
        before = self.git("rev-parse", "HEAD")
        self.commit(files)
        command = [
            "git",
            "-C",
            str(self.folder),
            "diff",
            "--full-index",
            "--binary",
            before,
            "HEAD",
        ]
        text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        self.git("reset", "-q", "--hard", before)
        return text

    def untidy(self) -> None:
        (self.folder / "a.py").write_text("mine, unsaved\n")
        (self.folder / "staged.py").write_text("mine\n")
        self.git("add", "staged.py")

    def state(self) -> object:
        """Return all that must stay as it is: files, index, branch, settings, stash, other refs."""
        files = {
            str(path.relative_to(self.folder)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in self.folder.rglob("*")
            if path.is_file() and ".git/objects" not in str(path) and "recovered" not in str(path)
        }
        refs = [r for r in self.git("for-each-ref").splitlines() if "recovered" not in r]
        return files, refs, self.git("ls-files", "--stage")


@pytest.fixture
def clone(tmp_path):
    return Clone(tmp_path / "clone")


@pytest.fixture
def keep(store):
    """Return a function that stores a job, and for each attempt a task with these patches."""

    async def kept(*attempts: tuple[str, list[ChangeSet]], job: Job = JOB) -> Job:
        await store.jobs.save_jobs([job])
        for number, (task_id, patches) in enumerate(attempts, start=1):
            for patch in patches or [None]:
                outputs = () if patch is None else (patch,)
                await store.tasks.save_tasks(
                    [JulesTask(id=task_id, status=TaskStatus.FAILED, repository="octo/demo",
                               branch="main", title="t", outputs=outputs)]
                )  # fmt: skip
            await store.jobs.save_attempt(
                Attempt(mark=f"m{number}", job_key=job.key, number=number, task_id=task_id,
                        state=AttemptState.FAILED)
            )  # fmt: skip
        return job

    return kept


def change(clone: Clone, files: dict[str, str], *, base: str | None = None) -> ChangeSet:
    return ChangeSet(
        unidiff_patch=clone.patch(files), base_commit_id=base or clone.git("rev-parse", "HEAD"),
        suggested_commit_message="Greet people",
    )  # fmt: skip


def recovery(store, clone: Clone) -> Recovery:
    return Recovery(store=store, clone=OwnClone(clone.folder))


async def test_the_newest_kept_work_of_a_job_becomes_a_branch_on_its_base(store, clone, keep):
    """The clone moved on and is untidy; only the branch is new."""
    old, new = change(clone, {"b.py": "old\n"}), change(clone, {"b.py": "new\n", "ü.py": "x\n"})
    job = await keep(("11", [old]), ("22", [change(clone, {"b.py": "half\n"}), new]), ("33", []))
    clone.commit({"a.py": "all new\n"})
    clone.untidy()
    before = clone.state()
    service = recovery(store, clone)
    work = await service.of_job(job)
    assert ("22", ("11",), "recovered/jjm-007-22") == (work.task_id, work.others, work.branch)
    made = await service.rebuild(work)
    assert (True, clone.first) == (made.on_own_base, made.onto)
    assert made.commit == clone.git("rev-parse", work.branch)
    assert clone.first == clone.git("rev-parse", f"{work.branch}~1")
    assert "new" == clone.git("show", f"{work.branch}:b.py")
    assert "Greet people\n\nJules task: 22" == clone.git("log", "-1", "--format=%B", work.branch)
    assert before == clone.state()
    assert "" == clone.git("fsck", "--strict")


async def test_no_hook_filter_or_driver_of_the_clone_runs(store, clone, keep, tmp_path):
    """Those are programs, and the patch says which files they are given."""
    ran = tmp_path / "ran"
    job = await keep(("11", [change(clone, {"a.py": LINES + "mine\n", ".gitattributes":
        "* filter=x diff=x merge=x\n"}, base="1" * 40)]))  # fmt: skip
    clone.commit({"a.py": "first\n" + LINES, ".gitattributes": "* filter=x merge=x\n"})
    clone.git("reset", "-q", "--hard")
    hook = f"#!/bin/sh\ntouch '{ran}'\n"
    for name in ("reference-transaction", "pre-commit", "post-commit", "post-index-change"):
        (clone.folder / ".git" / "hooks").mkdir(exist_ok=True)
        (clone.folder / ".git" / "hooks" / name).write_text(hook)
        (clone.folder / ".git" / "hooks" / name).chmod(0o755)
    with (clone.folder / ".git" / "config").open("a") as config:
        for section in ("filter", "diff", "merge"):
            names = {"filter": ("clean", "smudge"), "diff": ("textconv",), "merge": ("driver",)}
            lines = "".join(f"  {name} = touch '{ran}'; cat\n" for name in names[section])
            config.write(f'[{section} "x"]\n{lines}')
        config.write(f"[core]\n  fsmonitor = touch '{ran}'\n")
    service = recovery(store, clone)
    work = await service.of_job(job)
    made = await service.rebuild(work)
    assert made.commit or made.conflicts
    assert not ran.exists()


async def test_without_its_base_commit_the_work_is_merged_into_the_base_branch(store, clone, keep):
    """As the remote has it; the base moved on in other lines."""
    job = await keep(("11", [change(clone, {"a.py": LINES + "mine\n"}, base="1" * 40)]))
    tip = clone.commit({"a.py": "first\n" + LINES})
    clone.git("update-ref", "refs/remotes/origin/main", tip)
    clone.commit({"a.py": "not pushed\n"})
    service = recovery(store, clone)
    work = await service.of_job(job)
    made = await service.rebuild(work, branch="again")
    assert (False, "refs/remotes/origin/main") == (made.on_own_base, made.onto)
    assert f"first\n{LINES}mine" == clone.git("show", "again:a.py")
    assert tip == clone.git("rev-parse", "again~1")


async def test_conflicts_are_named_and_nothing_is_left_in_the_clone(store, clone, keep):
    """Not even an object."""
    job = await keep(("11", [change(clone, {"a.py": "mine\n"}, base="1" * 40)]))
    clone.commit({"a.py": "theirs\n"})
    clone.untidy()
    before, objects = clone.state(), clone.git("count-objects", "-v")
    service = recovery(store, clone)
    made = await service.rebuild(await service.of_job(job))
    assert ("", ("a.py",)) == (made.commit, made.conflicts)
    assert (before, objects) == (clone.state(), clone.git("count-objects", "-v"))
    assert "" == clone.git("for-each-ref", "refs/heads/recovered")


async def test_a_patch_that_fits_nowhere_says_what_git_said(store, clone, keep):
    """On its own base it is damaged."""
    good = change(clone, {"a.py": LINES + "mine\n"})
    bad = ChangeSet(unidiff_patch=good.unidiff_patch.replace(" line 8", " line 99"),
                    base_commit_id=clone.first)  # fmt: skip
    job = await keep(("11", [bad]))
    service = recovery(store, clone)
    made = await service.rebuild(await service.of_job(job))
    assert ("", ()) == (made.commit, made.conflicts)
    assert "patch failed: a.py" in made.problem


async def test_a_dry_run_tries_it_and_makes_nothing(store, clone, keep):
    """No branch and no object, and yet it knows whether the work fits."""
    job = await keep(("11", [change(clone, {"b.py": "x\n"})]))
    before, objects = clone.git("for-each-ref"), clone.git("count-objects", "-v")
    service = recovery(store, clone)
    made = await service.rebuild(await service.of_job(job), dry_run=True)
    assert made.commit
    assert (before, objects) == (clone.git("for-each-ref"), clone.git("count-objects", "-v"))


async def test_work_that_the_base_branch_holds_makes_no_branch(store, clone, keep):
    """It says so instead."""
    job = await keep(("11", [change(clone, {"b.py": "x\n"}, base="1" * 40)]))
    clone.commit({"b.py": "x\n"})
    service = recovery(store, clone)
    made = await service.rebuild(await service.of_job(job))
    assert (True, "") == (made.nothing_new, made.commit)


@pytest.mark.parametrize("name", ["main", "-x", "a..b", "HEAD", "a b", "x.lock", "@{-1}", "a/b/"])
async def test_no_branch_is_overwritten_and_no_odd_name_is_taken(store, clone, keep, name):
    """The branch stays where it was."""
    job = await keep(("11", [change(clone, {"b.py": "x\n"})]))
    before = clone.git("for-each-ref")
    service = recovery(store, clone)
    work = await service.of_job(job)
    with pytest.raises(InvalidInputError):
        await service.rebuild(work, branch=name)
    assert before == clone.git("for-each-ref")


async def test_paths_out_of_the_clone_are_refused(store, clone, keep):
    """A patch is hostile: neither `..` nor `.git` is written."""
    for path in ("../evil", ".git/hooks/pre-commit"):
        text = f"diff --git a/{path} b/{path}\nnew file mode 100755\n--- /dev/null\n+++ b/{path}\n@@ -0,0 +1 @@\n+x\n"
        job = await keep(("11", [ChangeSet(unidiff_patch=text, base_commit_id=clone.first)]))
        service = recovery(store, clone)
        made = await service.rebuild(await service.of_job(job))
        assert ("", True) == (made.commit, "invalid path" in made.problem)
        await store.tasks.delete_task("11")


async def test_wrong_places_and_lost_patches_are_told(store, clone, keep, tmp_path):
    """Each says what to do next."""
    work_of = change(clone, {"b.py": "x\n"}, base="1" * 40)
    job = await keep(("11", [work_of]), ("22", []))
    service = recovery(store, clone)
    with pytest.raises(OperationFailedError, match="No patch of task 22 was kept"):
        await service.of_job(job, "22")
    with pytest.raises(InvalidInputError, match="is not one of JJM-007"):
        await service.of_job(job, "9999")
    elsewhere = Recovery(store=store, clone=OwnClone(tmp_path))
    with pytest.raises(ForgeError, match="is no clone that git can use"):
        await elsewhere.rebuild(await service.of_task("11"))
    clone.git("branch", "-m", "main", "trunk")
    with pytest.raises(
        ForgeError, match=r"has neither the commit 111111111111 .* nor a branch main"
    ):
        await service.rebuild(await service.of_task("11"))


async def test_a_clone_is_known_by_its_remotes(clone):
    """By name on a forge, or by the address that is configured."""
    own = OwnClone(clone.folder)
    assert not await own.is_of("octo/demo")
    clone.git("remote", "add", "origin", "git@github.com:Octo/demo.git")
    assert await own.is_of("octo/demo")
    assert not await own.is_of("to/demo")
    assert not await own.is_of("octo/demo2")
    assert await own.is_of("x/y", "git@github.com:Octo/demo.git")


async def test_it_works_from_a_subfolder_of_a_linked_worktree(store, clone, keep, tmp_path):
    """Where people are when they type it."""
    job = await keep(("11", [change(clone, {"b.py": "x\n"})]))
    clone.git("worktree", "add", "-q", "--detach", str(tmp_path / "linked"))
    (tmp_path / "linked" / "deep").mkdir()
    service = Recovery(store=store, clone=OwnClone(tmp_path / "linked" / "deep"))
    made = await service.rebuild(await service.of_job(job), branch="here")
    assert made.commit == clone.git("rev-parse", "here")
