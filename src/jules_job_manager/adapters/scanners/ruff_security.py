"""Ruff's security rules, a port of flake8-bandit.

Ruff has no word for how severe a finding is; bandit has, for the same rules.
Source: docs.astral.sh/ruff (`ruff check --help`, rules S, 0.17) and the plugins and lists of
PyCQA/bandit at its commit of 2026-03-30, read 2026-11.
"""

from __future__ import annotations

import io
import json
import tokenize
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
_UNREAD = "unread"
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
            "--target-version", "py314", "--select", "S", "--ignore", ",".join(TRIVIAL), "--output-format", "json", ".",
        ]  # fmt: skip
        readable = [(suffix, as_utf8(content)) for suffix, content in files]
        printed = await run_on(readable, argv, name="ruff")
        try:
            hits = [_hit(entry) for entry in json.loads(printed)]
        except (ValueError, LookupError, TypeError) as exc:
            raise OperationFailedError("What ruff printed cannot be read.") from exc
        unread: dict[int, Hit] = {}
        for hit in hits:
            if hit.code == _UNREAD:
                unread.setdefault(hit.file, hit)
        return [hit for hit in hits if hit.code != _UNREAD or unread[hit.file] is hit]


def as_utf8(content: bytes) -> bytes:
    """Return Python source in UTF-8, as Python itself would read it.

    Ruff passes over a file in another encoding and says so only on stderr.
    Source: PEP 263; ruff 0.17, tried 2026-11.
    """
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(content).readline)
        text = content.decode(encoding)
    except (SyntaxError, LookupError, ValueError):
        text = content.decode("utf-8", "replace")
    return text.encode("utf-8", "replace")


def _program() -> str:
    try:
        return str(import_module("ruff").find_ruff_bin())
    except (ImportError, AttributeError, OSError) as exc:
        raise OperationFailedError(f"ruff cannot be found: {exc}.") from exc


def _hit(entry: dict[str, Any]) -> Hit:
    code, message = str(entry["code"]), str(entry["message"])
    if not code.startswith("S"):
        code, message = _UNREAD, f"this file could not be looked at ({message})"
    return Hit(
        file=index_of(str(entry["filename"])),
        line=int(entry["location"]["row"]),
        last_line=int(entry["end_location"]["row"]),
        code=code,
        message=f"{code}: {message}",
        is_severe=code in SEVERE and _HARMLESS not in message,
    )
