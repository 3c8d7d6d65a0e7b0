"""Rule `no-placeholder-secrets`: no password or key is a made-up one."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from jules_job_manager.domain.change import Change, ChangedFile
from jules_job_manager.domain.finding import Finding, Level
from jules_job_manager.domain.rules.python_code import (
    PythonFile,
    dotted,
    python_files,
    text_constant,
)
from jules_job_manager.domain.rules.sources import (
    CODE,
    added_text,
    is_data,
    is_test,
    present,
    suffix,
)

SECRET_NAME = re.compile(
    r"(?:^|[_.\-])(?:passwords?|passwd|pwd|secret|secret_?key|token|api_?key|access_?key|private_?key"
    r"|client_?secret|auth_?token|credentials?|encryption_?key|signing_?key|jwt_?secret)(?:[_.\-]|$)",
    re.IGNORECASE,
)
_NOT_SECRET = re.compile(
    r"_?(?:url|uri|field|name|header|path|file|type|label|prefix|env|var|pattern|regex|help|hint"
    r"|placeholder|length|scheme|min|max|expire\w*|ttl|seconds|count|limit|error|message|id|hash)$",
    re.IGNORECASE,
)
_PLACEHOLDER = re.compile(
    r"change[-_ ]?(?:me|this|it)(?:[-_ ].*)?|(?:your|my|insert|put|enter|replace)[-_ ].*(?:key|token|secret|password|here).*"
    r"|<[\w \-]*(?:key|token|secret|password)[\w \-]*>|(?:password|passw0rd|secret|admin|hunter|qwerty|letmein|test)\d*(?:123+)?!?"
    r"|super[-_ ]?secret(?:[-_ ]?\w*)?|replace[-_]?me|to[-_ ]?do|dummy(?:[-_ ]\w+)?|fake[-_ ]\w+|x{4,}|placeholder|123456\d*|abc123|sk-x+",
    re.IGNORECASE,
)
_ASSIGNMENT = re.compile(
    r"""(?P<name>[A-Za-z_][\w.\-]*)["']?\s*[:=]\s*(?:["'](?P<quoted>[^"']{3,})["']|(?P<bare>[^\s"'#,;]{3,}))"""
)
_SETTINGS = frozenset(
    {"env", "yml", "yaml", "toml", "ini", "cfg", "json", "properties", "conf", "tf"}
)
_EXAMPLE = re.compile(
    r"example|sample|template|\.dist$|compose|(?:^|/)\.github/|readme|docs?/", re.IGNORECASE
)


def no_placeholder_secrets(change: Change) -> Iterator[Finding]:
    """Yield made-up credentials given to names that stand for secrets, on added lines."""
    for file in python_files(change):
        if not is_test(file.path) and not is_data(file.path):
            for name, value in _pairs(file):
                if file.is_added(value) and is_placeholder(name, value.value):
                    yield _finding(file.path, value.lineno, name, Level.ERROR)
    for changed in present(change):
        yield from _other(change, changed)


def is_placeholder(name: str, value: str) -> bool:
    """Return whether a name stands for a secret and the value is a made-up one."""
    secret = SECRET_NAME.search(name) and not _NOT_SECRET.search(name)
    return bool(secret and _PLACEHOLDER.fullmatch(value.strip()))


class _Text(ast.Constant):
    value: str


def _pairs(file: PythonFile) -> Iterator[tuple[str, _Text]]:
    """Yield each name with the text that it is given."""
    for node in ast.walk(file.module):
        for name, value in _given(node):
            if text_constant(value) is not None:
                yield name, value  # type: ignore[misc]  # it is a text, as just seen


def _given(node: ast.AST) -> Iterator[tuple[str, ast.AST | None]]:
    if isinstance(node, ast.Assign):
        for target in node.targets:
            yield _target(target), _inner(node.value)
    elif isinstance(node, ast.AnnAssign):
        yield _target(node.target), _inner(node.value)
    elif isinstance(node, ast.keyword):
        yield node.arg or "", _inner(node.value)
    elif isinstance(node, ast.Dict):
        for key, value in zip(node.keys, node.values, strict=True):
            yield text_constant(key) or "", _inner(value)
    elif isinstance(node, ast.arguments):
        named = [*node.posonlyargs, *node.args]
        if node.defaults:
            yield from (
                (arg.arg, value)
                for arg, value in zip(named[-len(node.defaults) :], node.defaults, strict=True)
            )
        yield from (
            (arg.arg, value) for arg, value in zip(node.kwonlyargs, node.kw_defaults, strict=True)
        )


def _target(node: ast.expr) -> str:
    if isinstance(node, ast.Subscript):
        return text_constant(node.slice) or ""
    return dotted(node)


def _inner(node: ast.AST | None) -> ast.AST | None:
    """Of `os.getenv("NAME", "changeme")` the default; of everything else the thing itself."""
    if isinstance(node, ast.Call) and dotted(node) in {
        "os.getenv",
        "os.environ.get",
        "getenv",
        "config",
        "env",
    }:
        return node.args[1] if len(node.args) > 1 else None
    if isinstance(node, ast.BoolOp) and isinstance(node.op, ast.Or):
        return node.values[-1]
    return node


def _other(change: Change, file: ChangedFile) -> Iterator[Finding]:
    kind = suffix(file.path)
    name = file.path.rpartition("/")[2]
    is_settings = kind in _SETTINGS or name.startswith(".env")
    if (
        kind == "py"
        or not (kind in CODE or is_settings)
        or is_test(file.path)
        or is_data(file.path)
    ):
        return
    level = Level.WARNING if _EXAMPLE.search(file.path) else Level.ERROR
    for number, line in added_text(change, file):
        for found in _ASSIGNMENT.finditer(line[:500]):
            bare = found["bare"] if is_settings else None
            if is_placeholder(found["name"], found["quoted"] or bare or ""):
                yield _finding(file.path, number, found["name"], level)


def _finding(path: str, line: int, name: str, level: Level) -> Finding:
    message = f"`{name}` is given a made-up value; read it from the configuration."
    return Finding(
        rule="no-placeholder-secrets", message=message, path=path, line=line, level=level
    )
