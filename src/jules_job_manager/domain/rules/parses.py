"""Rule `parses`: what was changed can be read by the programs that will read it."""

from __future__ import annotations

import json
import re
import sys
import tomllib
from collections.abc import Iterator

from jules_job_manager.domain.change import Change, ChangedFile
from jules_job_manager.domain.finding import Finding, Level
from jules_job_manager.domain.rules.python_code import Unparsable, parse
from jules_job_manager.domain.rules.sources import (
    added_text,
    base_path,
    is_data,
    is_test,
    present,
    suffix,
    text_of,
)

_TEMPLATE = re.compile(r"[{}<>$%]|cookiecutter|templates?/", re.IGNORECASE)
_JSON_WITH_COMMENTS = re.compile(
    r"(?:^|/)(?:[tj]sconfig[^/]*|\.?\w*rc|\.vscode/.*|devcontainer|turbo|\w*config)(?:\.json)?$"
)
_LEAST_PYTHON = re.compile(r"requires-python\s*=\s*[\"'][^\"']*?(?:>=|>|~=|==)\s*3\.(\d+)")
_CONFLICT = re.compile(r"(?:<{7}|>{7})(?: |$)")


def parses(change: Change) -> Iterator[Finding]:
    """Yield the changed Python, JSON and TOML files that do not parse, and left conflict marks."""
    for file in present(change):
        yield from _conflicts(change, file)
        if _TEMPLATE.search(file.path):
            continue
        problem = _problem(change, file)
        if problem is not None and not _was_broken(change, file):
            level = Level.WARNING if _may_be_meant(change, file.path) else Level.ERROR
            message = f"It does not parse: {problem.reason}."
            yield Finding(
                rule="parses", message=message, path=file.path, line=problem.line, level=level
            )


def _problem(change: Change, file: ChangedFile) -> Unparsable | None:
    text = text_of(change.head, file.path)
    return None if text is None else _read(file.path, text)


def _was_broken(change: Change, file: ChangedFile) -> bool:
    text = text_of(change.base, base_path(file))
    return text is not None and _read(file.path, text) is not None


def _read(path: str, text: str) -> Unparsable | None:
    kind = suffix(path)
    if kind == "py":
        parsed = parse(text)
        return parsed if isinstance(parsed, Unparsable) else None
    try:
        if kind == "json" and not _JSON_WITH_COMMENTS.search(path):
            json.loads(text)
        elif kind == "toml":
            tomllib.loads(text)
    except (ValueError, RecursionError) as exc:
        return Unparsable(str(exc).rstrip("."), getattr(exc, "lineno", 0))
    return None


def _may_be_meant(change: Change, path: str) -> bool:
    """Broken files are test data at times, and newer Python than ours cannot be read here."""
    if is_data(path) or (is_test(path) and suffix(path) != "py"):
        return True
    if suffix(path) != "py":
        return False
    least = _LEAST_PYTHON.search(text_of(change.head, "pyproject.toml") or "")
    return least is not None and int(least[1]) > sys.version_info.minor


def _conflicts(change: Change, file: ChangedFile) -> Iterator[Finding]:
    marks = [(number, line) for number, line in added_text(change, file) if _CONFLICT.match(line)]
    if {line[0] for _, line in marks} == {"<", ">"}:
        message = "A conflict of a merge was left in the text."
        yield Finding(rule="parses", message=message, path=file.path, line=marks[0][0])
