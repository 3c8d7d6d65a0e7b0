"""Part of `tests-kept`: no test is skipped, emptied or left early."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from jules_job_manager.domain.change import Change
from jules_job_manager.domain.finding import Finding, Level
from jules_job_manager.domain.rules.collected_tests import (
    TestFile,
    is_assertion,
    python_test_files,
    tests_of,
)
from jules_job_manager.domain.rules.python_code import (
    Definition,
    body_of,
    dotted,
    last_name,
    own_nodes,
    shown,
)
from jules_job_manager.domain.rules.sources import is_test_file

_SKIPS = frozenset({"skip", "skipif", "skipIf", "skipUnless", "xfail", "expectedFailure"})
_CALLS = frozenset(
    {
        "pytest.skip",
        "pytest.xfail",
        "pytest.exit",
        "self.skipTest",
        "unittest.SkipTest",
        "SkipTest",
        "skip",
        "xfail",
        "os._exit",
    }
)


def tests_skipped(change: Change) -> Iterator[Finding]:
    """Yield new marks, calls and assignments that keep tests from running to their end."""
    for file in python_test_files(change):
        if file.head is None or not is_test_file(file.path):
            continue
        yield from _marked(file)
        yield from _module_wide(file)
        before = tests_of(file.base)
        for name, one in tests_of(file.head).items():
            yield from _inside(file, one, is_old=name in before)


def _marked(file: TestFile) -> Iterator[Finding]:
    assert file.head is not None
    old_names = {*tests_of(file.base), *(_classes(file.base))}
    for node in ast.walk(file.head):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            continue
        for decorator in node.decorator_list:
            if decorator.lineno not in file.file.added_lines:
                continue
            is_old = any(name.rpartition(".")[2] == node.name for name in old_names)
            level = mark_level(decorator, is_old=is_old)
            if level is not None:
                message = f"`{node.name}` is marked with `{shown(decorator)[:100]}`."
                yield _finding(message, file.path, decorator.lineno, level)
            yield from _cases(file, node.name, decorator)


def _classes(module: ast.Module | None) -> Iterator[str]:
    for node in ast.walk(module) if module is not None else ():
        if isinstance(node, ast.ClassDef):
            yield node.name


def _cases(file: TestFile, name: str, decorator: ast.expr) -> Iterator[Finding]:
    """Marks on single cases, and parametrisation with no case at all."""
    if not isinstance(decorator, ast.Call) or last_name(decorator) != "parametrize":
        return
    values = decorator.args[1] if len(decorator.args) > 1 else None
    if isinstance(values, ast.List | ast.Tuple) and not values.elts:
        yield _finding(
            f"`{name}` is parametrised with no case, so it never runs.", file.path, decorator.lineno
        )
    for child in ast.walk(decorator):
        if isinstance(child, ast.keyword) and child.arg == "marks":
            level = mark_level(child.value, is_old=True)
            if level is not None:
                yield _finding(
                    f"A case of `{name}` is marked with `{shown(child.value)[:80]}`.",
                    file.path,
                    child.value.lineno,
                    Level.WARNING,
                )


def mark_level(mark: ast.expr, *, is_old: bool) -> Level | None:
    """Return how bad a mark is; None: it skips nothing.

    Args:
        mark: A decorator, or what is given to `pytestmark`.
        is_old: Whether the base has the test already.
    """
    name = last_name(mark)
    if name not in _SKIPS:
        return None
    arguments = mark.args if isinstance(mark, ast.Call) else []
    if name in {"skip", "expectedFailure"}:
        return Level.ERROR
    if name == "xfail":
        return Level.ERROR if is_old else Level.WARNING
    condition = arguments[0] if arguments else None
    if condition is None or isinstance(condition, ast.Constant):
        value = condition.value if isinstance(condition, ast.Constant) else True
        never = not value if name == "skipUnless" else bool(value) and not isinstance(value, str)
        return Level.ERROR if never or value in {"True", "1"} else Level.WARNING
    in_ci = "'CI'" in shown(condition) or "GITHUB_ACTIONS" in shown(condition)
    return Level.ERROR if is_old and in_ci else Level.WARNING


def _module_wide(file: TestFile) -> Iterator[Finding]:
    assert file.head is not None
    for node in own_nodes(file.head):
        line = getattr(node, "lineno", 0)
        if line not in file.file.added_lines:
            continue
        if isinstance(node, ast.Assign):
            yield from _assigned(file, node)
        elif isinstance(node, ast.Delete):
            for target in node.targets:
                if last_name(target).startswith("test"):
                    yield _finding(
                        f"`{shown(target)}` is deleted after it was defined.", file.path, line
                    )
        elif isinstance(node, ast.Call) and dotted(node) in _CALLS:
            conditional = line not in {statement.lineno for statement in file.head.body}
            yield _finding(
                "The whole file is skipped.",
                file.path,
                line,
                Level.WARNING if conditional else Level.ERROR,
            )
    for child in ast.walk(file.head):
        if (
            isinstance(child, ast.Assign)
            and child.lineno in file.file.added_lines
            and _is_off(child)
        ):
            yield _finding(
                "`__test__ = False` hides the class or the file from the runner.",
                file.path,
                child.lineno,
                # Nothing that was run before is hidden in a file that was not there.
                Level.WARNING if file.base is None else Level.ERROR,
            )


def _is_off(node: ast.Assign) -> bool:
    value = node.value.value if isinstance(node.value, ast.Constant) else True
    return not value and any(last_name(target) == "__test__" for target in node.targets)


def _assigned(file: TestFile, node: ast.Assign) -> Iterator[Finding]:
    for target in node.targets:
        name = dotted(target)
        if name == "pytestmark":
            marks = (
                node.value.elts if isinstance(node.value, ast.List | ast.Tuple) else [node.value]
            )
            for mark in marks:
                level = mark_level(mark, is_old=file.base is not None)
                if level is not None:
                    yield _finding(
                        f"Every test of the file is marked with `{shown(mark)[:80]}`.",
                        file.path,
                        node.lineno,
                        level,
                    )
        elif name.startswith("test_") and name in tests_of(file.head):
            yield _finding(f"`{name}` is replaced after it was defined.", file.path, node.lineno)


def _inside(file: TestFile, one: Definition, *, is_old: bool) -> Iterator[Finding]:
    added = file.file.added_lines
    body = body_of(one.node)
    for index, node in enumerate(body):
        line = node.lineno
        rest = body[index + 1 :]
        if line not in added:
            continue
        if isinstance(node, ast.Return) and rest:
            yield _finding(f"`{one.name}` returns before its end.", file.path, line)
        elif isinstance(node, ast.If | ast.While) and _never(node.test) and node.body:
            yield _finding(f"A part of `{one.name}` never runs.", file.path, line)
        elif (
            isinstance(node, ast.If)
            and any(isinstance(part, ast.Return) for part in node.body)
            and _checks(rest)
        ):
            level = Level.ERROR if isinstance(node.test, ast.Constant) else Level.WARNING
            yield _finding(f"`{one.name}` returns early under a condition.", file.path, line, level)
    top = {statement.lineno for statement in body}
    for child in own_nodes(one.node):
        call = child.exc if isinstance(child, ast.Raise) else child
        line = getattr(child, "lineno", 0)
        if (
            isinstance(call, ast.Call | ast.Name | ast.Attribute)
            and line in added
            and _stops(call, child)
        ):
            level = Level.ERROR if line in top else Level.WARNING
            yield _finding(f"`{one.name}` skips itself.", file.path, line, level)
    if is_old:
        return
    if (
        body
        and not any(is_assertion(child) for child in ast.walk(one.node))
        and one.node.lineno in added
    ):
        yield _finding(
            f"The new test `{one.name}` asserts nothing.", file.path, one.node.lineno, Level.WARNING
        )


def _stops(call: ast.AST, node: ast.AST) -> bool:
    return dotted(call) in _CALLS and (isinstance(node, ast.Raise) or isinstance(call, ast.Call))


def _never(test: ast.expr) -> bool:
    return (isinstance(test, ast.Constant) and not test.value) or dotted(test).endswith(
        "TYPE_CHECKING"
    )


def _checks(nodes: list[ast.stmt]) -> bool:
    return any(is_assertion(child) for node in nodes for child in ast.walk(node))


def _finding(message: str, path: str, line: int, level: Level = Level.ERROR) -> Finding:
    return Finding(rule="tests-kept", message=message, path=path, line=line, level=level)
