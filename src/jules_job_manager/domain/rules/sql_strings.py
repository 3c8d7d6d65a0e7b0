"""Rule `no-sql-strings`: SQL is not built from values.

Only what can carry a value into the text counts: names of tables and columns, constants,
placeholders and numbers do not. Statements that make or drop things name only names.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from jules_job_manager.domain.change import Change
from jules_job_manager.domain.finding import Finding, Level
from jules_job_manager.domain.rules.python_code import (
    PythonFile,
    dotted,
    functions,
    last_name,
    own_nodes,
    python_files,
    text_constant,
)
from jules_job_manager.domain.rules.sources import is_test

_TAKES_SQL = frozenset(
    {"execute", "executemany", "executescript", "exec_driver_sql", "text", "raw", "read_sql",
     "read_sql_query", "fetch", "fetchrow", "fetchval", "fetch_all", "fetch_one", "RawSQL", "scalars", "scalar"}
)  # fmt: skip
_SQL = re.compile(
    r"^\s*(?:select\s[\s\S]*\bfrom\b|insert\s+(?:or\s+\w+\s+)?into\b|update\s+\S+\s+set\b|delete\s+from\b"
    r"|replace\s+into\b|merge\s+into\b|with\s+\w+[\s\S]*\bas\s*\()",
    re.IGNORECASE,
)
_HARMLESS = re.compile(
    r"table|column|schema|field_?names|placeholder|marks?$|holders$|quoted|ident|^cols?$|order_?by|direction|where|clause|conditions?$|^sql|_sql$|query$|_param$|escape",
    re.IGNORECASE,
)
_HARMLESS_CALLS = frozenset(
    {"int", "float", "len", "quote_ident", "quote_identifier", "Identifier", "quoted_name", "bool"}
)


def no_sql_strings(change: Change) -> Iterator[Finding]:
    """Yield calls that run SQL with a value written into it."""
    for file in python_files(change):
        scopes: list[ast.AST] = [file.module, *(one.node for one in functions(file.module))]
        for scope in scopes:
            yield from _in_scope(file, scope)


def _in_scope(file: PythonFile, scope: ast.AST) -> Iterator[Finding]:
    nodes = list(own_nodes(scope))
    texts: dict[str, ast.expr] = {}
    for node in nodes:
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            texts.update({t.id: node.value for t in targets if isinstance(t, ast.Name)})
    for node in nodes:
        if not (isinstance(node, ast.Call) and node.args and last_name(node) in _TAKES_SQL):
            continue
        given: ast.expr = node.args[0]
        source = texts.get(given.id, given) if isinstance(given, ast.Name) else given
        carried = _carried(source, texts)
        if carried and (file.is_added(node) or file.is_added(source)):
            yield Finding(
                rule="no-sql-strings",
                message=f"SQL is built from `{carried}`; pass it as a parameter.",
                path=file.path,
                line=source.lineno if file.is_added(source) else node.lineno,
                level=Level.WARNING if is_test(file.path) else Level.ERROR,
            )


def _carried(node: ast.expr, texts: dict[str, ast.expr]) -> str:
    """Return the value that a SQL text is built with; empty when there is none."""
    start, values = _pieces(node)
    if not values or not _SQL.match(start):
        return ""
    for value in values:
        if not _is_harmless(value, texts):
            return dotted(value) or ast.unparse(value)[:60]
    return ""


def _pieces(node: ast.expr) -> tuple[str, list[ast.expr]]:
    """Return the constant text of an expression that builds a string, and what is put into it."""
    if isinstance(node, ast.JoinedStr):
        text = "".join(text_constant(part) or " ? " for part in node.values)
        return text, [part.value for part in node.values if isinstance(part, ast.FormattedValue)]
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod):
        right = node.right
        values = list(right.elts) if isinstance(right, ast.Tuple) else [right]
        values = list(right.values) if isinstance(right, ast.Dict) else values
        return _pieces(node.left)[0], values
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        left, before = _pieces(node.left)
        right_text, after = _pieces(node.right)
        return left + right_text, [*before, *after]
    if (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "format"
    ):
        start = text_constant(node.func.value)
        return (start or ""), [*node.args, *(word.value for word in node.keywords)]
    constant = text_constant(node)
    return (constant, []) if constant is not None else ("", [node])


def _is_harmless(node: ast.expr, texts: dict[str, ast.expr], depth: int = 0) -> bool:
    if isinstance(node, ast.Constant):
        return True
    name = last_name(node)
    if isinstance(node, ast.Call):
        if name == "join" and isinstance(node.func, ast.Attribute):
            return text_constant(node.func.value) is not None and all(
                _joins_marks(arg, texts) for arg in node.args
            )
        return name in _HARMLESS_CALLS or "quote" in name or "escape" in name
    if isinstance(node, ast.Attribute | ast.Name):
        if name.isupper() or name.startswith("__") or _HARMLESS.search(name):
            return True
        if isinstance(node, ast.Name) and node.id in texts and depth < 4:
            return _is_harmless(texts[node.id], texts, depth + 1)
    if isinstance(node, ast.IfExp):
        return _is_harmless(node.body, texts, depth) and _is_harmless(node.orelse, texts, depth)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub | ast.FloorDiv):
        return _is_number(node.left) or _is_number(node.right)  # a text would not take it
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
        return any(text_constant(side) is not None for side in (node.left, node.right))
    return False


def _is_number(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, int | float)


def _joins_marks(node: ast.expr, texts: dict[str, ast.expr]) -> bool:
    """Whether a join is over placeholders: `"?" * n`, `["%s"] * n`, or a constant for each."""
    if isinstance(node, ast.GeneratorExp | ast.ListComp):
        element = node.elt
        return isinstance(element, ast.Constant) or (
            isinstance(element, ast.JoinedStr)
            and (text_constant(element.values[0]) or "").startswith((":", "$", "%("))
        )
    if isinstance(node, ast.List | ast.Tuple):
        return all(isinstance(item, ast.Constant) for item in node.elts)
    if isinstance(node, ast.BinOp):
        return isinstance(node.op, ast.Mult)
    return _is_harmless(node, texts, 1)
