"""Part of `tests-kept`: tests in JavaScript and TypeScript, read line by line."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from jules_job_manager.domain.change import Change, ChangedFile, FileStatus
from jules_job_manager.domain.finding import Finding, Level
from jules_job_manager.domain.rules.leave import may_delete, speaks_of_removal
from jules_job_manager.domain.rules.sources import (
    SCRIPT,
    added_text,
    base_path,
    is_test_file,
    suffix,
    text_of,
)

_OFF = re.compile(
    r"\b(?:it|test|describe|context|suite)\.(?:skip|only|todo|fixme|fails)\b|\b(?:xit|xtest|xdescribe|xcontext|fit|fdescribe)\s*\("
)
_TITLE = re.compile(
    r"(?<![\w.])(?:it|test)(?:\.(?:each|concurrent|skip|only)[^(]*(?:\([^()]*\))?)?\s*\(\s*([\"'`])(.+?)\1"
)
_EXPECT = re.compile(r"\bexpect\s*\((?P<about>.*?)\)\s*\.(?:(?P<not>not)\.)?(?P<how>to\w+)\s*\(")
_VACUOUS = re.compile(
    r"\bexpect\s*\(\s*(true|false|1|null)\s*\)\s*\.to(?:Be|Equal|StrictEqual)\s*\(\s*\1\s*\)|\bassert(?:\.ok)?\s*\(\s*true\s*[,)]"
)
_EXACT = frozenset(
    {"toBe", "toEqual", "toStrictEqual", "toHaveLength", "toHaveBeenCalledWith", "toMatchObject"}
)
_LOOSE = frozenset({"toBeTruthy", "toBeDefined", "toContain", "toBeGreaterThan", "toBeGreaterThanOrEqual",
                    "toBeLessThan", "toHaveBeenCalled", "toBeInstanceOf", "toMatch", "toHaveProperty"})  # fmt: skip


def tests_in_scripts(change: Change) -> Iterator[Finding]:
    """Yield tests that are switched off, gone, or prove less."""
    files = [f for f in change.files if suffix(f.path) in SCRIPT and is_test_file(base_path(f))]
    titles = _new_titles(change, files)
    for file in files:
        for number, line in added_text(change, file):
            code = _without_comment(line)
            if _OFF.search(code):
                yield _finding(
                    "A test is switched off, or switches off the others.", file.path, number
                )
            elif _VACUOUS.search(code):
                yield _finding("The expectation can never fail.", file.path, number)
        if file.status not in {FileStatus.ADDED, FileStatus.DELETED}:
            yield from _compared(change, file, titles)


def _compared(change: Change, file: ChangedFile, new_titles: Counter[str]) -> Iterator[Finding]:
    before, after = _code(change, file, head=False), _code(change, file, head=True)
    had, has = _titles(before), _titles(after)
    gone = had - has
    level = (
        Level.WARNING
        if speaks_of_removal(change.job) or may_delete(change.job, file.path)
        else Level.ERROR
    )
    renamed = sum((has - had).values())
    for title, count in gone.items():
        if new_titles[title] < count and renamed < count:
            yield _finding(f"The test {title!r} was removed.", file.path, 0, level)
        renamed -= count
    if not gone and not has - had and before.count("expect(") > after.count("expect("):
        yield _finding("There are fewer expectations than before.", file.path, 0)
    added = dict(added_text(change, file))
    old = [claim for line in _removed(change, file) for claim in _claims(line)]
    for number, line in added.items():
        for about, how in _claims(_without_comment(line)):
            if how in _LOOSE and any(a == about and h in _EXACT for a, h in old):
                yield _finding(f"`{how}` proves less than what stood here.", file.path, number)


def _new_titles(change: Change, files: list[ChangedFile]) -> Counter[str]:
    found: Counter[str] = Counter()
    for file in files:
        after = _titles(_code(change, file, head=True))
        found += after - _titles(_code(change, file, head=False))
    return found


def _claims(line: str) -> Iterator[tuple[str, str]]:
    for found in _EXPECT.finditer(line):
        if not found["not"]:
            yield found["about"].strip(), found["how"]


def _removed(change: Change, file: ChangedFile) -> Iterator[str]:
    lines = (text_of(change.base, base_path(file)) or "").split("\n")
    for number in sorted(file.removed_lines):
        if 0 < number <= len(lines):
            yield _without_comment(lines[number - 1])


def _code(change: Change, file: ChangedFile, *, head: bool) -> str:
    if head and file.status is FileStatus.DELETED:
        return ""
    text = text_of(change.head, file.path) if head else text_of(change.base, base_path(file))
    plain = re.sub(r"/\*.*?\*/", "", text or "", flags=re.DOTALL)
    return "\n".join(map(_without_comment, plain.split("\n")))


def _titles(code: str) -> Counter[str]:
    return Counter(found[1] for found in _TITLE.findall(code))


def _without_comment(line: str) -> str:
    return "" if line.lstrip().startswith(("//", "*")) else line


def _finding(message: str, path: str, line: int, level: Level = Level.ERROR) -> Finding:
    return Finding(rule="tests-kept", message=message, path=path, line=line, level=level)
