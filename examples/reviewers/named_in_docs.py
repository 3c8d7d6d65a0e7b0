#!/usr/bin/env python3
"""A reviewer for jjm: what a checklist names must be spoken of in the documents or the tests.

For each line of the job's checklist it takes the names in backticks that the delivery defines as
public Python functions, and looks for them in Markdown files and tests of the merge. It needs no
network and nothing but Python. In the .jjm.toml of your repository, with this file in tools/:

    [[reviewers]]
    name = "documents"
    command = "python3 base/tools/named_in_docs.py"
    required = true
    may_prove = ["*is documented*"]
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

QUOTED = re.compile(r"`([A-Za-z]\w*)(?:\(\))?`")
HUNK = re.compile(r"@@ -\d+(?:,\d+)? \+(\d+)")
FUNCTION = re.compile(r"\+\s*(?:async )?def ([A-Za-z]\w*)\(")


def review(request: dict[str, Any], merged: Path) -> dict[str, Any]:
    """Return the answer to a request; `merged` holds the files of the merge."""
    defined = {name: place for name, *place in defined_functions(request["diff"]["files"])}
    findings, checklist = [], []
    for entry in request["job"]["checklist"]:
        names = [name for name in QUOTED.findall(entry["text"]) if name in defined]
        seen = {name: mention(name, merged) for name in names}
        silent = [name for name, where in seen.items() if not where]
        for name in silent:
            path, line = defined[name]
            message = f"No document and no test speaks of {name}."
            findings.append({"path": path, "line": line, "level": "error", "message": message})
        verdict = "not_met" if silent else "met" if names else "unsure"
        evidence = "; ".join(f"{name}: {where or 'nowhere'}" for name, where in seen.items())
        checklist.append({"item": entry["item"], "verdict": verdict, "evidence": evidence})
    return {
        "protocol": 1,
        "verdict": "reject" if findings else "accept",
        "summary": f"{len(findings)} of the named functions are spoken of nowhere.",
        "findings": findings,
        "checklist": checklist,
    }


def defined_functions(files: list[dict[str, Any]]) -> Iterator[tuple[str, str, int]]:
    """Yield name, path and line of each function on an added line of a Python file."""
    for file in files:
        if not file["path"].endswith(".py") or is_test(Path(file["path"])):
            continue
        number = 0
        for line in (file["diff"] or "").split("\n"):
            if hunk := HUNK.match(line):
                number = int(hunk[1]) - 1
            elif not line.startswith("-"):
                number += 1
                if found := FUNCTION.match(line):
                    yield found[1], file["path"], number


def mention(name: str, merged: Path) -> str:
    """Return where the name stands in a document or test, as `path:line`; empty: nowhere."""
    word = re.compile(rf"\b{re.escape(name)}\b")
    for path in sorted(merged.rglob("*")):
        inside = path.relative_to(merged)
        if path.is_symlink() or not path.is_file():
            continue
        if path.suffix != ".md" and not (path.suffix == ".py" and is_test(inside)):
            continue
        for number, line in enumerate(path.read_text("utf-8", "replace").split("\n"), start=1):
            if word.search(line):
                return f"{inside.as_posix()}:{number}"
    return ""


def is_test(path: Path) -> bool:
    """Return whether the path is one of a test."""
    return path.name.startswith("test_") or "tests" in path.parts[:-1]


if __name__ == "__main__":
    json.dump(review(json.load(sys.stdin), Path("merged")), sys.stdout)
