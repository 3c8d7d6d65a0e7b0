"""Telling route functions of web frameworks, and the rules about them."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from jules_job_manager.domain.change import Change
from jules_job_manager.domain.finding import Finding
from jules_job_manager.domain.rules.python_code import (
    Definition,
    Function,
    body_of,
    changed_functions,
    dotted,
    last_name,
    own_nodes,
    python_files,
    text_constant,
)
from jules_job_manager.domain.rules.rule import Check, RuleOptions
from jules_job_manager.domain.rules.sources import is_test

_VERBS = frozenset(
    {"get", "post", "put", "patch", "delete", "head", "options", "route", "websocket", "api_route"}
)
_QUERY_METHODS = frozenset(
    {"execute", "scalars", "scalar", "query", "exec_driver_sql", "executemany"}
)
_DATABASE = ("db", "session", "conn", "connection", "cursor", "database", "engine", "transaction")


def route_of(node: Function) -> str | None:
    """Return the path a function serves (Flask's and FastAPI's decorators); None: it is no route."""
    for decorator in node.decorator_list:
        if isinstance(decorator, ast.Call) and isinstance(decorator.func, ast.Attribute):
            first = decorator.args[0] if decorator.args else None
            words = {word.arg: word.value for word in decorator.keywords}
            path = text_constant(first if first is not None else words.get("path"))
            if (
                decorator.func.attr in _VERBS
                and path is not None
                and (path == "" or path[0] == "/")
            ):
                return path
    return None


def is_query(node: ast.AST) -> bool:
    """Return whether the node is a call that visibly asks a database something."""
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
        return False
    owner = dotted(node.func.value)
    last = owner.rpartition(".")[2].strip("_").lower()
    if node.func.attr in _QUERY_METHODS:
        return any(last == word or last.endswith(f"_{word}") for word in _DATABASE)
    if node.func.attr == "get" and last in {"db", "session", "db_session"}:
        return len(node.args) >= 2  # `session.get(Model, id)`, not `session.get(url)`
    return last == "objects" and node.func.attr in {
        "get",
        "filter",
        "all",
        "exclude",
        "create",
        "first",
    }


def route_size(options: RuleOptions) -> Check:
    """Return the check of routes that are too long."""

    def check(change: Change) -> Iterator[Finding]:
        for path, definition in _changed_routes(change):
            body = body_of(definition.node)
            lines = (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0
            if lines > options.route_lines:
                message = f"The route `{definition.name}` is {lines} lines long; {options.route_lines} are allowed."
                yield Finding(
                    rule="route-size", message=message, path=path, line=definition.node.lineno
                )

    return check


def no_queries_in_routes(change: Change) -> Iterator[Finding]:
    """Yield the queries that stand in changed route functions."""
    for path, definition in _changed_routes(change):
        for node in own_nodes(definition.node):
            if is_query(node):
                message = (
                    f"The route `{definition.name}` asks the database itself (`{last_name(node)}`)."
                )
                yield Finding(
                    rule="no-queries-in-routes", message=message, path=path,
                    line=getattr(node, "lineno", 0),
                )  # fmt: skip


def _changed_routes(change: Change) -> Iterator[tuple[str, Definition]]:
    for file in python_files(change):
        if not is_test(file.path):
            for definition in changed_functions(file):
                if route_of(definition.node) is not None:
                    yield file.path, definition
