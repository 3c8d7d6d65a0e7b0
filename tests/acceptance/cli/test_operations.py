"""Secrets, alerts and metrics, as a person meets them on the command line."""

from __future__ import annotations

import contextlib
import json
import signal
import socket
import subprocess
import threading
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from tests.environment import bare_environment
from tests.kill_world import until
from tests.warm_program import start_jjm

pytestmark = [pytest.mark.integration, pytest.mark.slow]


@pytest.fixture
def key_file(tmp_path):
    path = tmp_path / "key"
    path.write_text("k3y-of-jules\n")
    path.chmod(0o600)
    return path


def test_secrets_are_checked_and_never_shown(jjm, key_file):
    """Which are there, which are not and why, for people and programs."""
    environ = {"JULES_API_KEY": f"file:{key_file}"}
    done = jjm("secret", "check", **environ)
    assert f"jules.api_key\tfile:{key_file}\tis there\n" == done.stdout
    environ["GITHUB_TOKEN"] = "env:NOWHERE"
    done = jjm("secret", "check", "--json", "setting,ok,text", "--jq", ".[]", expect=1, **environ)
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert {
        "setting": "github.token",
        "ok": False,
        "text": "The variable NOWHERE is not set.",
    } in rows
    assert "k3y-of-jules" not in done.stdout + done.stderr
    shown = jjm("config", "show", **environ).stdout
    assert f"jules.api_key\tfile:{key_file}\t" in shown
    assert "k3y-of-jules" not in shown


def test_a_secret_that_is_missing_ends_a_command_with_one_sentence(jjm, key_file):
    """And a traceback that was asked for shows no secret."""
    key_file.chmod(0o644)
    done = jjm(
        "list", "--debug", expect=1, JULES_API_KEY=f"file:{key_file}", GITHUB_TOKEN="t0ken-x"
    )
    assert f"error: jules.api_key is kept in file:{key_file}: The file" in done.stderr
    assert f"hint: Run: chmod 600 {key_file}" in done.stderr
    assert "Traceback" in done.stderr
    assert "k3y-of-jules" not in done.stderr


def test_without_references_there_is_nothing_to_check(jjm):
    """An empty list is a success."""
    done = jjm("secret", "check", JULES_API_KEY="plain-key")
    assert ("", True) == (done.stdout, "No setting refers to a secret" in done.stderr)


@pytest.mark.parametrize(
    ("backend", "stdin", "said"),
    [
        ("keyring.backends.null.Keyring", "s3cret\n", "keeps nothing"),
        ("keyring.backends.fail.Keyring", "s3cret\n", "cannot be used (NoKeyringError)"),
        ("keyring.backends.null.Keyring", "\n", "The secret is empty; nothing was kept."),
    ],
)
def test_a_keyring_that_cannot_keep_it(jjm, backend, stdin, said):
    """Said with what else there is; the secret is not repeated."""
    done = jjm("secret", "set", "jules", expect=1, stdin=stdin, PYTHON_KEYRING_BACKEND=backend)
    assert said in done.stderr
    assert "s3cret" not in done.stdout + done.stderr


def test_a_name_for_the_keyring(jjm):
    """How a setting refers to it is the output; nothing is kept by a dry run."""
    assert "keyring:jjm/jules\n" == jjm("secret", "set", "jules", "--dry-run").stdout
    assert "keyring:team/jules\n" == jjm("secret", "set", "team/jules", "--dry-run").stdout
    done = jjm("secret", "set", "a#b/c", "--dry-run", expect=1)
    assert "is no name for a secret" in done.stderr


@pytest.fixture
def hook():
    """A webhook that keeps what it is sent."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.server.got.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.got = []
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_test_alert(jjm, hook):
    """It goes the way that a true one goes."""
    address = f"json://127.0.0.1:{hook.server_address[1]}"
    done = jjm("notify", "test", "--alert", JJM_NOTIFY__URLS=address)
    assert "Sent to 1 address.\n" == done.stdout
    (got,) = hook.got
    assert "jjm: alert: this is a test; nothing is wrong" == got["title"]


def test_a_worker_answers_metrics_on_its_port(tmp_path):
    """While it runs, and its port is free again afterwards."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    worker = start_jjm(
        ["worker"], cwd=tmp_path,
        env=bare_environment(
            JJM_HOME=str(tmp_path / "home"), JJM_BACKEND="simulator", JJM_REVIEW__SANDBOX="host",
            JJM_METRICS__PORT=str(port), JJM_QUEUE__POLL_INTERVAL_SECONDS="0.2",
        ),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        text = _metrics(port)
        assert "jules_build_info" in text
        assert 'jules_backend_call_duration_seconds_count{account="default"' in text
    finally:
        worker.send_signal(signal.SIGINT)
        out, err = worker.communicate(timeout=60)
    assert 0 == worker.returncode, out + err
    with pytest.raises(OSError, match=r"refused"):
        urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5)


@pytest.mark.parametrize("command", [["worker"], ["serve", "--port", "0"]])
def test_metrics_are_not_open_to_a_network_by_accident(jjm, command):
    """Neither program starts, and says what to do."""
    done = jjm(*command, expect=1, JJM_METRICS__PORT="9", JJM_METRICS__HOST="0.0.0.0")
    assert "On 0.0.0.0 port 9 others would get the metrics without a key." in done.stderr
    assert "metrics.allow_public" in done.stderr


def test_a_worker_counts_the_webhooks_that_it_delivers(jjm, hook, tmp_path):
    """In a team no server may deliver; then the alert hears of failures from the worker's port."""
    home = tmp_path / "worker's"
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    allowed = {"JJM_HOME": str(home), "JJM_WEBHOOKS__ALLOW_PRIVATE": "127.0.0.0/8"}
    # The making of an endpoint is its first event.
    for path in ("there", "too"):
        jjm("webhook", "create", f"http://127.0.0.1:{hook.server_address[1]}/{path}", "--type",
            "webhook_created", **allowed)  # fmt: skip
    worker = start_jjm(
        ["worker"], cwd=tmp_path,
        env=bare_environment(
            **allowed, JJM_BACKEND="simulator", JJM_REVIEW__SANDBOX="host",
            JJM_METRICS__PORT=str(port), JJM_METRICS__SNAPSHOT_SECONDS="0",
        ),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        delivered = 'jules_webhook_deliveries_total{outcome="delivered"} '
        until("deliveries are counted", lambda: f"{delivered}3.0" in _asked(port))
        assert "jules_webhook_pending 0.0" in _asked(port)
    finally:
        worker.send_signal(signal.SIGINT)
        out, err = worker.communicate(timeout=60)
    assert 0 == worker.returncode, out + err
    assert 3 == len(hook.got)


def _asked(port: int) -> str:
    """Return the metrics, or nothing while none are served."""
    with (
        contextlib.suppress(OSError),
        urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer,
    ):
        return str(answer.read().decode())
    return ""


def _metrics(port: int) -> str:
    """Return the metrics once a call of Jules is among them."""

    def told() -> str:
        text = _asked(port)
        return text if "call_duration_seconds_count{" in text else ""

    return until("a call of Jules among the metrics", told)
