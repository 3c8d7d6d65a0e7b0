"""The tests of Python files, before and after."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from jules_job_manager.domain.change import Change, ChangedFile, FileStatus
from jules_job_manager.domain.rules.python_code import (
    Definition,
    Function,
    docstring_of,
    functions,
    last_name,
    module_of,
)
from jules_job_manager.domain.rules.sources import base_path, is_test, is_test_file


@dataclass(frozen=True, kw_only=True)
class TestFile:
    """A changed Python file of tests, as it was and as it is. None: it is not there, or broken."""

    __test__ = False  # for pytest, which would take the name for a test class
    file: ChangedFile
    base: ast.Module | None
    head: ast.Module | None

    @property
    def path(self) -> str:
        """Its name in the merge result, or in the base when it is gone."""
        return self.file.path


def python_test_files(change: Change) -> Iterator[TestFile]:
    """Yield the changed Python files that are tests, or that only tests use."""
    for file in change.files:
        if not file.path.endswith(".py") or not (is_test(file.path) or is_test(base_path(file))):
            continue
        gone = file.status is FileStatus.DELETED
        yield TestFile(
            file=file,
            base=None
            if file.status is FileStatus.ADDED
            else module_of(change.base, base_path(file)),
            head=None if gone else module_of(change.head, file.path),
        )


def tests_of(module: ast.Module | None) -> dict[str, Definition]:
    """Return the tests a runner would collect, by qualified name."""
    if module is None:
        return {}
    return {
        one.name: one
        for one in functions(module)
        if one.node.name.startswith("test") and not one.is_nested
    }


def collects(file: TestFile) -> bool:
    """Return whether a runner collects tests from the file as it was."""
    return is_test_file(base_path(file.file))


def body_text(node: Function) -> str:
    """Return a normalised text of what a function does, without its name and docstring."""
    body = node.body[1:] if docstring_of(node) else node.body
    return "\n".join(ast.dump(part) for part in body)


def assertions(node: ast.AST) -> list[ast.AST]:
    """Return what can fail a test below the node: asserts, `self.assert…`, `raises`, own checks."""
    return sorted(
        (child for child in ast.walk(node) if is_assertion(child)),
        key=lambda child: getattr(child, "lineno", 0),
    )


def is_assertion(node: ast.AST) -> bool:
    """Return whether the node can fail a test on purpose."""
    if isinstance(node, ast.Assert):
        return True
    if not isinstance(node, ast.Call):
        return False
    name = last_name(node).lstrip("_")
    return name.startswith(("assert", "check_", "expect", "verify")) or name in {
        "raises",
        "fail",
        "warns",
        "check",
    }
