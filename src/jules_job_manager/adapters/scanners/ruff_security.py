"""Ruff's security rules, a port of flake8-bandit.

Ruff has no word for how severe a finding is; bandit has, for the same rules.
Source: docs.astral.sh/ruff (`ruff check --help`, rules S, 0.17) and the plugins and lists of
PyCQA/bandit at its commit of 2026-03-30, read 2026-11.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from jules_job_manager.adapters.scanners.program import MISSING, index_of, run_on
from jules_job_manager.domain.scans import SECURITY
from jules_job_manager.errors import OperationFailedError
from jules_job_manager.ports.scanner import Hit

SEVERE = frozenset(
    {"S201", "S202", "S304", "S312", "S321", "S324", "S501", "S502", "S507", "S602", "S605", "S609",
     "S701"}
)  # fmt: skip
"""What bandit calls HIGH; rules of which it does so only at times (S103, S505) are left out."""
_HARMLESS = "seems safe"
"""Ruff says so of a shell that is given a text without values, which bandit calls LOW."""
TRIVIAL = ("S404", "S603", "S607")
"""True of every program that starts another one, whatever it does."""


class RuffSecurity:
    """Runs `ruff check --select S` on Python files."""

    scan = SECURITY

    def missing(self) -> str:
        """See `Scanner.missing`."""
        return MISSING if find_spec("ruff") is None else ""

    async def hits(self, files: Sequence[tuple[str, bytes]]) -> list[Hit]:
        """See `Scanner.hits`."""
        argv = [
            _program(), "check", "--isolated", "--no-cache", "--ignore-noqa", "--exit-zero",
            "--select", "S", "--ignore", ",".join(TRIVIAL), "--output-format", "json", ".",
        ]  # fmt: skip
        printed = await run_on(files, argv, name="ruff")
        try:
            entries = json.loads(printed)
            return [_hit(entry) for entry in entries if str(entry["code"]).startswith("S")]
        except (ValueError, LookupError, TypeError) as exc:
            raise OperationFailedError("What ruff printed cannot be read.") from exc


def _program() -> str:
    try:
        return str(import_module("ruff").find_ruff_bin())
    except (ImportError, AttributeError, OSError) as exc:
        raise OperationFailedError(f"ruff cannot be found: {exc}.") from exc


def _hit(entry: dict[str, Any]) -> Hit:
    code, message = str(entry["code"]), str(entry["message"])
    return Hit(
        file=index_of(str(entry["filename"])),
        line=int(entry["location"]["row"]),
        last_line=int(entry["end_location"]["row"]),
        code=code,
        message=f"{code}: {message}",
        is_severe=code in SEVERE and _HARMLESS not in message,
    )
