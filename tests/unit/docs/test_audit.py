"""The audit of what the lock files install, against a stand-in of the advisory service."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
BAD = ("jinja2", "2.4.1")
ADVISORY = {
    "id": "PYSEC-2019-217",
    "summary": "A sandbox can be left.",
    "details": "A sandbox can be left.",
    "affected": [
        {
            "package": {"name": "jinja2", "ecosystem": "PyPI"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "2.10.1"}]}],
            "versions": ["2.4.1"],
        }
    ],
}  # fmt: skip
"""One entry as OSV gives it. Source: ossf.github.io/osv-schema, read 2026-11."""


@contextmanager
def _advisories(status: int = 200) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """Serve one advisory on loopback; yield the address and what was asked for."""
    asked: list[tuple[str, str]] = []

    class Answering(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            question = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            meant = (question["package"]["name"].lower(), question["version"])
            asked.append(meant)
            body = json.dumps({"vulns": [ADVISORY]} if meant == BAD else {}).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Be quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1/query", asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _audit(url: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, ROOT / "scripts" / "audit.py", "--osv-url", url, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def _lock(folder: Path, name: str, version: str) -> Path:
    path = folder / "some.lock"
    path.write_text(f"{name}=={version} \\\n    --hash=sha256:{'0' * 64}\n")
    return path


def test_an_affected_version_fails(tmp_path):
    """It is named, with the version that helps."""
    with _advisories() as (url, asked):
        done = _audit(url, "--if-reachable", _lock(tmp_path, *BAD))
    assert 1 == done.returncode, done.stderr
    assert BAD in asked
    assert "PYSEC-2019-217" in done.stdout
    assert "2.10.1" in done.stdout


def test_one_affected_file_among_clean_ones_fails(tmp_path):
    """Whichever comes last."""
    (tmp_path / "clean").mkdir()
    clean = _lock(tmp_path / "clean", "jinja2", "3.1.6")
    with _advisories() as (url, _):
        assert 1 == _audit(url, _lock(tmp_path, *BAD), clean).returncode


def test_clean_versions_pass(tmp_path):
    """Every one was asked for."""
    with _advisories() as (url, asked):
        done = _audit(url, _lock(tmp_path, "jinja2", "3.1.6"))
    assert 0 == done.returncode, done.stderr
    assert ("jinja2", "3.1.6") in asked
    assert "left out" not in done.stdout


def test_what_cannot_be_read_fails(tmp_path):
    """A lock file without hashes is none, and counts as no audit."""
    path = tmp_path / "some.lock"
    path.write_text("jinja2==3.1.6\n")
    with _advisories() as (url, _):
        assert 1 == _audit(url, "--if-reachable", path).returncode


@pytest.mark.parametrize(("flags", "code"), [((), 3), (("--if-reachable",), 0)])
def test_a_service_that_is_away_is_said_in_one_line(tmp_path, flags, code):
    """Where the audit is wished for, that is no success."""
    with socket.socket() as taken:  # bound and not listening: nobody answers there
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/v1/query"
        done = _audit(url, *flags, _lock(tmp_path, *BAD))
    assert code == done.returncode, done.stderr
    assert [f"The audit was left out: {url} does not answer"] == [
        line.partition(" (")[0] for line in done.stdout.splitlines()
    ]
    assert "" == done.stderr


def test_a_proxy_that_answers_instead_is_no_service(tmp_path):
    """What refuses everybody cannot say that nothing is known."""
    with _advisories(status=403) as (url, _):
        done = _audit(url, "--if-reachable", _lock(tmp_path, *BAD))
    assert 0 == done.returncode
    assert f"The audit was left out: {url} does not answer (HTTP 403).\n" == done.stdout


def test_continuous_integration_audits_every_lock_file():
    """Each file that pins versions is named where the audit is started."""
    rule = (ROOT / "Makefile").read_text("utf-8").partition("\naudit:")[2].partition("\n\n")[0]
    for path in ROOT.glob("*.lock"):
        assert path.name in rule
    assert "make audit AUDIT_ARGS=--if-reachable\n" in (ROOT / ".ci" / "run").read_text("utf-8")
