"""Rule `type-hints`: new public functions say what they take and return."""

from __future__ import annotations

from collections.abc import Iterator

from jules_job_manager.domain.change import Change
from jules_job_manager.domain.finding import Finding
from jules_job_manager.domain.rules.python_code import functions, parameters, python_files
from jules_job_manager.domain.rules.sources import is_generated, is_test


def type_hints(change: Change) -> Iterator[Finding]:
    """Yield the new public functions with a parameter or a result that has no type."""
    for file in python_files(change):
        if is_test(file.path) or is_generated(file.path, file.text):
            continue
        before = {d.name for d in functions(file.base)} if file.base is not None else set()
        for one in functions(file.module):
            private = any(part.startswith("_") for part in one.name.split("."))
            if private or one.is_nested or one.name in before or not file.starts_added(one.node):
                continue
            missing = [f"`{arg.arg}`" for arg in parameters(one.node) if arg.annotation is None]
            missing += ["its result"] if one.node.returns is None else []
            if missing:
                message = f"`{one.name}` has no type for {', '.join(missing)}."
                yield Finding(
                    rule="type-hints", message=message, path=file.path, line=one.node.lineno
                )
