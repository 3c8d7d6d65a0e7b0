"""Rule `promised-files`: every file the job said it would create is there, and says something."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import PurePosixPath

from jules_job_manager.domain.change import Change, FileKind, Tree
from jules_job_manager.domain.finding import Finding
from jules_job_manager.domain.rules.python_code import module_of, statement_value, text_constant
from jules_job_manager.domain.rules.sources import suffix, text_of

_MAY_BE_EMPTY = frozenset({"__init__.py", "py.typed", ".gitkeep", ".keep", ".nojekyll"})
_COMMENTS = {
    "#": frozenset({"sh", "bash", "yml", "yaml", "toml", "rb", "cfg", "ini", "ex", "exs", "pl"}),
    "//": frozenset({"js", "jsx", "mjs", "cjs", "ts", "tsx", "go", "rs", "java", "kt", "c", "h",
                     "cc", "cpp", "hpp", "cs", "swift", "scala", "php", "dart"}),
    "--": frozenset({"sql", "lua"}),
}  # fmt: skip
_BLOCK_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)


def promised_files(change: Change) -> Iterator[Finding]:
    """Yield the promised files that are missing, no regular file, empty, or only comments."""
    for promise in change.job.files:
        if promise.action != "create":
            continue
        problem = _problem(change, promise.path.strip().removeprefix("./"))
        if problem:
            yield Finding(rule="promised-files", message=problem, path=promise.path)


def _problem(change: Change, path: str) -> str:
    pure = PurePosixPath(path)
    if pure.is_absolute() or ".." in pure.parts or not pure.parts:
        return "The promised path lies outside the repository."
    if path.endswith("/") or any(sign in path for sign in "*?["):
        pattern = f"{path}*" if path.endswith("/") else path
        found = any(fnmatchcase(one, pattern) for one in change.head.paths())
        return "" if found else "Nothing was created where it was promised."
    if change.head.kind(path) is None:
        # `service.py` alone does not say in which folder.
        found = "/" not in path and any(
            one.path.rpartition("/")[2] == path and _flaw(change.head, one.path) == ""
            for one in change.files
        )
        return "" if found else "The promised file is missing."
    return _flaw(change.head, path)


def _flaw(tree: Tree, path: str) -> str:
    if tree.kind(path) not in {FileKind.FILE, FileKind.EXECUTABLE}:
        return "The promised file is no regular file."
    name = path.rpartition("/")[2]
    if name in _MAY_BE_EMPTY:
        return ""
    if tree.size(path) == 0:
        return "The promised file is empty."
    text = text_of(tree, path)
    if text is None:
        return ""
    if not text.strip():
        return "The promised file holds only blanks."
    if _only_comments(tree, path, text):
        return "The promised file holds only comments."
    return ""


def _only_comments(tree: Tree, path: str, text: str) -> bool:
    kind = suffix(path)
    if kind == "py":
        module = module_of(tree, path)
        return module is not None and all(_says_nothing(node) for node in module.body)
    for mark, kinds in _COMMENTS.items():
        if kind in kinds:
            plain = _BLOCK_COMMENT.sub("", text) if mark == "//" else text
            lines = [line.strip() for line in plain.splitlines()]
            return all(line.startswith(mark) or not line for line in lines)
    return False


def _says_nothing(node: ast.stmt) -> bool:
    value = statement_value(node)
    is_text = text_constant(value) is not None
    return isinstance(node, ast.Pass) or is_text or _is_ellipsis(value)


def _is_ellipsis(value: ast.AST | None) -> bool:
    return isinstance(value, ast.Constant) and value.value is ...
