"""Looks for known vulnerabilities of what the lock files install.

    python scripts/audit.py [--if-reachable] [--osv-url URL] LOCK_FILE …

Asks OSV (osv.dev), which has PyPI's advisories too, through pip-audit. Nothing that is locked may
be left out of the audit. Exit codes: 0 none is known; 1 there are some, or the audit failed; 3 the
service does not answer (with `--if-reachable`: 0, said in one line).
"""

from __future__ import annotations

import argparse
import http.client
import json
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Sequence

OSV = "https://api.osv.dev/v1/query"
"""Source: google.github.io/osv.dev/post-v1-query, read 2026-11."""
PATIENCE_SECONDS = 15.0
UNREACHABLE = 3
_QUESTION = {"package": {"name": "pip", "ecosystem": "PyPI"}, "version": "26.3"}


def trouble_with(url: str) -> str:
    """Ask the service something small, and return why it cannot be used; empty when it answers."""
    request = urllib.request.Request(  # noqa: S310 - the address is the caller's own
        url, json.dumps(_QUESTION).encode(), {"Content-Type": "application/json"}
    )
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE_SECONDS) as answer:  # noqa: S310
            found = json.load(answer)
    except urllib.error.HTTPError as exc:
        return f"HTTP {exc.code}"
    except urllib.error.URLError as exc:
        return str(exc.reason)
    except (OSError, http.client.HTTPException, ValueError) as exc:
        return str(exc) or type(exc).__name__
    return "" if isinstance(found, dict) else "its answer is no JSON object"


def audited(lock_file: str, url: str) -> int:
    """Audit one lock file, print what is known, and return pip-audit's exit code."""
    command = [
        sys.executable, "-m", "pip_audit", "--strict", "--disable-pip", "--require-hashes",
        "--progress-spinner", "off", "--vulnerability-service", "osv", "--osv-url", url,
        "--requirement", lock_file,
    ]  # fmt: skip
    print(f"{lock_file}:", flush=True)
    return subprocess.run(command, check=False).returncode


def main(arguments: Sequence[str]) -> int:
    """Audit the lock files, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("lock_files", nargs="+", metavar="LOCK_FILE")
    parser.add_argument("--osv-url", default=OSV, help="address of the advisory service")
    parser.add_argument(
        "--if-reachable", action="store_true", help="leave the audit out when it does not answer"
    )
    args = parser.parse_args(arguments)
    if trouble := trouble_with(args.osv_url):
        print(f"The audit was left out: {args.osv_url} does not answer ({trouble}).", flush=True)
        return 0 if args.if_reachable else UNREACHABLE
    codes = [audited(lock_file, args.osv_url) for lock_file in args.lock_files]
    return 1 if any(codes) else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
