"""Rule `docs-touched`: what is new to users is written down somewhere."""

from __future__ import annotations

import re
from collections.abc import Iterator

from jules_job_manager.domain.change import Change
from jules_job_manager.domain.finding import Finding
from jules_job_manager.domain.rules.python_code import (
    PythonFile,
    docstring_of,
    functions,
    python_files,
)
from jules_job_manager.domain.rules.routes import route_of
from jules_job_manager.domain.rules.sources import is_data, is_generated, is_test

_DOCUMENT = re.compile(
    r"(?:^|/)(?:docs?|documentation|changes|changelog\.d|newsfragments)/|\.(?:md|rst|adoc)$",
    re.IGNORECASE,
)


def docs_touched(change: Change) -> Iterator[Finding]:
    """Yield new public functions and routes without a docstring, when no document was touched."""
    if any(_DOCUMENT.search(file.path) for file in change.files):
        return
    for file in python_files(change):
        if is_test(file.path) or is_data(file.path) or is_generated(file.path, file.text):
            continue
        new = [name for name in _public(file) if name not in _before(file)]
        if new:
            message = f"New and nowhere described: {', '.join(f'`{name}`' for name in new[:5])}."
            yield Finding(rule="docs-touched", message=message, path=file.path)


def _public(file: PythonFile) -> Iterator[str]:
    for one in functions(file.module):
        private = any(part.startswith("_") for part in one.name.split("."))
        told = docstring_of(one.node) or (one.owner is not None and docstring_of(one.owner))
        if not private and not one.is_nested and not told and file.starts_added(one.node):
            path = route_of(one.node)
            yield f"{one.name} ({path})" if path else one.name


def _before(file: PythonFile) -> set[str]:
    return set() if file.base is None else {one.name for one in functions(file.base)}
