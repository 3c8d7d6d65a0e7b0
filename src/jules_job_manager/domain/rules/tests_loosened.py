"""Part of `tests-kept`: assertions stay as strict as they were."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator

from jules_job_manager.domain.change import Change
from jules_job_manager.domain.finding import Finding, Level
from jules_job_manager.domain.rules.collected_tests import (
    TestFile,
    assertions,
    is_assertion,
    python_test_files,
)
from jules_job_manager.domain.rules.python_code import (
    Definition,
    functions,
    last_name,
    shown,
)
from jules_job_manager.domain.rules.sources import is_test
from jules_job_manager.domain.rules.strictness import Claim, claim_of, is_looser, proves_nothing

_CATCHES = frozenset({"AssertionError", "Exception", "BaseException"})


def tests_loosened(change: Change) -> Iterator[Finding]:
    """Yield assertions that are gone, prove less than before, prove nothing, or cannot fail."""
    code_changed = any(
        file.path.endswith(".py") and not is_test(file.path) for file in change.files
    )
    for file in python_test_files(change):
        if file.head is None:
            continue
        before = {one.name: one for one in functions(file.base)} if file.base is not None else {}
        for one in functions(file.head):
            yield from _empty(file, one)
            yield from _swallowed(file, one)
            old = before.get(one.name)
            if old is not None and ast.dump(old.node) != ast.dump(one.node):
                yield from _compared(file, old, one, code_changed=code_changed)


def _empty(file: TestFile, one: Definition) -> Iterator[Finding]:
    for node in assertions(one.node):
        if getattr(node, "lineno", 0) in file.file.added_lines and proves_nothing(node):
            yield _finding(
                f"`{shown(node)[:100]}` can never fail.", file.path, getattr(node, "lineno", 0)
            )


def _swallowed(file: TestFile, one: Definition) -> Iterator[Finding]:
    for node in ast.walk(one.node):
        inner: list[ast.stmt] = []
        if isinstance(node, ast.Try):
            inner = node.body if any(_lets_pass(handler) for handler in node.handlers) else []
        elif isinstance(node, ast.With):
            hides = any(
                isinstance(item.context_expr, ast.Call) and last_name(item.context_expr) == "suppress"
                and any(last_name(arg) in _CATCHES for arg in item.context_expr.args)
                for item in node.items
            )  # fmt: skip
            inner = node.body if hides else []
        lines = {getattr(node, "lineno", 0), *(h.lineno for h in getattr(node, "handlers", []))}
        asserts = any(
            isinstance(child, ast.Assert) or _is_unittest(child)
            for part in inner
            for child in ast.walk(part)
        )
        if asserts and not file.file.added_lines.isdisjoint(lines):
            yield _finding(
                f"A failed assertion of `{one.name}` is swallowed.",
                file.path,
                getattr(node, "lineno", 0),
            )


def _is_unittest(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and last_name(node).startswith("assert")


def _lets_pass(handler: ast.ExceptHandler) -> bool:
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    broad = handler.type is None or any(last_name(kind) in _CATCHES for kind in kinds)
    speaks = any(isinstance(node, ast.Raise) or is_assertion(node) for node in ast.walk(handler))
    return broad and not speaks


def _compared(
    file: TestFile, old: Definition, new: Definition, *, code_changed: bool
) -> Iterator[Finding]:
    before, after = assertions(old.node), assertions(new.node)
    gone, come = _difference(before, after), _difference(after, before)
    claims = [(node, claim) for node in come if (claim := claim_of(node)) is not None]
    for node in gone:
        claim = claim_of(node)
        twin = _twin(claim, claims)
        if claim is None or twin is None:
            continue
        claims.remove(twin)
        line = getattr(twin[0], "lineno", 0)
        if is_looser(claim, twin[1]):
            message = f"`{shown(twin[0])[:100]}` proves less than `{shown(node)[:100]}` did."
            yield _finding(message, file.path, line)
        elif (
            claim.kind == twin[1].kind == "equal"
            and claim.expected != twin[1].expected
            and code_changed
        ):
            message = f"`{new.name}` now expects `{twin[1].expected[:60]}` instead of `{claim.expected[:60]}`."
            yield _finding(message, file.path, line, Level.WARNING)
    fewer = len(before) - len(after)
    if fewer > 0 and not _merges(come) and not _is_parametrised_anew(old, new):
        message = f"{fewer} of {len(before)} assertions of `{new.name}` are gone."
        yield _finding(message, file.path, new.node.lineno)


def _difference(some: list[ast.AST], others: list[ast.AST]) -> list[ast.AST]:
    known = Counter(ast.dump(node) for node in others)
    left = []
    for node in some:
        text = ast.dump(node)
        if known[text]:
            known[text] -= 1
        else:
            left.append(node)
    return left


def _twin(claim: Claim | None, others: list[tuple[ast.AST, Claim]]) -> tuple[ast.AST, Claim] | None:
    if claim is None:
        return None
    return next((pair for pair in others if pair[1].about == claim.about), None)


def _merges(come: list[ast.AST]) -> bool:
    """Whether a new assertion compares a whole structure, or checks several things at once."""
    for node in come:
        test = node.test if isinstance(node, ast.Assert) else node
        if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.And):
            return True
        operands = test.comparators if isinstance(test, ast.Compare) else getattr(test, "args", [])
        if any(
            isinstance(part, ast.Dict | ast.List | ast.Tuple | ast.Set | ast.Call)
            for part in operands
        ):
            return True
        if isinstance(test, ast.Call) and last_name(test).lstrip("_").startswith(
            ("assert_", "check_", "verify")
        ):
            return True
        if isinstance(test, ast.Call) and last_name(test) == "all":
            return True
    return False


def _is_parametrised_anew(old: Definition, new: Definition) -> bool:
    return len(new.node.decorator_list) > len(old.node.decorator_list) and any(
        last_name(decorator) == "parametrize" for decorator in new.node.decorator_list
    )


def _finding(message: str, path: str, line: int, level: Level = Level.ERROR) -> Finding:
    return Finding(rule="tests-kept", message=message, path=path, line=line, level=level)
