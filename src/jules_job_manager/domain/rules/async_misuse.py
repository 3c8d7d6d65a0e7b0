"""Rule `async-misuse`: nothing blocks the event loop, and coroutines are awaited."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from jules_job_manager.domain.change import Change
from jules_job_manager.domain.finding import Finding
from jules_job_manager.domain.rules.python_code import (
    Definition,
    PythonFile,
    changed_functions,
    dotted,
    functions,
    own_nodes,
    python_files,
)

_BLOCKS = frozenset(
    {"time.sleep", "subprocess.run", "subprocess.call", "subprocess.check_call", "subprocess.check_output",
     "os.system", "urllib.request.urlopen", "socket.create_connection", "input",
     *(f"{library}.{verb}" for library in ("requests", "httpx")
       for verb in ("get", "post", "put", "patch", "delete", "head", "options", "request"))}
)  # fmt: skip


def async_misuse(change: Change) -> Iterator[Finding]:
    """Yield blocking calls in changed coroutines, and coroutines of the same file called in vain."""
    for file in python_files(change):
        every = functions(file.module)
        names = {one.name for one in every}
        coroutines = {one.name for one in every if isinstance(one.node, ast.AsyncFunctionDef)}
        plain = {n.rpartition(".")[2] for n in names - coroutines}
        for one in changed_functions(file):
            yield from _blocking(file, one)
            yield from _in_vain(file, one, coroutines, plain)


def _blocking(file: PythonFile, one: Definition) -> Iterator[Finding]:
    if not isinstance(one.node, ast.AsyncFunctionDef):
        return
    for node in own_nodes(one.node):
        if isinstance(node, ast.Call) and dotted(node) in _BLOCKS and file.is_added(node):
            message = f"`{dotted(node)}` blocks the event loop in the coroutine `{one.name}`."
            yield Finding(rule="async-misuse", message=message, path=file.path, line=node.lineno)


def _in_vain(
    file: PythonFile, one: Definition, coroutines: set[str], plain: set[str]
) -> Iterator[Finding]:
    for node in own_nodes(one.node):
        if not (
            isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) and file.is_added(node)
        ):
            continue
        name = dotted(node.value)
        owner = one.name.rpartition(".")[0]
        called = name.replace("self.", f"{owner}.", 1) if name.startswith("self.") else name
        if called in coroutines and called.rpartition(".")[2] not in plain:
            message = f"The coroutine `{name}` is called and not awaited, so it never runs."
            yield Finding(rule="async-misuse", message=message, path=file.path, line=node.lineno)
