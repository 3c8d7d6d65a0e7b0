"""Rule `no-hard-coded`: hosts, ports, absolute paths and keys come from the configuration."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from jules_job_manager.domain.change import Change
from jules_job_manager.domain.finding import Finding
from jules_job_manager.domain.rules.placeholder_secrets import SECRET_NAME
from jules_job_manager.domain.rules.python_code import PythonFile, dotted, python_files
from jules_job_manager.domain.rules.sources import is_data, is_generated, is_test

_HOST = re.compile(
    r"\b(?:https?|wss?|postgres(?:ql)?(?:\+\w+)?|mysql(?:\+\w+)?|redis|amqp|mongodb(?:\+srv)?)://"
    r"(?!(?:[\w.-]+\.)?(?:example\.(?:com|org|net)|w3\.org|schema\.org|json-schema\.org)\b)[\w\[{@:.-]+",
)
_ADDRESS = re.compile(
    r"(?<![\d.])(?!127\.0\.0\.1|0\.0\.0\.0|255\.)\d{1,3}(?:\.\d{1,3}){3}(?![\d.])"
)
_PATH = re.compile(r"^(?:/(?:home|Users|root|opt|srv|mnt|var|etc)/[\w.-]+|[A-Z]:\\\\?\w)")
_KEY = re.compile(
    r"^(?:sk-[A-Za-z0-9]{20,}|ghp_[A-Za-z0-9]{30,}|AKIA[0-9A-Z]{16}|xox[bap]-[\w-]{10,}|AIza[\w-]{35}|-----BEGIN [A-Z ]*PRIVATE KEY)"
)
_CONFIGURES = re.compile(r"(?:^|/)(?:settings?|config\w*|constants?|defaults|conf)(?:\.py$|/)")


def no_hard_coded(change: Change) -> Iterator[Finding]:
    """Yield addresses, absolute paths, ports and keys written into added lines."""
    for file in python_files(change):
        if is_test(file.path) or is_data(file.path) or is_generated(file.path, file.text):
            continue
        documentation = _documentation(file.module)
        for node in ast.walk(file.module):
            if (
                isinstance(node, ast.Constant)
                and id(node) not in documentation
                and file.starts_added(node)
            ):
                what = _what(node.value)
                if what and not (_CONFIGURES.search(file.path) and what != "a key"):
                    yield _finding(file, node.lineno, what)
            elif isinstance(node, ast.keyword) and node.arg == "port" and file.starts_added(node):
                if (
                    isinstance(node.value, ast.Constant)
                    and isinstance(node.value.value, int)
                    and node.value.value
                ):
                    yield _finding(file, node.value.lineno, "a port")
            elif isinstance(node, ast.Assign) and file.starts_added(node):
                yield from _secret(file, node)


def _finding(file: PythonFile, line: int, what: str) -> Finding:
    message = (
        f"{what[0].upper()}{what[1:]} is written into the code; read it from the configuration."
    )
    return Finding(rule="no-hard-coded", message=message, path=file.path, line=line)


def _what(value: object) -> str:
    if not isinstance(value, str) or len(value) > 2000:
        return ""
    if _KEY.search(value):
        return "a key"
    if _PATH.search(value):
        return "an absolute path"
    return "a host" if _HOST.search(value) or _ADDRESS.search(value) else ""


def _secret(file: PythonFile, node: ast.Assign) -> Iterator[Finding]:
    value = node.value.value if isinstance(node.value, ast.Constant) else None
    mixed = (
        isinstance(value, str)
        and len(value) >= 12
        and re.search(r"\d", value)
        and re.search(r"[A-Za-z]", value)
    )
    if (
        mixed
        and isinstance(value, str)
        and " " not in value
        and any(SECRET_NAME.search(dotted(t)) for t in node.targets)
    ):
        yield _finding(file, node.lineno, "a credential")


def _documentation(module: ast.Module) -> set[int]:
    """Identities of the texts that are statements of their own: docstrings."""
    return {id(node.value) for node in ast.walk(module) if isinstance(node, ast.Expr)}
