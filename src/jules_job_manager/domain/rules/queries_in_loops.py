"""Rule `no-n-plus-one`: no query for each of many things."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from jules_job_manager.domain.change import Change
from jules_job_manager.domain.finding import Finding
from jules_job_manager.domain.rules.python_code import last_name, own_nodes, python_files
from jules_job_manager.domain.rules.routes import is_query
from jules_job_manager.domain.rules.sources import is_test

_LOOPS = (ast.For, ast.AsyncFor, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_WRITES = frozenset({"create", "executemany", "insert", "commit"})


def no_n_plus_one(change: Change) -> Iterator[Finding]:
    """Yield queries in new or changed `for` loops and comprehensions."""
    for file in python_files(change):
        if is_test(file.path) or "migration" in file.path or "/versions/" in file.path:
            continue
        for loop in ast.walk(file.module):
            if not isinstance(loop, _LOOPS) or not file.is_added(loop):
                continue
            for node in _repeated(loop):
                if is_query(node) and last_name(node) not in _WRITES and file.is_added(node):
                    yield Finding(
                        rule="no-n-plus-one",
                        message=f"`{last_name(node)}` asks the database once for each turn of the loop.",
                        path=file.path,
                        line=getattr(node, "lineno", 0),
                    )


def _repeated(loop: ast.AST) -> Iterator[ast.AST]:
    """Yield what runs for each turn: not what is looped over."""
    parts: list[ast.AST]
    if isinstance(loop, ast.For | ast.AsyncFor):
        parts = list(loop.body)
    elif isinstance(loop, ast.DictComp):
        parts = [loop.key, loop.value]
    else:
        parts = (
            [loop.elt] if isinstance(loop, ast.ListComp | ast.SetComp | ast.GeneratorExp) else []
        )
    for part in parts:
        yield part
        yield from own_nodes(part)
