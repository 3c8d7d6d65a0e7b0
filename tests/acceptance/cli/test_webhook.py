"""`jjm webhook` as a user runs it."""

from __future__ import annotations

import http.server
import json
import subprocess
import sys
import threading
import time

import pytest
from standardwebhooks.webhooks import Webhook
from tests.environment import bare_environment

pytestmark = pytest.mark.integration


@pytest.fixture
def listener():
    """A receiver that takes everything."""
    got = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["content-length"])).decode()
            got.append((dict(self.headers), body))
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"\x1b[31mthanks")

        def log_message(self, *words):
            pass

    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/hook", got
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_test_message(jjm, listener):
    """It is signed, and goes to no address inside the network unless that is allowed."""
    url, got = listener
    allowed = {"JJM_WEBHOOKS__ALLOW_PRIVATE": "127.0.0.0/8"}
    for more in ((), ("--dry-run",)):
        said = jjm("webhook", "create", url, *more, expect=1).stderr
        assert "inside the network" in said
    made, secret = jjm("webhook", "create", url, "--type", "merged", **allowed).stdout.split()
    refused = jjm("webhook", "test", made, expect=1).stdout
    assert "inside the network" in refused
    assert [] == got
    assert "No delivery fits." in jjm("webhook", "deliveries", "--state", "failed").stderr
    jjm("webhook", "test", made, "--dry-run", **allowed)
    taken = jjm("webhook", "test", made, **allowed).stdout
    assert "Taken: 200" in taken
    assert "\x1b" not in taken
    (headers, body), *more = got
    assert [] == more
    Webhook(secret).verify(body, headers)


def test_workers_deliver_when_no_service_runs(jjm, listener, tmp_path):
    """Two workers run; what happens is sent once, by the one that has the lease."""
    url, got = listener
    (tmp_path / "b.md").write_text("### Task 1: First\n**Status**: Ready\n**Prompt**: p\n")
    jjm("queue", "import", "b.md", "--repo", "octo/sample")
    jjm("queue", "pause")
    allowed = {"JJM_WEBHOOKS__ALLOW_PRIVATE": "127.0.0.0/8"}
    jjm("webhook", "create", url, "--type", "queue_paused", **allowed)
    environ = bare_environment(
        JJM_HOME=str(tmp_path / "home"), JJM_BACKEND="simulator", JJM_REVIEW__SANDBOX="host",
        JJM_WEBHOOKS__ALLOW_PRIVATE="127.0.0.0/8", JJM_WEBHOOKS__POLL_SECONDS="0.2",
    )  # fmt: skip
    workers = [
        subprocess.Popen(
            [sys.executable, "-m", "jules_job_manager", "worker"], env=environ, cwd=tmp_path,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        for _ in range(2)
    ]  # fmt: skip
    try:
        said = [worker.stdout.readline() for worker in workers]  # both are at work now
        assert {True, False} == {"standing by" in line for line in said}, said
        jjm("queue", "pause", "--reason", "one")
        jjm("queue", "pause", "--reason", "two")
        deadline = time.monotonic() + 90
        while len(got) < 2:
            assert time.monotonic() < deadline
            assert all(worker.poll() is None for worker in workers)
            threading.Event().wait(0.05)
    finally:
        for worker in workers:
            worker.terminate()
        ends = [(worker.communicate(timeout=60), worker.returncode) for worker in workers]
    assert [0, 0] == [code for _, code in ends], ends
    assert ["one", "two"] == sorted(json.loads(body)["data"]["data"]["reason"] for _, body in got)


def test_a_run_delivers_when_no_service_runs(jjm, listener, tmp_path):
    """To its very end: that it is drained is the last thing that happens."""
    url, got = listener
    (tmp_path / "b.md").write_text("### Task 1: First\n**Status**: Ready\n**Prompt**: p\n")
    jjm("queue", "import", "b.md", "--repo", "octo/sample")
    jjm("queue", "hold", "Task 1", "--reason", "not today")
    allowed = {"JJM_WEBHOOKS__ALLOW_PRIVATE": "127.0.0.0/8"}
    jjm("webhook", "create", url, "--type", "queue_drained", **allowed)
    jjm("queue", "run", "--check", "true", expect=8, **allowed)
    assert ["queue_drained"] == [json.loads(body)["type"] for _, body in got]
    # Nobody takes it: the run ends all the same, and the rest waits.
    jjm("webhook", "create", "http://127.0.0.1:1/hook", "--type", "queue_drained", **allowed)
    jjm("queue", "run", "--check", "true", expect=8, **allowed)
    assert 2 == len(got)
    pending = jjm("webhook", "deliveries", "--state", "pending", "--json", "event_type").stdout
    assert [{"event_type": "queue_drained"}] == json.loads(pending)


@pytest.mark.both_ways(JJM_WEBHOOKS__ENABLED="false")
def test_from_the_first_to_the_last(jjm):
    """An endpoint is made, changed, given a new secret, sent to again, and deleted."""
    url = "https://example.org/hook"
    jjm("webhook", "create", url, "--dry-run")
    assert "nowhere" in jjm("webhook", "list").stderr
    other, _ = jjm("webhook", "create", "https://example.org/x").stdout.split()
    jjm("webhook", "delete", other)
    made, secret = jjm("webhook", "create", url, "--type", "merged").stdout.split()
    assert secret.startswith("whsec_")
    assert "no webhook 'we_1'" in jjm("webhook", "test", "we_1", expect=1).stderr
    assert "no delivery 3" in jjm("webhook", "replay", "3", expect=1).stderr
    jjm("webhook", "update", made, "--disable", "--dry-run")
    jjm("webhook", "update", made, "--disable", "--description", "x", "--every-event")
    assert "nothing" not in jjm("webhook", "list").stderr
    shown = json.loads(jjm("webhook", "list", "--json", "id,enabled,types,description").stdout)
    assert [{"id": made, "enabled": False, "types": [], "description": "x"}] == shown
    assert "disabled" in jjm("webhook", "list").stdout
    assert secret not in jjm("webhook", "list", "--json", "id,url").stdout
    _, rotated = jjm("webhook", "update", made, "--rotate-secret").stdout.split()
    assert secret != rotated
    assert "Nothing was sent" in jjm("webhook", "deliveries", made).stderr
    since = ("--endpoint", made, "--since", "2020-01-01T00:00:00Z")
    assert "Would send" in jjm("webhook", "replay", *since, "--dry-run").stdout
    assert "Sending 2 messages again." in jjm("webhook", "replay", *since).stdout
    pending = json.loads(jjm("webhook", "deliveries", "--json", "id,state,event_type").stdout)
    assert [(2, "pending", "webhook_deleted"), (1, "pending", "webhook_created")] == [
        tuple(one.values()) for one in pending
    ]
    assert "not sent yet" in jjm("webhook", "deliveries").stdout
    assert "Sending 1 message again." in jjm("webhook", "replay", "1").stdout
    jjm("webhook", "delete", made, "--dry-run")
    jjm("webhook", "delete", made)
    assert "nowhere" in jjm("webhook", "list").stderr


@pytest.mark.parametrize(("words", "said"), [
    (("create", "ftp://x"), "no address"), (("create", "https://x", "--type", ""), "filters by type"),
    (("test", "we_1"), "no webhook 'we_1'"), (("delete", "we_1"), "no webhook"), (("update", "we_1"), "Say what"),
    (("replay",), "Name a delivery"), (("replay", "3"), "no delivery 3"), (("replay", "1", "--endpoint", "x"), "Name a"),
    (("replay", "--endpoint", "x", "--since", "monday"), "is no time"),
    (("deliveries", "we_1"), "no webhook"), (("deliveries", "--limit", "0"), "between 1 and 1000"),
])  # fmt: skip
def test_what_cannot_be_done(jjm, words, said):
    """One sentence each."""
    assert said in jjm("webhook", *words, expect=1).stderr


def test_a_json_file_keeps_no_webhooks(jjm):
    """It says what to do."""
    done = jjm("webhook", "list", expect=1, JJM_STORAGE__BACKEND="json")
    assert "storage.backend" in done.stderr


def test_redis_that_is_away_stops_no_command(jjm):
    """Hints are lost, and nothing else."""
    jjm("webhook", "create", "https://example.org/x", REDIS_URL="redis://127.0.0.1:1/0")
    assert "example.org" in jjm("webhook", "list").stdout
    refused = jjm("webhook", "test", "we_1", expect=1, REDIS_URL="redis://127.0.0.1:1/0").stderr
    assert "There is no webhook 'we_1'." in refused
    assert "Traceback" not in refused
    wrong = jjm("webhook", "list", expect=1, REDIS_URL="http://x").stderr
    assert "redis.url" in wrong


def test_numbers_of_deliveries(jjm):
    """One that no store can have is refused in a sentence."""
    for args in (["replay", "9" * 20], ["replay", "one"], ["deliveries", "--before", "9" * 20]):
        said = jjm("webhook", *args, expect=1).stderr
        assert "must be a whole number, 0 to 4611686018427387904" in said
    assert "3000000000" in jjm("webhook", "replay", "3000000000", expect=1).stderr
