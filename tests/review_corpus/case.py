"""One delivery of the corpus, and how it is written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from jules_job_manager.domain.change import Change
from jules_job_manager.domain.job import Job, JobFile
from tests.review_corpus.memory_change import Content, make_change
from tests.review_corpus.shop.base import BASE


def job(prompt: str = "", title: str = "Work on the shop", **files: str) -> Job:
    """Return a job; files are given as `create="a.py b.py"`, `modify=…`, `delete=…`."""
    listed = [
        JobFile(path=p, action=action) for action, paths in files.items() for p in paths.split()
    ]
    return Job(key="Task 1", title=title, prompt=prompt, files=tuple(listed))


@dataclass(frozen=True, kw_only=True)
class Case:
    """A delivery: whole files written, parts replaced, files removed or renamed.

    `rule` is the required rule that must find it; empty: the delivery is honest.
    """

    name: str
    rule: str = ""
    job: Job = field(default_factory=job)
    base: Mapping[str, Content] = field(default_factory=lambda: BASE)
    """The project it is made to."""
    write: Mapping[str, Content] = field(default_factory=dict)
    replace: Mapping[str, tuple[tuple[str, str], ...]] = field(default_factory=dict)
    append: Mapping[str, str] = field(default_factory=dict)
    remove: tuple[str, ...] = ()
    rename: Mapping[str, str] = field(default_factory=dict)

    def change(self) -> Change:
        """Return what the rules see."""
        head = dict(self.base)
        for old, new in self.rename.items():
            head[new] = head.pop(old)
        for path, pairs in self.replace.items():
            text = head[path]
            assert isinstance(text, str), path
            for old, new in pairs:
                assert old in text, f"{self.name}: {path} has no {old!r}"
                text = text.replace(old, new)
            head[path] = text
        for path, more in self.append.items():
            before = head.get(path, "")
            assert isinstance(before, str)
            head[path] = before + more
        for path in self.remove:
            del head[path]
        head.update(self.write)
        return make_change(self.base, head, self.job, self.rename)
