"""Rule `no-canned-data`: what promises data does not hand out the same made-up answer."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from jules_job_manager.domain.change import Change
from jules_job_manager.domain.finding import Finding, Level
from jules_job_manager.domain.rules.python_code import (
    Definition,
    PythonFile,
    body_of,
    changed_functions,
    functions,
    last_name,
    module_of,
    names_used,
    parameters,
    python_files,
    text_constant,
)
from jules_job_manager.domain.rules.routes import route_of
from jules_job_manager.domain.rules.sources import base_path, is_data, is_generated, is_test

_FIXED = re.compile(
    r"health|live|ready|ping|status|version|about|info|root|home|index|robots|manifest|config|setting"
    r"|option|choice|openapi|schema|meta|constant|enum|languages|countries|features|permissions|webhook"
    r"|default|column|field|header|url|example|sample|demo|mapping|menu|label|help|docs|well-known|heartbeat|capabilit",
    re.IGNORECASE,
)
_FIXED_FILE = re.compile(
    r"(?:^|/)(?:settings?|config\w*|constants?|defaults|conf|seeds?|fixtures?|demo|samples?|mocks?|schemas?)(?:\.py$|/)",
    re.IGNORECASE,
)
_ASKS = re.compile(
    r"^_?(?:get|fetch|load|list|find|search|query|calculate|compute|predict|analy[sz]e|classify|score|lookup)_"
)
_GUESSES = re.compile(r"^_?(?:calculate|compute|predict|score|classify|analy[sz]e|estimate)_?")
_ACKNOWLEDGES = frozenset(
    {"status", "ok", "message", "detail", "success", "version", "name", "received", "accepted",
     "queued", "result", "error", "code", "service", "docs", "timestamp"}
)  # fmt: skip
_WRAPPERS = frozenset({"JSONResponse", "ORJSONResponse", "jsonify", "Response", "list", "dict"})


def no_canned_data(change: Change) -> Iterator[Finding]:
    """Yield changed functions whose whole answer is a constant although they promise data."""
    for file in python_files(change):
        unlike = is_test(file.path) or is_data(file.path) or _FIXED_FILE.search(file.path)
        if unlike or is_generated(file.path, file.text):
            continue
        before = _canned_before(change, file)
        for definition in changed_functions(file):
            if definition.name not in before and not definition.is_nested:
                yield from _look(file, definition)


def _canned_before(change: Change, file: PythonFile) -> set[str]:
    """Functions that gave a constant before: a table that is edited is a table."""
    base = module_of(change.base, base_path(file.file))
    return (
        set() if base is None else {d.name for d in functions(base) if answer_of(d)[0] is not None}
    )


def _look(file: PythonFile, definition: Definition) -> Iterator[Finding]:
    node = definition.node
    answer, is_random = answer_of(definition)
    if answer is None:
        return
    route = route_of(node)
    if _FIXED.search(node.name) or (
        route is not None and (_FIXED.search(route) or route in {"", "/"})
    ):
        return
    level = Level.ERROR
    if is_random:
        if not _GUESSES.search(node.name) or not parameters(node):
            return
        message = f"`{definition.name}` answers with a random value."
    elif route is not None:
        if _is_empty(answer):
            level = Level.WARNING
        elif not _is_rich(answer):
            return
        message = f"The route `{definition.name}` answers every request with the same made-up data."
    else:
        if not _ASKS.search(node.name) or not parameters(node) or not _is_table(answer):
            return
        inherits = definition.owner is not None and bool(definition.owner.bases)
        level = Level.WARNING if inherits else Level.ERROR
        message = f"`{definition.name}` looks at none of its arguments and returns the same data."
    yield Finding(
        rule="no-canned-data", message=message, path=file.path, line=node.lineno, level=level
    )


def answer_of(definition: Definition) -> tuple[ast.expr | None, bool]:
    """Return the only thing a function returns, if it is constant, and whether it is random.

    A sleep or an import before it, and one name given to it, change nothing.
    """
    body = [node for node in body_of(definition.node) if not _is_beside(node)]
    if not body or not isinstance(body[-1], ast.Return) or body[-1].value is None or len(body) > 2:
        return None, False
    answer: ast.expr = body[-1].value
    if len(body) == 2:
        first = body[0]
        target = (
            first.targets[0] if isinstance(first, ast.Assign) else getattr(first, "target", None)
        )
        value = getattr(first, "value", None)
        alone = (
            isinstance(answer, ast.Name) and isinstance(target, ast.Name) and target.id == answer.id
        )
        if not alone or not isinstance(value, ast.expr):
            return None, False
        answer = value
    if isinstance(answer, ast.Call) and _is_random(answer):
        unused = names_used([answer]).isdisjoint(arg.arg for arg in parameters(definition.node))
        return (answer, True) if unused else (None, False)
    if isinstance(answer, ast.Call) and last_name(answer) in _WRAPPERS and len(answer.args) == 1:
        answer = answer.args[0]
    return (answer, False) if is_constant(answer) else (None, False)


def _is_beside(node: ast.stmt) -> bool:
    """Whether a statement has no part in the answer: an import, or a sleep."""
    value = node.value if isinstance(node, ast.Expr) else None
    value = value.value if isinstance(value, ast.Await) else value
    sleeps = isinstance(value, ast.Call) and last_name(value) == "sleep"
    return sleeps or isinstance(node, ast.Import | ast.ImportFrom)


def _is_random(call: ast.Call) -> bool:
    inner = call.args[0] if last_name(call) == "round" and call.args else call
    name = ast.dump(inner.func) if isinstance(inner, ast.Call) else ""
    return "'random'" in name and last_name(inner) in {
        "random",
        "uniform",
        "randint",
        "choice",
        "gauss",
    }


def is_constant(node: ast.expr) -> bool:
    """Return whether the node is a list, dict, tuple or set made of constants alone."""
    if not isinstance(node, ast.List | ast.Dict | ast.Tuple | ast.Set):
        return False
    kinds = (ast.List, ast.Dict, ast.Tuple, ast.Set, ast.Constant, ast.Load, ast.UnaryOp, ast.USub)
    return all(isinstance(child, kinds) for child in ast.walk(node))


def _is_empty(node: ast.expr) -> bool:
    return not list(ast.iter_child_nodes(node)) or (
        isinstance(node, ast.List | ast.Tuple) and not node.elts
    )


def _is_table(node: ast.expr) -> bool:
    """Whether it is a list with records, or a record with three members or a nested one."""
    if isinstance(node, ast.List | ast.Tuple):
        return any(isinstance(item, ast.Dict) and len(item.keys) >= 2 for item in node.elts)
    if isinstance(node, ast.Dict):
        return len(node.keys) >= 3 or any(_is_table(value) for value in node.values)
    return False


def _is_rich(node: ast.expr) -> bool:
    if isinstance(node, ast.Dict):
        keys = {text_constant(key) or "" for key in node.keys if key is not None}
        return not keys <= _ACKNOWLEDGES and (len(keys) >= 2 or any(map(_is_table, node.values)))
    return _is_table(node)
