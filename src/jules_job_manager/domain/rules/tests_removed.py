"""Part of `tests-kept`: no test file and no test goes away."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator

from jules_job_manager.domain.change import Change, FileStatus
from jules_job_manager.domain.finding import Finding, Level
from jules_job_manager.domain.rules.collected_tests import (
    TestFile,
    body_text,
    collects,
    python_test_files,
    tests_of,
)
from jules_job_manager.domain.rules.leave import may_delete, prompt_names, speaks_of_removal
from jules_job_manager.domain.rules.python_code import (
    Definition,
    decorator_names,
    functions,
    module_of,
    names_used,
    text_constant,
)
from jules_job_manager.domain.rules.sources import base_path, is_test_file

_ALIKE = 0.7
_WORD = re.compile(r"'[^']*'|\d+")
"""Names and constants of a dumped syntax tree."""


def tests_removed(change: Change) -> Iterator[Finding]:
    """Yield the tests of the base that no longer run, and test names given twice."""
    files = list(python_test_files(change))
    new = _Pool(files)
    for file in files:
        if file.base is not None and collects(file):
            yield from _gone(change, file, new)
        yield from _shadowed(file)
    for changed in change.files:
        other = not changed.path.endswith(".py") and changed.status is FileStatus.DELETED
        if other and is_test_file(changed.path) and not may_delete(change.job, changed.path):
            yield _finding("The test file was deleted.", changed.path)


class _Pool:
    """Tests that the delivery adds anywhere, each good for one that is gone."""

    def __init__(self, files: list[TestFile]) -> None:
        self.names: Counter[str] = Counter()
        self.bodies: list[Counter[str]] = []
        self.parametrised = 0
        self.plain = 0
        for file in files:
            before = tests_of(file.base)
            for name, one in tests_of(file.head).items():
                if name not in before and is_test_file(file.path):
                    self.names[one.node.name] += 1
                    self.bodies.append(_words(body_text(one.node)))
                    self.plain += 1
                old = before.get(name)
                count = cases(one)
                extra = count - cases(old) if old is not None else count if count > 1 else 0
                self.parametrised += max(0, extra)

    def takes(self, one: Definition) -> bool:
        """Return whether a new test stands for the one that is gone, and use it up."""
        if self.names[one.node.name]:
            self.names[one.node.name] -= 1
            return True
        body = _words(body_text(one.node))
        for index, other in enumerate(self.bodies):
            if _is_alike(body, other):
                del self.bodies[index]
                return True
        if self.parametrised:
            self.parametrised -= 1
            return True
        return False


def _words(body: str) -> Counter[str]:
    return Counter(_WORD.findall(body))


def _is_alike(one: Counter[str], other: Counter[str]) -> bool:
    """Whether most words of two bodies are the same: linear, unlike a true comparison."""
    total = one.total() + other.total()
    return total > 0 and 2 * (one & other).total() >= _ALIKE * total


def cases(one: Definition) -> int:
    """Return how many cases a test is parametrised with; 1 when it is not, or that cannot be seen."""
    count = 1
    for decorator in one.node.decorator_list:
        if isinstance(decorator, ast.Call) and len(decorator.args) >= 2:
            values = decorator.args[1]
            if decorator_names(one.node) and isinstance(values, ast.List | ast.Tuple):
                count *= max(1, len(values.elts))
    return count


def _gone(change: Change, file: TestFile, pool: _Pool) -> Iterator[Finding]:
    after = tests_of(file.head) if is_test_file(file.path) else {}
    removed = [one for name, one in tests_of(file.base).items() if name not in after]
    left = {f.node.name for f in functions(file.head)} if file.head is not None else set()
    still = [one for one in removed if not pool.takes(one)]
    if file.head is None and file.file.status is not FileStatus.DELETED:
        return  # it does not parse: another rule says so
    is_gone = file.file.status is FileStatus.DELETED
    if not still or (is_gone and may_delete(change.job, file.path)):
        return
    if is_gone:
        message = f"The test file was deleted with {len(still)} of its tests."
        yield _finding(message, file.path, _level(change, file, still))
        return
    for one in still:
        renamed = next(
            (name for name in left if name != one.node.name and name.endswith(one.node.name)), ""
        )
        what = f"was renamed to `{renamed}`, which no runner collects" if renamed else "was removed"
        level = Level.ERROR if renamed else _level(change, file, [one])
        yield _finding(f"The test `{one.name}` {what}.", file.path, level)


def _level(change: Change, file: TestFile, gone: list[Definition]) -> Level:
    """A job about taking something out takes its tests too, if what they used is gone."""
    if not speaks_of_removal(change.job):
        return Level.ERROR
    if prompt_names(change.job, base_path(file.file)):
        return Level.WARNING
    lost = _lost_names(change)
    return Level.WARNING if all(_mentions(one, lost) for one in gone) else Level.ERROR


def _lost_names(change: Change) -> set[str]:
    """Names, and stems of files, that the delivery takes out of code that is no test."""
    lost: set[str] = set()
    for file in change.files:
        if not file.path.endswith(".py") or is_test_file(base_path(file)):
            continue
        before = module_of(change.base, base_path(file))
        after = None if file.status is FileStatus.DELETED else module_of(change.head, file.path)
        if before is not None:
            lost |= _defined(before) - (_defined(after) if after is not None else set())
        if file.status is FileStatus.DELETED:
            lost.add(file.path.rpartition("/")[2].removesuffix(".py"))
    return lost


def _defined(module: ast.Module) -> set[str]:
    names = {one.node.name for one in functions(module)}
    names |= {node.name for node in ast.walk(module) if isinstance(node, ast.ClassDef)}
    texts = (text_constant(node) or "" for node in ast.walk(module))
    return names | {text for text in texts if text.startswith("/") and len(text) > 1}


def _mentions(one: Definition, lost: set[str]) -> bool:
    used = names_used([one.node])
    used |= {node.attr for node in ast.walk(one.node) if isinstance(node, ast.Attribute)}
    texts = [text_constant(node) or "" for node in ast.walk(one.node)]
    return not used.isdisjoint(lost) or any(
        name.startswith("/") and name in text for text in texts for name in lost
    )


def _shadowed(file: TestFile) -> Iterator[Finding]:
    if file.head is None or not is_test_file(file.path):
        return
    seen: set[str] = set()
    for one in functions(file.head):
        is_new = one.node.lineno in file.file.added_lines
        if one.node.name.startswith("test") and not one.is_nested:
            if one.name in seen and is_new:
                message = f"The test `{one.name}` is defined twice, so the first never runs."
                yield _finding(message, file.path, line=one.node.lineno)
            seen.add(one.name)


def _finding(message: str, path: str, level: Level = Level.ERROR, line: int = 0) -> Finding:
    return Finding(rule="tests-kept", message=message, path=path, line=line, level=level)
