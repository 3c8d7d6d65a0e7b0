"""Part of `tests-kept`: nothing takes the place of the test runner, or of what it imports."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator

from jules_job_manager.domain.change import Change, FileStatus
from jules_job_manager.domain.finding import Finding
from jules_job_manager.domain.rules.collected_tests import python_test_files
from jules_job_manager.domain.rules.python_code import Definition, functions, names_used

_RUNNERS = frozenset(
    {"pytest", "_pytest", "pluggy", "nose", "nose2", "coverage", "hypothesis", "xdist", "tox", "nox",
     "sitecustomize", "usercustomize"}
)  # fmt: skip
_SOURCES = ("", "src/", "tests/", "test/")
"""Folders that a runner puts before the standard library on the path of imports."""


def tests_shadowed(change: Change) -> Iterator[Finding]:
    """Yield new modules that are imported in place of a runner's, and loaders that load nothing.

    `python -m unittest` and pytest put the working folder, and pytest that of a test file without
    a package, before the standard library. Source: docs.python.org, "sys.path", read 2026-11.
    """
    for file in change.files:
        if file.status in {FileStatus.ADDED, FileStatus.RENAMED} and _module(file.path) is not None:
            name = _module(file.path)
            yield Finding(
                rule="tests-kept", path=file.path,
                message=f"It is imported in place of `{name}`, which test runners use.",
            )  # fmt: skip
    for tests in python_test_files(change):
        if tests.head is None:
            continue
        before = set() if tests.base is None else {ast.dump(f.node) for f in functions(tests.base)}
        for one in functions(tests.head):
            if one.name == "load_tests" and ast.dump(one.node) not in before and not _keeps(one):
                yield Finding(
                    rule="tests-kept", path=tests.path, line=one.node.lineno,
                    message="`load_tests` leaves out the tests that it is given.",
                )  # fmt: skip


def _module(path: str) -> str | None:
    """Return the module of a runner or of the standard library that the path stands before."""
    for source in _SOURCES:
        if not path.startswith(source):
            continue
        first, _, rest = path[len(source) :].partition("/")
        name = first.removesuffix(".py")
        is_module = (not rest and first.endswith(".py")) or rest in {"__init__.py", "__main__.py"}
        known = name in _RUNNERS or name in sys.stdlib_module_names
        # A folder of that name that stood there before is the project's own package.
        if is_module and known and name != "test":
            return name
    return None


def _keeps(one: Definition) -> bool:
    """Whether a loader uses the tests that it is given."""
    arguments = [*one.node.args.posonlyargs, *one.node.args.args]
    return len(arguments) < 2 or arguments[1].arg in names_used(one.node.body)
