"""The Python modules of a tree, and the names each defines."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from dataclasses import dataclass

from jules_job_manager.domain.change import Tree
from jules_job_manager.domain.rules.python_code import dotted, module_of

_MODULE = re.compile(r"^(?P<stem>.*?[^/.]+?)(?:\.[\w-]+)*\.(?:py|pyi|pyx|pxd|so|pyd|c|cpp|rs)$")


@dataclass(frozen=True, kw_only=True, slots=True)
class Names:
    """What a module defines. `is_open`: it may define more than can be read from it."""

    known: frozenset[str]
    is_open: bool


_UNREADABLE = Names(known=frozenset(), is_open=True)


class ModuleIndex:
    """Where modules are. A module may be imported from any folder taken as a root."""

    def __init__(self, tree: Tree) -> None:
        """Read the names of the tree's files; files are read when they are asked about."""
        self._tree = tree
        self._by_last: defaultdict[str, list[tuple[str, ...]]] = defaultdict(list)
        self._files: defaultdict[tuple[str, ...], list[str]] = defaultdict(list)
        self._names: dict[str, Names] = {}
        folders: set[tuple[str, ...]] = set()
        for path in tree.paths():
            found = _MODULE.match(path)
            if found is None:
                continue
            parts = tuple(found["stem"].split("/"))
            if parts[-1] == "__init__":
                parts = parts[:-1]
            self._files[parts].append(path)
            folders.update(parts[:depth] for depth in range(1, len(parts)))
        for parts in {*self._files, *folders}:
            if parts:
                self._by_last[parts[-1]].append(parts)

    def find(self, module: str) -> list[tuple[str, ...]]:
        """Return the places of a module, as parts of a path without extension.

        A root that is itself a package is no root.
        """
        wanted = tuple(module.split("."))
        size = len(wanted)
        return [
            parts
            for parts in self._by_last.get(wanted[-1], ())
            if parts[-size:] == wanted and not self._is_package(parts[:-size])
        ]

    def _is_package(self, parts: tuple[str, ...]) -> bool:
        return any(
            path.rpartition("/")[2].startswith("__init__.") for path in self._files.get(parts, ())
        )

    def has_at(self, parts: tuple[str, ...]) -> bool:
        """Return whether a module or package is at exactly this place; no parts: the root."""
        return not parts or parts in self._by_last.get(parts[-1], ())

    def defines(self, places: list[tuple[str, ...]], name: str) -> bool:
        """Return whether one of the places defines the name, or may."""
        for parts in places:
            files = self._files.get(parts, [])
            if self.has_at((*parts, name)):
                return True
            for path in files:
                if not path.endswith((".py", ".pyi")):
                    return True
                names = self._read(path)
                if names.is_open or name in names.known:
                    return True
        return False

    def _read(self, path: str) -> Names:
        if path not in self._names:
            module = module_of(self._tree, path)
            self._names[path] = _UNREADABLE if module is None else names_of(module)
        return self._names[path]


_BUILT_IN = frozenset(
    {
        "__name__",
        "__file__",
        "__doc__",
        "__path__",
        "__package__",
        "__spec__",
        "__loader__",
        "__dict__",
        "__all__",
    }
)


def names_of(module: ast.Module) -> Names:
    """Return the names that a module binds at its top, also under `if`, `try`, `with` and loops."""
    known: set[str] = set(_BUILT_IN)
    is_open = False
    waiting: list[ast.AST] = list(module.body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            known.add(node.name)
            is_open = is_open or node.name == "__getattr__"
            continue
        if isinstance(node, ast.ImportFrom | ast.Import):
            is_open = is_open or any(alias.name == "*" for alias in node.names)
            known.update(alias.asname or alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            known.add(node.id)
        elif isinstance(node, ast.Call) and dotted(node) in {
            "globals",
            "exec",
            "vars",
            "setattr",
            "locals",
        }:
            is_open = True
        elif isinstance(node, ast.MatchAs | ast.MatchStar) and node.name:
            known.add(node.name)
        waiting.extend(ast.iter_child_nodes(node))
    for child in ast.walk(module):
        if isinstance(child, ast.Global):
            known.update(child.names)
        elif isinstance(child, ast.Attribute) and dotted(child) == "sys.modules":
            is_open = True
    return Names(known=frozenset(known), is_open=is_open)
