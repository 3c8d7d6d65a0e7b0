"""Rule `imports-resolve`: what changed files import exists."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

from jules_job_manager.domain.change import Change, FileStatus
from jules_job_manager.domain.finding import Finding, Level
from jules_job_manager.domain.rules.distributions import STANDARD, Declared, declared
from jules_job_manager.domain.rules.module_index import ModuleIndex
from jules_job_manager.domain.rules.python_code import (
    Function,
    last_name,
    module_of,
    python_files,
    shown,
)
from jules_job_manager.domain.rules.sources import base_path, is_data

_MADE_BY_BUILD = re.compile(
    r"(?:^|\.)_?version$|_pb2(?:_grpc)?$|(?:^|\.)_version\w*$|(?:^|\.)_generated"
)
_USUAL_ROOTS = frozenset({(), ("src",), ("lib",)})
_FAILURES = frozenset({"ImportError", "ModuleNotFoundError", "Exception", "BaseException"})


@dataclass(frozen=True, slots=True)
class _Import:
    node: ast.Import | ast.ImportFrom
    is_guarded: bool
    """Its failure is caught, or it is only made for type checkers."""
    is_optional: bool
    """It is made in a function or under a condition: perhaps never."""
    for_types: bool


@dataclass(frozen=True, slots=True)
class _World:
    modules: ModuleIndex
    packages: Declared


def imports_resolve(change: Change) -> Iterator[Finding]:
    """Yield imports of changed files that lead nowhere, and those a deletion broke elsewhere."""
    files = [file for file in python_files(change) if not is_data(file.path)]
    gone = [
        f
        for f in change.files
        if f.path.endswith(".py") and f.status in {FileStatus.DELETED, FileStatus.RENAMED}
    ]
    if not files and not gone:
        return
    head = _World(ModuleIndex(change.head), declared(change.head))
    base = _World(ModuleIndex(change.base), declared(change.base))
    used_before: set[str] | None = None
    for file in files:
        for one in imports_of(file.module):
            for message, outside in _problems(one, file.path, head):
                if not file.is_added(one.node) and _problems_at(one, base_path(file.file), base):
                    continue  # it was broken before
                if outside and used_before is None:
                    used_before = _used(change)
                if outside and outside in (used_before or ()):
                    continue
                level = _level(one, outside, head.packages, base.packages, used_before or set())
                yield Finding(
                    rule="imports-resolve",
                    message=message,
                    path=file.path,
                    line=one.node.lineno,
                    level=level,
                )
    if gone:
        yield from _broken_elsewhere(change, {file.path for file in files}, head, base)


def _level(one: _Import, outside: str, head: Declared, base: Declared, used: set[str]) -> Level:
    if not outside:
        return Level.ERROR
    new = Declared(names=head.names - base.names, is_known=head.is_known)
    unsure = one.is_optional or not head.is_known or new.unexplained(used)
    return Level.WARNING if unsure else Level.ERROR


def _problems_at(one: _Import, path: str, world: _World) -> bool:
    return any(True for _ in _problems(one, path, world))


def _problems(one: _Import, path: str, world: _World) -> Iterator[tuple[str, str]]:
    """Yield a message for each part that leads nowhere, with the outside module it names."""
    if one.is_guarded:
        return
    node = one.node
    if isinstance(node, ast.Import):
        for alias in node.names:
            yield from _absolute(alias.name, [], one, world)
    elif node.level:
        yield from _relative(node, path, world)
    else:
        yield from _absolute(node.module or "", [alias.name for alias in node.names], one, world)


def _absolute(
    module: str, names: list[str], one: _Import, world: _World
) -> Iterator[tuple[str, str]]:
    top = module.partition(".")[0]
    if top in STANDARD:
        return
    tops = world.modules.find(top)
    outside = world.packages.brings(top)
    if outside and all(parts[:-1] not in _USUAL_ROOTS for parts in tops):
        return  # a file of the same name lies deeper
    if not tops:
        if not outside and not one.for_types:
            yield f"`{module}` is neither in the repository nor a declared dependency.", top
        return
    places = world.modules.find(module)
    if not places:
        if not _MADE_BY_BUILD.search(module):
            yield f"The repository has no module `{module}`.", ""
        return
    yield from _missing_names(module, places, names, world)


def _relative(node: ast.ImportFrom, path: str, world: _World) -> Iterator[tuple[str, str]]:
    folder = path.split("/")[:-1]
    up = node.level - 1
    shown_module = "." * node.level + (node.module or "")
    if up > len(folder):
        yield f"`{shown_module}` leads out of the repository.", ""
        return
    package = tuple(folder[: len(folder) - up])
    parts = (*package, *(node.module.split(".") if node.module else ()))
    if not world.modules.has_at(parts):
        if not _MADE_BY_BUILD.search(shown_module):
            yield f"The repository has no module `{shown_module}` here.", ""
        return
    if parts:
        yield from _missing_names(shown_module, [parts], [a.name for a in node.names], world)


def _missing_names(
    module: str, places: list[tuple[str, ...]], names: list[str], world: _World
) -> Iterator[tuple[str, str]]:
    for name in names:
        made = _MADE_BY_BUILD.search(name)
        if name != "*" and not made and not world.modules.defines(places, name):
            yield f"`{module}` defines no `{name}`.", ""


def imports_of(module: ast.Module) -> list[_Import]:
    """Return the imports of a module with what surrounds them."""
    found: list[_Import] = []
    waiting: list[tuple[ast.AST, bool, bool, bool]] = [(module, False, False, False)]
    while waiting:
        node, guarded, optional, types = waiting.pop()
        if isinstance(node, ast.Import | ast.ImportFrom):
            found.append(_Import(node, guarded, optional, types))
            continue
        if isinstance(node, Function):
            optional = True
        elif isinstance(node, ast.With | ast.AsyncWith):
            guarded = guarded or any(_suppresses(item.context_expr) for item in node.items)
        if isinstance(node, ast.Try):
            caught = any(_catches_import(handler) for handler in node.handlers)
            waiting += [(child, guarded or caught, optional, types) for child in node.body]
            rest = [*node.handlers, *node.orelse, *node.finalbody]
            waiting += [(child, guarded or caught, optional, types) for child in rest]
        elif isinstance(node, ast.If):
            for_types = "TYPE_CHECKING" in shown(node.test)
            waiting += [
                (child, guarded, optional or not for_types, types or for_types)
                for child in node.body
            ]
            waiting += [(child, guarded, True, types) for child in node.orelse]
        else:
            waiting += [(child, guarded, optional, types) for child in ast.iter_child_nodes(node)]
    return sorted(found, key=lambda one: one.node.lineno)


def _catches_import(handler: ast.ExceptHandler) -> bool:
    if handler.type is None:
        return True
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(last_name(kind) in _FAILURES for kind in kinds)


def _suppresses(node: ast.expr) -> bool:
    if not isinstance(node, ast.Call) or last_name(node) not in {"suppress", "raises"}:
        return False
    return any(last_name(arg) in _FAILURES for arg in node.args)


def _used(change: Change) -> set[str]:
    """Top-level modules that the base imports anywhere: they were there before."""
    used: set[str] = set()
    for path in [path for path in change.base.paths() if path.endswith(".py")][:3000]:
        module = module_of(change.base, path)
        for one in imports_of(module) if module is not None else ():
            names = (
                [a.name for a in one.node.names]
                if isinstance(one.node, ast.Import)
                else [one.node.module or ""]
            )
            used.update(name.partition(".")[0] for name in names)
    return used - {""}


def _broken_elsewhere(
    change: Change, looked_at: set[str], head: _World, base: _World
) -> Iterator[Finding]:
    paths = [path for path in change.head.paths() if path.endswith(".py") and path not in looked_at]
    for path in paths[:3000]:
        module = None if is_data(path) else module_of(change.head, path)
        for one in imports_of(module) if module is not None else ():
            for message, outside in _problems(one, path, head):
                if not outside and not _problems_at(one, path, base):
                    yield Finding(
                        rule="imports-resolve", message=message, path=path, line=one.node.lineno
                    )
