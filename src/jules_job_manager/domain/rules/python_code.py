"""Python files of a delivery as syntax trees, with what is new in them."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from jules_job_manager.domain.change import Change, ChangedFile, FileStatus, Tree
from jules_job_manager.domain.rules.sources import base_path, present, text_of

Function = ast.FunctionDef | ast.AsyncFunctionDef
Scope = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


@dataclass(frozen=True, slots=True)
class Unparsable:
    """Why a text is no Python. `line` counts from 1; 0: unknown."""

    reason: str
    line: int = 0


@lru_cache(maxsize=512)
def parse(source: str) -> ast.Module | Unparsable:
    """Return the syntax tree of Python source, or why there is none. Nothing is run."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # invalid escapes and the like, of the delivery
            return ast.parse(source)
    except SyntaxError as exc:
        return Unparsable(exc.msg or "it is no valid Python", exc.lineno or 0)
    except (ValueError, RecursionError, MemoryError) as exc:
        return Unparsable(str(exc) or "it is nested too deeply")


def module_of(tree: Tree, path: str) -> ast.Module | None:
    """Return the syntax tree of a file; None when there is none, or it does not parse."""
    text = text_of(tree, path)
    parsed = parse(text) if text is not None else None
    return parsed if isinstance(parsed, ast.Module) else None


@dataclass(frozen=True, kw_only=True)
class PythonFile:
    """A changed Python file that parses in the merge result."""

    file: ChangedFile
    text: str
    module: ast.Module
    base: ast.Module | None
    """None: it is new, or did not parse before."""

    @property
    def path(self) -> str:
        """Its name in the merge result."""
        return self.file.path

    @property
    def is_new(self) -> bool:
        """Whether the base has no such file."""
        return self.file.status is FileStatus.ADDED

    def is_added(self, node: ast.AST) -> bool:
        """Return whether any line of the node is new or changed."""
        return not self.file.added_lines.isdisjoint(line_range(node))

    def starts_added(self, node: ast.AST) -> bool:
        """Return whether the first line of the node is new or changed."""
        return getattr(node, "lineno", 0) in self.file.added_lines


def python_files(change: Change) -> Iterator[PythonFile]:
    """Yield the changed Python files that parse."""
    for file in present(change):
        if file.path.endswith(".py"):
            text = text_of(change.head, file.path)
            module = parse(text) if text is not None else None
            if text is not None and isinstance(module, ast.Module):
                before = module_of(change.base, base_path(file))
                yield PythonFile(file=file, text=text, module=module, base=before)


def line_range(node: ast.AST) -> range:
    """Return the lines of a node, decorators included."""
    first = getattr(node, "lineno", 0)
    if isinstance(node, Scope) and node.decorator_list:
        first = min(first, node.decorator_list[0].lineno)
    return range(first, (getattr(node, "end_lineno", None) or first) + 1)


@dataclass(frozen=True, slots=True)
class Definition:
    """A function with where it stands. `owner` is the class it is a method of."""

    name: str
    """Qualified, such as `Class.method`; nested functions as `outer.<locals>.inner`."""
    node: Function
    owner: ast.ClassDef | None
    is_nested: bool
    """Whether it stands in another function."""


def functions(module: ast.Module) -> list[Definition]:
    """Return every function of a module in the order of the text."""
    found: list[Definition] = []
    waiting: list[tuple[ast.AST, str, ast.ClassDef | None, bool]] = [(module, "", None, False)]
    while waiting:
        node, prefix, owner, nested = waiting.pop()
        for child in ast.iter_child_nodes(node):
            if isinstance(child, Function):
                name = prefix + child.name
                found.append(Definition(name, child, owner, nested))
                waiting.append((child, f"{name}.<locals>.", None, True))
            elif isinstance(child, ast.ClassDef):
                waiting.append((child, f"{prefix}{child.name}.", child, nested))
            else:
                waiting.append((child, prefix, owner, nested))
    return sorted(found, key=lambda one: one.node.lineno)


def changed_functions(file: PythonFile) -> Iterator[Definition]:
    """Yield the functions with a new or changed line of their own."""
    for definition in functions(file.module):
        if file.is_added(definition.node):
            yield definition


def own_nodes(node: ast.AST, *, skip: tuple[type[ast.AST], ...] = ()) -> Iterator[ast.AST]:
    """Yield the nodes below `node`, without going into functions, lambdas and classes in it."""
    barrier = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda, *skip)
    waiting = list(ast.iter_child_nodes(node))
    while waiting:
        child = waiting.pop()
        yield child
        if not isinstance(child, barrier):
            waiting.extend(ast.iter_child_nodes(child))


def body_of(node: Function | ast.ClassDef) -> list[ast.stmt]:
    """Return the statements after the docstring."""
    body = node.body
    return body[1:] if body and text_constant(statement_value(body[0])) is not None else body


def docstring_of(node: Function | ast.ClassDef | ast.Module) -> str:
    """Return the docstring; empty when there is none."""
    return (text_constant(statement_value(node.body[0])) or "") if node.body else ""


def statement_value(node: ast.AST) -> ast.AST | None:
    """Return the expression that a statement is; None when it is something else."""
    return node.value if isinstance(node, ast.Expr) else None


def text_constant(node: ast.AST | None) -> str | None:
    """Return the text that a node is; None when it is something else."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    return None


def dotted(node: ast.AST | None) -> str:
    """Return `a.b.c` of names and attributes, of a call that of what is called; else empty."""
    parts: list[str] = []
    while node is not None:
        if isinstance(node, ast.Call):
            node = node.func
        elif isinstance(node, ast.Subscript):
            node = node.value
        elif isinstance(node, ast.Attribute):
            parts.append(node.attr)
            node = node.value
        elif isinstance(node, ast.Name):
            return ".".join([node.id, *reversed(parts)])
        else:
            break
    return "." + ".".join(reversed(parts)) if parts else ""


def last_name(node: ast.AST | None) -> str:
    """Return the last part of `dotted`."""
    return dotted(node).rpartition(".")[2]


def decorator_names(node: Scope) -> list[str]:
    """Return the dotted names of the decorators."""
    return [dotted(decorator) for decorator in node.decorator_list]


def base_names(node: ast.ClassDef) -> list[str]:
    """Return the last names of the base classes and of the metaclass."""
    bases: Sequence[ast.expr] = [*node.bases, *(word.value for word in node.keywords)]
    return [last_name(base) for base in bases]


def parameters(node: Function) -> list[ast.arg]:
    """Return every parameter but `self` and `cls`."""
    args = node.args
    every = [*args.posonlyargs, *args.args, *args.kwonlyargs]
    every += [extra for extra in (args.vararg, args.kwarg) if extra is not None]
    return [arg for arg in every if arg.arg not in {"self", "cls"}]


def names_used(nodes: Iterable[ast.AST]) -> set[str]:
    """Return the bare names read or written below the nodes."""
    return {child.id for node in nodes for child in ast.walk(node) if isinstance(child, ast.Name)}


def shown(node: ast.AST) -> str:
    """Return the source of a node, normalised; empty when it cannot be written."""
    try:
        return ast.unparse(node)
    except (RecursionError, ValueError, AttributeError):
        return ""
