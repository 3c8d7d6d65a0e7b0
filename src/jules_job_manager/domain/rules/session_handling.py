"""Rule `session-handling`: a database session that is opened is closed.

A session here is SQLAlchemy's; the rest of the program has no such word.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from jules_job_manager.domain.change import Change
from jules_job_manager.domain.finding import Finding
from jules_job_manager.domain.rules.python_code import (
    changed_functions,
    last_name,
    own_nodes,
    python_files,
)
from jules_job_manager.domain.rules.sources import is_test

_OPENS = re.compile(
    r"^(?:Async)?(?:Scoped)?Session(?:Local|Maker|Factory)?$|^(?:session_?(?:local|factory|maker)|get_session|async_session)$"
)
_ENDS = frozenset({"close", "aclose", "remove"})


def session_handling(change: Change) -> Iterator[Finding]:
    """Yield sessions that a changed function opens and neither closes, yields nor hands on."""
    for file in python_files(change):
        if is_test(file.path) or (
            "sqlalchemy" not in file.text.lower() and "Session" not in file.text
        ):
            continue
        for one in changed_functions(file):
            nodes = list(own_nodes(one.node))
            for node in nodes:
                name = _opened(node)
                if name and file.is_added(node) and not _is_ended(nodes, name):
                    message = f"`{name}` is opened and never closed; open it in a `with` block."
                    yield Finding(
                        rule="session-handling",
                        message=message,
                        path=file.path,
                        line=getattr(node, "lineno", 0),
                    )


def _opened(node: ast.AST) -> str:
    if not (isinstance(node, ast.Assign) and isinstance(node.value, ast.Call)):
        return ""
    target = node.targets[0]
    opens = _OPENS.search(last_name(node.value))
    return target.id if opens and isinstance(target, ast.Name) else ""


def _is_ended(nodes: list[ast.AST], name: str) -> bool:
    """Whether the name is closed, used as a context, yielded, returned or kept."""
    for node in nodes:
        if isinstance(node, ast.Attribute) and node.attr in _ENDS and last_name(node.value) == name:
            return True
        kept: list[ast.AST | None] = []
        if isinstance(node, ast.With | ast.AsyncWith):
            kept += [item.context_expr for item in node.items]
        elif isinstance(node, ast.Return | ast.Yield) or (
            isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Attribute)
        ):
            kept.append(node.value)
        if any(
            isinstance(child, ast.Name) and child.id == name
            for one in kept if one is not None
            for child in ([one] if isinstance(one, ast.Name) else ast.walk(one) if isinstance(one, ast.Call) and last_name(one) in {"closing", "aclosing"} else [])
        ):  # fmt: skip
            return True
    return False
