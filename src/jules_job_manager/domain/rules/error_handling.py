"""Rule `error-handling`: errors are not swallowed."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from jules_job_manager.domain.change import Change
from jules_job_manager.domain.finding import Finding
from jules_job_manager.domain.rules.python_code import last_name, python_files
from jules_job_manager.domain.rules.sources import is_test

_BROAD = frozenset({"Exception", "BaseException"})
_SPEAKS = frozenset(
    {"exception", "error", "warning", "warn", "critical", "log", "info", "debug", "print",
     "capture_exception", "print_exc", "add", "append", "put", "abort", "fail", "exit", "rollback"}
)  # fmt: skip


def error_handling(change: Change) -> Iterator[Finding]:
    """Yield new handlers that catch everything by accident or say nothing about what they caught."""
    for file in python_files(change):
        if is_test(file.path):
            continue
        for node in ast.walk(file.module):
            if isinstance(node, ast.ExceptHandler) and file.is_added(node):
                message = _problem(node)
                if message:
                    yield Finding(
                        rule="error-handling", message=message, path=file.path, line=node.lineno
                    )


def _problem(handler: ast.ExceptHandler) -> str:
    if any(isinstance(node, ast.Raise) for node in ast.walk(handler)):
        return ""
    if handler.type is None:
        return "A bare `except:` also catches Ctrl-C and exits."
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    if not any(last_name(kind) in _BROAD for kind in kinds):
        return ""
    calls = {last_name(node) for node in ast.walk(handler) if isinstance(node, ast.Call)}
    named = handler.name is not None and any(
        isinstance(node, ast.Name) and node.id == handler.name for node in ast.walk(handler)
    )
    if named or not calls.isdisjoint(_SPEAKS):
        return ""
    return "Every error is swallowed here and nothing is said about it."
