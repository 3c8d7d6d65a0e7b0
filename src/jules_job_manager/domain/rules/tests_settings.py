"""Part of `tests-kept`: the settings and hooks of test runners leave no test out."""

from __future__ import annotations

import ast
import configparser
import json
import re
import tomllib
from collections.abc import Iterator
from typing import Any

from jules_job_manager.domain.change import Change, ChangedFile, FileStatus, Tree
from jules_job_manager.domain.finding import Finding, Level
from jules_job_manager.domain.rules.python_code import functions, module_of, own_nodes, shown
from jules_job_manager.domain.rules.sources import (
    added_text,
    base_path,
    removed_text,
    suffix,
    text_of,
)

_FILES = frozenset(
    {"pytest.ini", ".pytest.ini", "tox.ini", "setup.cfg", "pyproject.toml", "pytest.toml"}
)
_LEAVES_OUT = re.compile(
    r"^(?:-k|--ignore(?:-glob)?|--deselect|-m|--co|--collect-only|--lf|--last-failed|--ff|--maxfail|--no-cov|-x|--exitfirst|--sw)(?:=|$)|^-k\S|^no:"
)
_NARROWS = frozenset({"python_files", "python_functions", "python_classes", "testpaths"})
_WIDENS = frozenset({"norecursedirs", "collect_ignore", "collect_ignore_glob"})
_HOOKS = frozenset(
    {"pytest_runtest_makereport", "pytest_runtest_call", "pytest_runtest_protocol", "pytest_sessionfinish",
     "pytest_ignore_collect", "pytest_pyfunc_call", "pytest_runtestloop", "pytest_report_teststatus",
     "pytest_collect_file", "pytest_pycollect_makeitem"}
)  # fmt: skip
_ALTERS = re.compile(
    r"\boutcome\s*=|\.outcome\b.*=|exitstatus\s*=|force_result|\bskip\b|\bxfail\b|return True|'passed'|\"passed\""
    r"|os\._exit|\.clear\(|items\[:\]|\.wasxfail|return None|excinfo\s*=",
)
_RUNNER = re.compile(
    r"\b(?:pytest|unittest|tox|nox|jest|vitest|mocha|npm (?:run )?test|yarn test|go test|cargo test|make test)\b"
)
_ANYWAY = re.compile(
    r"\|\|\s*(?:true|:|exit 0|echo\b)|;\s*(?:true|exit 0)\b|--passWithNoTests|--exit-zero|\|\s*cat\s*$"
)
_SCRIPTS = frozenset({"sh", "bash", "yml", "yaml", "ini", "toml", "cfg", "mk"})


def tests_settings(change: Change) -> Iterator[Finding]:
    """Yield settings, hooks and commands by which fewer tests run, or failures do not count."""
    known = removed_text(change)
    for file in change.files:
        if file.status is FileStatus.DELETED:
            continue
        name = file.path.rpartition("/")[2]
        if name in _FILES:
            yield from _options(change, file, name)
        elif name == "conftest.py":
            yield from _hooks(change, file)
        elif name == "package.json":
            yield from _package(change, file)
        yield from _commands(change, file, name, known)


def _options(change: Change, file: ChangedFile, name: str) -> Iterator[Finding]:
    before, after = (
        _settings(t, p, name) for t, p in ((change.base, base_path(file)), (change.head, file.path))
    )
    old, new = _words(before.get("addopts")), _words(after.get("addopts"))
    for word in new:
        if word not in old and _LEAVES_OUT.search(word):
            yield _finding(f"`addopts` now has `{word}`: not every test runs any more.", file.path)
    for key in sorted(_NARROWS):
        if key in after and before.get(key) != after[key] and (key in before or key != "testpaths"):
            kept = set(_words(before.get(key))) <= set(_words(after[key]))
            if before.get(key) is None or not kept:
                yield _finding(f"`{key}` was changed: other tests are collected now.", file.path)
    for key in sorted(_WIDENS):
        more = set(_words(after.get(key))) - set(_words(before.get(key)))
        if any("test" in word for word in more):
            yield _finding(f"`{key}` leaves out more tests.", file.path)
    least = _number(before.get("fail_under")), _number(after.get("fail_under"))
    if least[0] is not None and (least[1] is None or least[1] < least[0]):
        yield _finding("Less coverage is asked for than before.", file.path)
    if _words(before.get("xfail_strict")) == ["true"] and _words(after.get("xfail_strict")) != [
        "true"
    ]:
        yield _finding("Tests that are expected to fail may now pass unseen.", file.path)


def _settings(tree: Tree, path: str, name: str) -> dict[str, Any]:
    """Return the settings of pytest and coverage as one table; empty when unreadable."""
    text = text_of(tree, path) or ""
    try:
        if name.endswith(".toml"):
            tool = tomllib.loads(text).get("tool", {})
            pytest = tool.get("pytest", {})
            report = tool.get("coverage", {}).get("report", {})
            return {
                **{k: v for k, v in pytest.items() if not isinstance(v, dict)},
                **pytest.get("ini_options", {}),
                **report,
            }
        parser = configparser.RawConfigParser(strict=False)
        parser.read_string(text)
        sections = [
            s
            for s in parser.sections()
            if s in {"pytest", "tool:pytest", "coverage:report", "report"}
        ]
        return {key: value for section in sections for key, value in parser.items(section)}
    except (ValueError, AttributeError, TypeError, configparser.Error, RecursionError):
        return {}


def _words(value: object) -> list[str]:
    if isinstance(value, list):
        return [str(part) for part in value]
    return (
        []
        if value is None
        else str(value).lower().split()
        if isinstance(value, bool)
        else str(value).split()
    )


def _number(value: object) -> float | None:
    try:
        return None if value is None else float(str(value))
    except ValueError:
        return None


def _hooks(change: Change, file: ChangedFile) -> Iterator[Finding]:
    head, base = module_of(change.head, file.path), module_of(change.base, base_path(file))
    if head is None:
        return
    before = {one.name: ast.dump(one.node) for one in functions(base)} if base is not None else {}
    for one in functions(head):
        if before.get(one.name) == ast.dump(one.node):
            continue
        text = shown(one.node)
        if one.name in _HOOKS and _ALTERS.search(text):
            yield _finding(
                f"The hook `{one.name}` alters what tests report.", file.path, one.node.lineno
            )
        elif one.name == "pytest_collection_modifyitems" and _ALTERS.search(text):
            asked = (
                "getoption" in text or "getvalue" in text or "environ" in text or "platform" in text
            )
            level = Level.WARNING if asked else Level.ERROR
            yield _finding("The hook leaves out or skips tests.", file.path, one.node.lineno, level)
    for node in own_nodes(head):
        if (
            isinstance(node, ast.Assign | ast.AugAssign | ast.AnnAssign)
            and node.lineno in file.added_lines
        ):
            target = node.targets[0] if isinstance(node, ast.Assign) else node.target
            if shown(target) in {"collect_ignore", "collect_ignore_glob"}:
                yield _finding(f"`{shown(target)}` leaves tests out.", file.path, node.lineno)


def _package(change: Change, file: ChangedFile) -> Iterator[Finding]:
    before, after = (
        _test_command(text_of(t, p))
        for t, p in ((change.base, base_path(file)), (change.head, file.path))
    )
    if before and before != after:
        empty = not after or re.fullmatch(r"\s*(?:exit 0|true|:|echo\b.*)\s*", after)
        if empty or _ANYWAY.search(after):
            yield _finding(
                "The test command no longer runs the tests, or passes whatever they say.", file.path
            )
        elif _RUNNER.search(before) and not _RUNNER.search(after):
            yield _finding(
                "The test command runs something else now.", file.path, level=Level.WARNING
            )


def _test_command(text: str | None) -> str:
    try:
        data = json.loads(text or "{}")
    except (ValueError, RecursionError):
        return ""
    scripts = data.get("scripts") if isinstance(data, dict) else None
    return str(scripts.get("test", "")) if isinstance(scripts, dict) else ""


def _commands(
    change: Change, file: ChangedFile, name: str, known: frozenset[str]
) -> Iterator[Finding]:
    if suffix(file.path) not in _SCRIPTS and name not in {
        "Makefile",
        "makefile",
        "justfile",
        "Justfile",
        "Jenkinsfile",
    }:
        return
    for number, line in added_text(change, file):
        ignored = name.lower() == "makefile" and line.startswith("\t-")
        if (
            _RUNNER.search(line)
            and (_ANYWAY.search(line) or ignored)
            and line.strip() not in known
            and not line.lstrip().startswith("#")
        ):
            yield _finding("The tests are run, and their failure is ignored.", file.path, number)


def _finding(message: str, path: str, line: int = 0, level: Level = Level.ERROR) -> Finding:
    return Finding(rule="tests-kept", message=message, path=path, line=line, level=level)
