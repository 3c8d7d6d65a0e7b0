"""detect-secrets on text files."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from jules_job_manager.adapters.scanners import secret_lines
from jules_job_manager.adapters.scanners.program import MISSING, index_of, run_on
from jules_job_manager.domain.scans import SECRETS
from jules_job_manager.errors import OperationFailedError
from jules_job_manager.ports.scanner import Hit

SEVERE = frozenset(
    {"AWS Access Key", "Azure Storage Account access key", "Discord Bot Token", "GitHub Token",
     "GitLab Token", "Mailchimp Access Key", "NPM tokens", "OpenAI Token", "Private Key",
     "PyPI Token", "SendGrid API Key", "Slack Token", "Square OAuth Secret", "Stripe Access Key",
     "Telegram Bot Token", "Twilio API Key"}
)  # fmt: skip
"""Kinds with a form that nothing else has; the others are told by a name near them."""


class DetectSecrets:
    """Runs detect-secrets in a process of its own."""

    scan = SECRETS

    def missing(self) -> str:
        """See `Scanner.missing`."""
        return MISSING if find_spec("detect_secrets") is None else ""

    async def hits(self, files: Sequence[tuple[str, bytes]]) -> list[Hit]:
        """See `Scanner.hits`."""
        package = find_spec("detect_secrets")
        if package is None or package.origin is None:
            raise OperationFailedError(MISSING)
        packages = str(Path(package.origin).parent.parent)
        argv = [sys.executable, "-I", str(secret_lines.__file__), packages]
        # A file that is no UTF-8 would be passed over from the first strange byte on.
        readable = [(s, c.decode("utf-8", "replace").encode()) for s, c in files]
        printed = await run_on(readable, argv, name="detect-secrets")
        try:
            return [_hit(entry) for entry in json.loads(printed)]
        except (ValueError, LookupError, TypeError) as exc:
            raise OperationFailedError("What detect-secrets printed cannot be read.") from exc


def _hit(entry: dict[str, Any]) -> Hit:
    kind = str(entry["kind"])
    return Hit(
        file=index_of(str(entry["file"])),
        line=int(entry["line"]),
        last_line=int(entry["line"]),
        code=kind,
        message=f"This looks like a secret ({kind}).",
        is_severe=kind in SEVERE and not entry["is_example"],
        secret=str(entry["hash"]),
    )
