"""Proposes a repository's review file from what the repository has."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass

READ = ("pyproject.toml", "setup.cfg", "tox.ini", "Makefile", "package.json", "alembic.ini",
        "package-lock.json", "Cargo.toml", "go.mod", "requirements.txt")  # fmt: skip
"""The files that a proposal is made from; a folder `tests/` counts too."""
_JUNIT = ".jjm-tests.xml"


@dataclass(frozen=True, slots=True)
class Proposal:
    """One command, and why it is proposed."""

    name: str
    command: str
    why: str
    proves: tuple[str, ...] = ()
    junit: str = ""


def proposals(files: Mapping[str, str], *, has_tests: bool) -> list[Proposal]:
    """Return the checks that fit a repository.

    Args:
        files: Content of those of `READ` that are there.
        has_tests: Whether there is a folder `tests`.
    """
    found = [*_make(files), *_python(files, has_tests), *_node(files), *_others(files)]
    first: dict[str, Proposal] = {}
    for proposal in found:
        first.setdefault(proposal.name, proposal)
    return list(first.values())


def _make(files: Mapping[str, str]) -> list[Proposal]:
    targets = set(
        re.findall(r"^([A-Za-z][\w-]*)\s*:(?!=)", files.get("Makefile", ""), re.MULTILINE)
    )
    wanted = (("tests", "test"), ("lint", "lint"))
    return [
        Proposal(name, f"make {target}", f"the Makefile has {target}", _proves(name))
        for name, target in wanted
        if target in targets
    ]


def _python(files: Mapping[str, str], has_tests: bool) -> list[Proposal]:
    text = "\n".join(files.get(name, "") for name in ("pyproject.toml", "setup.cfg", "tox.ini"))
    tools = _tools(files.get("pyproject.toml", ""))
    is_python = bool(text.strip()) or "requirements.txt" in files
    found = []
    if "pytest" in text or "pytest" in files.get("requirements.txt", ""):
        command = f"python3 -m pytest -q --junit-xml={_JUNIT}"
        found.append(Proposal("tests", command, "pytest is named", _proves("tests"), _JUNIT))
    elif is_python and has_tests:
        command = "python3 -m unittest discover -s tests -t ."
        found.append(Proposal("tests", command, "there are tests", _proves("tests")))
    rows: tuple[tuple[str, str, Callable[[], bool]], ...] = (
        ("lint", "ruff check .", lambda: "ruff" in tools),
        ("types", "mypy .", lambda: "mypy" in tools or "[mypy]" in text),
    )
    found += [
        Proposal(n, c, f"{c.split()[0]} is configured") for n, c, applies in rows if applies()
    ]
    if "alembic.ini" in files:
        found.append(
            Proposal(
                "migrations",
                "alembic upgrade head && alembic downgrade base",
                "alembic.ini is there",
            )
        )
    return found


def _tools(text: str) -> set[str]:
    try:
        return set(tomllib.loads(text).get("tool", {}))
    except (tomllib.TOMLDecodeError, AttributeError, TypeError):
        return set()


def _node(files: Mapping[str, str]) -> list[Proposal]:
    try:
        scripts = json.loads(files.get("package.json", "{}")).get("scripts", {})
    except (ValueError, AttributeError, RecursionError):
        return []
    if not isinstance(scripts, dict):
        return []
    wanted = (
        ("js tests", "test"),
        ("js lint", "lint"),
        ("js types", "typecheck"),
        ("build", "build"),
    )
    return [
        Proposal(name, f"npm run {script}", f"package.json has the script {script}")
        for name, script in wanted
        if isinstance(scripts.get(script), str) and "no test specified" not in scripts[script]
    ]


def _others(files: Mapping[str, str]) -> list[Proposal]:
    found = []
    if "Cargo.toml" in files:
        found.append(
            Proposal("tests", "cargo test --offline", "Cargo.toml is there", _proves("tests"))
        )
    if "go.mod" in files:
        found.append(Proposal("tests", "go test ./...", "go.mod is there", _proves("tests")))
    return found


def _proves(name: str) -> tuple[str, ...]:
    return ("*tests pass*",) if name == "tests" else ()


def review_file(checks: list[Proposal]) -> str:
    """Return the text of the file."""
    parts = [
        "# What every delivery is checked by. jjm reads this file from the base branch, so a delivery",
        "# cannot change how it is judged. All of it: docs/reference/review.md",
        "",
        "[review]",
        '# setup = ["npm ci --offline"]       run first; when one fails, the checks are not run',
        '# allowed_paths = ["docs/**"]        protected files that deliveries may change',
        "",
    ]
    if not checks:
        parts += ["# [[checks]]", '# name = "tests"', '# command = "make test"', ""]
    for check in checks:
        parts += ["[[checks]]", f"# {check.why}", f"name = {json.dumps(check.name)}",
                  f"command = {json.dumps(check.command)}"]  # fmt: skip
        if check.junit:
            parts += [
                f"junit = {json.dumps(check.junit)}",
                'new_tests = "required"         # tests that a delivery adds must fail without it',
            ]
        if check.proves:
            parts.append(f"proves = {json.dumps(list(check.proves))}")
        parts.append("")
    parts += [
        "[rules]",
        '# type-hints = "required"      required, advisory or off; `all` stands for the others',
    ]
    return "\n".join(parts) + "\n"
