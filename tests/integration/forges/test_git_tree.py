"""A delivery as rules see it, read from real git objects."""

from __future__ import annotations

import os
import subprocess

import pytest

from jules_job_manager.adapters.forges.git_tree import change_of, diffs_of, file_of
from jules_job_manager.domain.change import FileKind, FileStatus
from jules_job_manager.domain.job import Job
from jules_job_manager.errors import ForgeError

pytestmark = pytest.mark.integration
PERSON = {
    f"GIT_{who}_{what}": "t@example.org"
    for who in ("AUTHOR", "COMMITTER")
    for what in ("NAME", "EMAIL")
}


class Repository:
    def __init__(self, folder) -> None:
        self.folder = folder
        self.git("init", "-q", "-b", "main")

    def git(self, *words: str) -> str:
        done = subprocess.run(
            ["git", *words], cwd=self.folder, capture_output=True, text=True, check=True,
            env={"PATH": os.environ["PATH"], **PERSON},
        )  # fmt: skip
        return done.stdout.strip()

    def commit(self, files=None, gone=()) -> str:
        for name, content in (files or {}).items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        for name in gone:
            (self.folder / name).unlink()
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", "x")
        return self.git("rev-parse", "HEAD")


@pytest.fixture
def repository(tmp_path):
    return Repository(tmp_path)


async def changed(repository, base, head):
    return await change_of(repository.folder, job=Job(key="k"), base=base, head=head)


async def test_lines_and_statuses(repository):
    """Added, changed, deleted, renamed with a change, emptied, and without a last line end."""
    body = b"".join(b"line %d\n" % n for n in range(1, 31))
    base = repository.commit({"a.py": body, "old name.py": body + b"old\n", "gone.py": b"1\n2\n"})
    edited = body.replace(b"line 2\n", b"").replace(b"line 9\n", b"nine\nnine\n")
    head = repository.commit(
        {"a.py": edited, "new name.py": body + b"new", "empty.py": b""},
        gone=("gone.py", "old name.py"),
    )
    files = {file.path: file for file in (await changed(repository, base, head)).files}
    assert (FileStatus.MODIFIED, {8, 9}, {2, 9}) == (
        files["a.py"].status, files["a.py"].added_lines, files["a.py"].removed_lines,
    )  # fmt: skip
    assert (FileStatus.DELETED, {1, 2}) == (files["gone.py"].status, files["gone.py"].removed_lines)
    moved = files["new name.py"]
    assert (FileStatus.RENAMED, "old name.py", {31}) == (
        moved.status,
        moved.old_path,
        moved.added_lines,
    )
    assert (FileStatus.ADDED, frozenset()) == (
        files["empty.py"].status,
        files["empty.py"].added_lines,
    )


async def test_trees_are_read_without_following_anything(repository):
    """Links give their target, submodules nothing; what is too long is not read."""
    repository.git("init", "-q", "sub")
    Repository(repository.folder / "sub").commit({"x": b"x"})
    base = repository.commit({"crlf.txt": b"a\r\nb\r\n", ".gitattributes": b"*.txt text eol=lf\n"})
    (repository.folder / "link").symlink_to("/etc/passwd")
    (repository.folder / "run.sh").write_text("#!/bin/sh\n")
    (repository.folder / "run.sh").chmod(0o755)
    head = repository.commit({"bin": b"\0\1\2" * 100, "ümlaut\n.txt": b"odd\n"})
    change = await changed(repository, base, head)
    tree = change.head
    assert (FileKind.SYMLINK, "/etc/passwd", None) == (
        tree.kind("link"), tree.link_target("link"), tree.read("link"),
    )  # fmt: skip
    assert FileKind.SUBMODULE is tree.kind("sub")
    assert FileKind.EXECUTABLE is tree.kind("run.sh")
    assert (b"odd\n", None) == (tree.read("ümlaut\n.txt"), tree.read("bin", limit=10))
    assert (300, 0, None, None) == (
        tree.size("bin"),
        tree.size("none"),
        tree.kind("none"),
        tree.read("none"),
    )
    assert list(tree.paths()) == sorted(tree.paths())
    files = {file.path: file for file in change.files}
    assert files["bin"].is_binary
    assert {1} == files["ümlaut\n.txt"].added_lines


async def test_a_file_that_becomes_a_link_does_not_shift_the_others(repository):
    """Git writes two patches for it."""
    base = repository.commit({"a": b"1\n2\n3\n", "b": b"1\n"})
    (repository.folder / "a").unlink()
    (repository.folder / "a").symlink_to("b")
    head = repository.commit({"b": b"1\n2\n", "content": b"diff --git a/x b/x\n@@ -1 +7 @@\n"})
    files = {file.path: file for file in (await changed(repository, base, head)).files}
    assert (FileStatus.TYPE_CHANGED, {1, 2, 3}) == (files["a"].status, files["a"].removed_lines)
    assert ({2}, {1, 2}) == (files["b"].added_lines, files["content"].added_lines)


async def test_one_file_and_unknown_commits(repository):
    """Only a regular file counts; a commit that is not there is an error."""
    (repository.folder / "link.toml").symlink_to("x.toml")
    head = repository.commit({"x.toml": b"a = 1\n"})
    assert b"a = 1\n" == await file_of(repository.folder, head, "x.toml")
    assert await file_of(repository.folder, head, "link.toml") is None
    assert await file_of(repository.folder, head, "none") is None
    assert () == (await changed(repository, head, head)).files
    with pytest.raises(ForgeError, match="git diff failed"):
        await changed(repository, head, "0" * 40)


async def test_a_delivery_cannot_hide_its_lines_with_attributes(repository, tmp_path_factory):
    """A mirror is bare, and git reads no attributes of a commit there."""
    base = repository.commit({"a.py": b"A = 1\n"})
    head = repository.commit({"a.py": b"A = 2\n", ".gitattributes": b"*.py -diff binary\n"})
    mirror = tmp_path_factory.mktemp("mirror")
    repository.git("clone", "-q", "--bare", ".", str(mirror / "m.git"))
    change = await change_of(mirror / "m.git", job=Job(key="k"), base=base, head=head)
    file = next(file for file in change.files if file.path == "a.py")
    assert ({1}, {1}, False) == (file.added_lines, file.removed_lines, file.is_binary)


async def test_the_diff_of_each_file(repository):
    """As people read it; a binary file has none."""
    base = repository.commit({"a.py": b"1\n2\n", "old.py": b"x\n" * 20})
    head = repository.commit(
        {"a.py": b"1\n3\n", "new.py": b"x\n" * 20 + b"y\n", "b": b"\0\1"}, gone=("old.py",)
    )
    diffs = {file.path: file.diff for file in await diffs_of(repository.folder, base, head)}
    assert {"a.py", "new.py", "b"} == set(diffs)
    assert "@@ -1,2 +1,2 @@\n 1\n-2\n+3" in diffs["a.py"]
    assert "rename from old.py" in diffs["new.py"]
    assert diffs["b"] is None
