"""Part of `tests-kept`: what a test is about is not replaced by a stand-in."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from jules_job_manager.domain.change import Change
from jules_job_manager.domain.finding import Finding, Level
from jules_job_manager.domain.rules.collected_tests import python_test_files, tests_of
from jules_job_manager.domain.rules.python_code import Function, last_name, text_constant


def tests_mocked(change: Change) -> Iterator[Finding]:
    """Yield new patches of a function or class that the same test then calls itself."""
    for file in python_test_files(change):
        for one in tests_of(file.head).values():
            called = {last_name(node) for node in ast.walk(one.node) if isinstance(node, ast.Call)}
            for target, line in _patched(one.node):
                if line in file.file.added_lines and target in called:
                    message = f"`{one.name}` replaces `{target}` and then tests the replacement."
                    yield Finding(
                        rule="tests-kept",
                        message=message,
                        path=file.path,
                        line=line,
                        level=Level.WARNING,
                    )


def _patched(node: Function) -> Iterator[tuple[str, int]]:
    for child in ast.walk(node):
        if not isinstance(child, ast.Call):
            continue
        name = last_name(child)
        if name in {"patch", "setattr"} and child.args:
            target = text_constant(child.args[0])
            if target is None and name == "setattr" and len(child.args) > 1:
                target = text_constant(child.args[1])
        elif name == "object" and len(child.args) > 1:
            target = text_constant(child.args[1])
        else:
            continue
        if target:
            yield target.rpartition(".")[2], child.lineno
