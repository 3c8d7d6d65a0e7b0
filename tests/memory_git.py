"""Git in memory: branches and commits that the simulator and the forge share."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from jules_job_manager.adapters.backends.simulator.git_work import Change, Commit
from jules_job_manager.domain.review import Delivery
from jules_job_manager.errors import ForgeError
from jules_job_manager.ports.forge import MergeCandidate, Merged
from tests.review_corpus.memory_change import make_change

Tree = Mapping[str, str]


@dataclass(frozen=True)
class Node:
    """A commit: its parents and every file."""

    parents: tuple[str, ...]
    files: Tree


class MemoryGit:
    """Repositories by `owner/name`, which is their URL too: a GitWork and a Forge in one."""

    def __init__(self, *repositories: str) -> None:
        self.nodes: dict[str, Node] = {}
        self._ancestors: dict[str, frozenset[str]] = {}
        self.refs: dict[str, dict[str, str]] = {}
        for repository in repositories:
            self.refs[repository] = {"main": self._add((), {"README.md": repository}, "Begin")}

    def _add(self, parents: tuple[str, ...], files: Tree, words: str) -> str:
        told = repr((parents, sorted(files.items()), words)).encode()
        commit = hashlib.sha1(told, usedforsecurity=False).hexdigest()
        self.nodes[commit] = Node(parents, dict(files))
        older = [self._ancestors[parent] for parent in parents]
        self._ancestors[commit] = frozenset({commit}).union(*older)
        return commit

    def is_ancestor(self, old: str, new: str) -> bool:
        """Whether `new` holds `old`."""
        return old in self._ancestors[new]

    def _merge_base(self, one: str, other: str) -> str:
        common = self._ancestors[one] & self._ancestors[other]
        return max(common, key=lambda commit: len(self._ancestors[commit]))

    # What the pretend Jules does.

    def branches(self, url: str) -> dict[str, str]:
        return dict(self.refs[url])

    def _changed(self, start: str, change: Change) -> str:
        files = {k: v for k, v in self.nodes[start].files.items() if k not in change.delete}
        return self._add((start,), files | dict(change.files), f"{change.message}{change.at}")

    def commit_and_push(self, url, *, base, base_branch, branch, own_head, change) -> Commit:
        there = self.refs[url].get(branch, "")
        made = ""
        if there and there != own_head:
            made = self._changed(own_head or base, change)
        if not made or made != there:
            made = self._changed(there or own_head or base, change)
            self.refs[url][branch] = made
        return Commit(id=made, patch=self._patch(base, made))

    def overwrite(self, url, *, base, base_branch, branch, change) -> Commit:
        made = self.refs[url][branch] = self._changed(base, change)
        return Commit(id=made, patch=self._patch(base, made))

    def pieces(self, url, *, base, base_branch, change) -> list[str]:
        return [f"diff --git a/{name} b/{name}\n" for name in change.files]

    def _patch(self, base: str, made: str) -> str:
        old, new = self.nodes[base].files, self.nodes[made].files
        names = sorted(n for n in old.keys() | new.keys() if old.get(n) != new.get(n))
        return "".join(f"diff --git a/{n} b/{n}\n--- a/{n}\n+++ b/{n}\n" for n in names)

    # What the forge does.

    async def fetch(self, repository: str) -> None:
        if repository not in self.refs:
            raise ForgeError(f"No remote is known for {repository}.")

    async def head_commit(self, repository: str, branch: str) -> str | None:
        return self.refs[repository].get(branch)

    async def list_branches(self, repository: str) -> list[str]:
        return sorted(self.refs[repository])

    async def contains(self, repository: str, branch: str, commit: str) -> bool | None:
        head = self.refs[repository].get(branch)
        if commit not in self.nodes:
            return None
        return head is not None and self.is_ancestor(commit, head)

    async def read_file(self, repository: str, commit: str, path: str) -> bytes | None:
        text = self.nodes[commit].files.get(path)
        return None if text is None else text.encode()

    async def change(self, repository, *, job, base, head):
        return make_change(self.nodes[base].files, self.nodes[head].files, job)

    async def merge_base(self, repository: str, one: str, other: str) -> str | None:
        return self._merge_base(one, other)

    async def diffs(self, repository, base, head):
        return ()

    async def tree(self, repository: str, commit: str) -> str:
        return repr(sorted(self.nodes[commit].files.items()))

    async def deliver_patch(self, repository, change_set, message) -> Delivery:
        raise ForgeError("Patches are not applied in memory.")

    @asynccontextmanager
    async def merged(self, repository, *, base_branch, delivery, message):
        head = self.refs[repository][base_branch]
        if delivery.commit not in self.nodes:
            raise ForgeError(f"There is no commit {delivery.commit}.")
        files, conflicts = self._merge(head, delivery.commit)
        if conflicts:
            yield MergeCandidate(base_commit=head, conflicts=conflicts)
            return
        commit = head
        if not self.is_ancestor(delivery.commit, head):
            commit = self._add((head, delivery.commit), files, message)
        with tempfile.TemporaryDirectory() as folder:
            _check_out(files, Path(folder))
            yield MergeCandidate(base_commit=head, commit=commit, worktree=Path(folder))

    def _merge(self, head: str, other: str) -> tuple[Tree, tuple[str, ...]]:
        old = self.nodes[self._merge_base(head, other)].files
        ours, theirs = self.nodes[head].files, self.nodes[other].files
        files, conflicts = {}, []
        for name in sorted({*old, *ours, *theirs}):
            was, mine, yours = old.get(name), ours.get(name), theirs.get(name)
            if mine != yours and was not in (mine, yours):
                conflicts.append(name)
            chosen = yours if mine == was else mine
            if chosen is not None:
                files[name] = chosen
        return files, tuple(conflicts)

    @asynccontextmanager
    async def merged_in_turn(self, repository, *, base_branch, deliveries):
        head, found = self.refs[repository][base_branch], []
        with tempfile.TemporaryDirectory() as folder:
            for delivery, message in deliveries:
                files, conflicts = self._merge(head, delivery.commit)
                if conflicts:
                    found.append(MergeCandidate(base_commit=head, conflicts=conflicts))
                    break
                commit = head
                if not self.is_ancestor(delivery.commit, head):
                    commit = self._add((head, delivery.commit), files, message)
                found.append(MergeCandidate(base_commit=head, commit=commit, worktree=Path(folder)))
                head = commit
            _check_out(self.nodes[head].files, Path(folder))
            yield found

    async def push_merge(self, repository, *, job, base_branch, delivery, candidate) -> Merged:
        if not candidate.commit:
            raise ForgeError("There is no merge to push.")
        if self.refs[repository][base_branch] != candidate.base_commit:
            raise ForgeError("The branch moved meanwhile.", context={"moved": True})
        self.refs[repository][base_branch] = candidate.commit
        return Merged(commit=candidate.commit)


def _check_out(files: Tree, folder: Path) -> None:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
