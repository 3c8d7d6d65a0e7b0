"""`jjm serve` as a user meets it: a program that is started, used, told to read again, and ended."""

from __future__ import annotations

import contextlib
import datetime as dt
import ipaddress
import json
import os
import re
import signal
import socket
import ssl
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from tests.environment import bare_environment
from tests.warm_program import run_jjm, start_jjm

pytestmark = [pytest.mark.integration, pytest.mark.slow]
ALERTS = Path(__file__).parents[3] / "deploy" / "prometheus" / "alerts.yml"
PASS_ON = """
import os, sys
os.dup2(int(sys.argv[1]), 3, inheritable=True)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="1")
os.execv(sys.executable, [sys.executable, "-m", "jules_job_manager", *sys.argv[2:]])
"""
"""Starts the program as systemd does: with a listening socket as file 3."""


class Serving:
    """A started `jjm serve`; its standard error is read as it comes."""

    def __init__(self, start, command, environ, **more) -> None:
        self.process = start(
            command, env=environ, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True, **more,
        )  # fmt: skip
        self.notes: list[str] = []
        self._more = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        for line in self.process.stderr:
            with self._more:
                self.notes.append(line)
                self._more.notify_all()

    def address(self) -> str:
        """Wait until it listens, and return where."""
        line = self.process.stdout.readline()
        assert line.startswith("Listening on "), "".join(self.notes)
        return line.removeprefix("Listening on ").strip()

    def wait_note(self, words: str) -> str:
        """Wait until it says this on standard error, and return the line."""
        with self._more:
            assert self._more.wait_for(lambda: any(words in n for n in self.notes), timeout=60), (
                self.notes
            )
        return next(note for note in self.notes if words in note)

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal, and return the exit code."""
        self.process.send_signal(number)
        return self.process.wait(timeout=60)

    def close(self) -> None:
        """Leave nothing behind."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self._reader.join()
        self.process.stdout.close()
        self.process.stderr.close()


@pytest.fixture
def environ(tmp_path):
    """Return the environment of the program."""
    return bare_environment(
        JJM_HOME=str(tmp_path / "home"), JJM_BACKEND="simulator", JJM_SIMULATOR__SPEED="2000",
        JJM_REVIEW__SANDBOX="host",
    )  # fmt: skip


@pytest.fixture
def serve(tmp_path, environ):
    """Return a function that starts it; what was started is ended after."""
    started = []

    def start(*words, launcher=(), pass_fds=(), **more):
        environment = {**environ, **more}
        if launcher:
            command = [sys.executable, *launcher, "serve", *words]
            found = Serving(subprocess.Popen, command, environment, cwd=tmp_path, pass_fds=pass_fds)
        else:
            found = Serving(start_jjm, ["serve", *words], environment, cwd=tmp_path)
        started.append(found)
        return found

    yield start
    for found in started:
        found.close()


def key_in(environ) -> str:
    """Return the first admin's key."""
    (file,) = Path(environ["JJM_HOME"]).glob("first-admin.*.key")
    return file.read_text("ascii").strip()


def asked(address, path, key="", context=None):
    """Send a GET and return its answer as JSON."""
    request = urllib.request.Request(f"{address}{path}", headers={"X-API-Key": key} if key else {})
    with urllib.request.urlopen(request, timeout=30, context=context) as answer:
        return json.load(answer)


def failed(command, environ, cwd) -> str:
    """Run a command that must fail, and return what it said."""
    done = run_jjm(command, env=environ, cwd=cwd, seconds=60)
    assert 1 == done.returncode, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done.stderr


def test_the_first_start_says_how_to_use_it(serve, environ, tmp_path):
    """The two lines it prints are enough for `jjm list` to work; the next start makes no other key."""
    server = serve("--port", "0")
    address = server.address()
    said = server.wait_note("export JJM_SERVER=")
    with pytest.raises(urllib.error.HTTPError, match="401"):
        asked(address, "/api/v1/tasks")
    shell = f"{said.strip()}; exec {sys.executable} -m jules_job_manager list --json id"
    bare = {**environ, "JJM_HOME": str(tmp_path / "elsewhere"), "JJM_BACKEND": ""}
    done = subprocess.run(
        ["sh", "-c", shell], env=bare, capture_output=True, text=True, timeout=60, check=False
    )
    assert (0, []) == (done.returncode, json.loads(done.stdout)), done.stderr
    assert 0o600 == next(Path(environ["JJM_HOME"]).glob("first-admin.*.key")).stat().st_mode & 0o777
    assert key_in(environ) not in "".join(server.notes)
    assert 0 == server.end()
    server.wait_note("Stopped.")
    again = serve("--port", "0")
    again.address()
    assert 0 == again.end(signal.SIGINT)
    assert not [note for note in again.notes if "admin key" in note]


def test_what_comes_in_is_the_callers_doing_alone(serve, environ, tmp_path):
    """The audit log has one entry for a change, by the key; none by whoever started the service."""
    server = serve("--port", "0", "--no-worker")
    there = {
        **environ, "JJM_SERVER": server.address(), "JJM_SERVER_KEY": key_in(environ),
        "JJM_HOME": str(tmp_path / "elsewhere"),
    }  # fmt: skip
    words = (
        ["create", "--repo", "octo/sample", "--description", "Add it"],
        ["queue", "pause"],
        ["audit", "query", "--json", "actor,operation"],
    )
    done = [run_jjm(one, env=there, cwd=tmp_path) for one in words]
    assert [0, 0, 0] == [one.returncode for one in done], done
    entries = json.loads(done[-1].stdout)
    assert [("first-admin", "api.create_task"), ("first-admin", "api.pause_queue")] == sorted(
        (entry["actor"], entry["operation"])
        for entry in entries
        if entry["operation"] != "key.create"
    )


def test_a_port_that_is_taken(environ, tmp_path):
    """One sentence and what to do."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        said = failed(["serve", "--port", str(port)], environ, tmp_path)
    assert f"Cannot listen on 127.0.0.1 port {port}" in said
    assert "--port" in said


def test_a_port_of_metrics_that_is_taken(environ, tmp_path):
    """The same: it is not left to the web server, which would show a traceback."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        more = {"JJM_METRICS__PORT": str(port)}
        said = failed(["serve", "--port", "0", "--no-worker"], {**environ, **more}, tmp_path)
    assert f"error: Metrics cannot be served on 127.0.0.1 port {port}" in said
    assert "metrics.port" in said
    assert "startup failed" not in said


def test_keys_never_go_over_a_network_in_clear_text(environ, tmp_path):
    """Without TLS it listens on this machine alone."""
    said = failed(["serve", "--host", "0.0.0.0", "--port", "0"], environ, tmp_path)
    assert "without TLS would send keys in clear text" in said
    assert "server.tls_certificate" in said


def test_a_json_store_is_refused(environ, tmp_path):
    """It says how to move to another."""
    said = failed(["serve", "--port", "0"], {**environ, "JJM_STORAGE__BACKEND": "json"}, tmp_path)
    assert "jjm storage migrate" in said


def test_https(serve, environ, tmp_path):
    """With a certificate it listens for others too; a key that others can read is refused."""
    certificate, key = made_certificate(tmp_path)
    given = {
        "JJM_SERVER__TLS_CERTIFICATE": str(certificate), "JJM_SERVER__TLS_KEY": str(key),
        "JJM_SERVER__HOST": "0.0.0.0",
    }  # fmt: skip
    key.chmod(0o644)
    said = failed(["serve", "--port", "0"], {**environ, **given}, tmp_path)
    assert f"chmod 600 {key}" in said
    key.chmod(0o600)
    certificate.chmod(0o600)
    swapped = {
        "JJM_SERVER__TLS_CERTIFICATE": str(key), "JJM_SERVER__TLS_KEY": str(certificate),
    }  # fmt: skip
    said = failed(["serve", "--port", "0"], {**environ, **swapped}, tmp_path)
    assert "error: The certificate and the key of TLS cannot be used" in said
    assert "server.tls_certificate" in said
    assert "server.tls_key" in said
    server = serve("--port", "0", "--no-worker", **given)
    address = server.address()
    assert address.startswith("https://127.0.0.1:")
    server.wait_note("listens on every address of this machine")
    trusted = ssl.create_default_context(cafile=str(certificate))
    assert [] == asked(address, "/api/v1/tasks", key_in(environ), trusted)["items"]
    with pytest.raises((urllib.error.URLError, ConnectionError)):
        asked(address.replace("https", "http"), "/health/live")
    there = {**environ, "JJM_SERVER": address, "JJM_SERVER_KEY": key_in(environ)}
    assert "SSL_CERT_FILE" in failed(["list"], there, tmp_path)
    trusting = {**there, "SSL_CERT_FILE": str(certificate)}
    assert 0 == run_jjm(["list"], env=trusting, cwd=tmp_path, seconds=60).returncode
    plain = failed(["list"], {**there, "JJM_SERVER": address.replace("https", "http")}, tmp_path)
    assert ".." not in plain
    assert "write its address with https://" in plain
    assert 0 == server.end()


def made_certificate(folder):
    """Return the files of a certificate for 127.0.0.1 and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "jjm")])
    now = dt.datetime.now(dt.UTC)
    here = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    made = (
        x509.CertificateBuilder()
        .subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(here, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    certificate, secret = folder / "cert.pem", folder / "key.pem"
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )  # fmt: skip
    return certificate, secret


def test_sighup_reads_the_configuration_again(serve, environ, tmp_path):
    """A broken file is told and changes nothing; neither ends the program or a request."""
    config = tmp_path / "config.toml"
    config.write_text("[queue]\nconcurrency = 3\n")
    server = serve("--port", "0", "--no-worker", JJM_CONFIG=str(config))
    address, key = server.address(), key_in(environ)

    def shown():
        return asked(address, "/api/v1/settings", key)

    before = shown()
    config.write_text("[queue]\nconcurrency = 'many'\n")
    server.process.send_signal(signal.SIGHUP)
    assert "stays as it was" in server.wait_note("configuration")
    assert before == shown()
    config.write_text("[queue]\nconcurrency = 5\n")
    server.process.send_signal(signal.SIGHUP)
    server.wait_note("The configuration was read again.")
    assert before != shown()
    assert 0 == server.end()


def test_it_ends_with_streams_open(serve, environ):
    """Each is told to come back; nobody is waited for longer than `server.graceful_seconds`."""
    server = serve("--port", "0", JJM_SERVER__GRACEFUL_SECONDS="30")
    address, key = server.address(), key_in(environ)
    with contextlib.ExitStack() as stack:
        streams = []
        for _ in range(3):
            request = urllib.request.Request(
                f"{address}/api/v1/events/stream", headers={"X-API-Key": key}
            )
            stream = stack.enter_context(urllib.request.urlopen(request, timeout=60))
            assert stream.readline().startswith(b": jjm")
            streams.append(stream)
        assert 0 == server.end()
        for stream in streams:
            assert b"come back" in stream.read()


@pytest.mark.parametrize(("words", "said"), [((), "itself"), (("--no-worker",), "apart")])
def test_the_worker_inside(serve, environ, words, said):
    """Health says whether the service runs the queue itself."""
    server = serve("--port", "0", *words)
    address = server.address()
    checks = asked(address, "/health", key_in(environ))["checks"]
    while checks["own_worker"]["message"] == "Not looked at yet.":
        checks = asked(address, "/health", key_in(environ))["checks"]
    assert said in checks["own_worker"]["message"]
    assert 0 == server.end()


def test_the_checks_that_alerts_look_at_are_there(serve, environ):
    """An alert on a check that no service has would never fire."""
    rules = ALERTS.read_text("utf-8")
    named = re.findall(r'jules_health_check\{check=~?"(.*?)"', rules)
    server = serve("--port", "0")
    checks = asked(server.address(), "/health", key_in(environ))["checks"]
    assert 4 <= len(named)
    for pattern in named:
        assert any(re.fullmatch(pattern, name) for name in checks), pattern
    assert 0 == server.end()


def test_a_socket_that_systemd_passes(serve, environ):
    """It listens there, whatever the settings say of a port; connections made before it ran are answered."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        early = socket.create_connection(("127.0.0.1", port), timeout=60)
        early.sendall(b"GET /health/live HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        number = listener.fileno()
        server = serve("--no-worker", launcher=("-c", PASS_ON, str(number)), pass_fds=(number,))
        assert f"http://127.0.0.1:{port}" == server.address()
        with early, early.makefile("rb") as answer:
            assert answer.readline().startswith(b"HTTP/1.1 200")
        assert [] == asked(f"http://127.0.0.1:{port}", "/api/v1/tasks", key_in(environ))["items"]
        assert 0 == server.end()
        assert os.fstat(number), "the socket stays open, and goes to the next start"


def test_a_passed_socket_that_others_reach(serve):
    """It needs TLS as one of its own does."""
    with socket.create_server(("0.0.0.0", 0)) as listener:
        number = listener.fileno()
        server = serve("--no-worker", launcher=("-c", PASS_ON, str(number)), pass_fds=(number,))
        server.wait_note("without TLS would send keys in clear text")
        assert 1 == server.process.wait(timeout=60)


def test_a_unix_socket_that_systemd_passes(serve, environ, tmp_path):
    """For a reverse proxy on the same machine."""
    path = tmp_path / "jjm.sock"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        number = listener.fileno()
        server = serve("--no-worker", launcher=("-c", PASS_ON, str(number)), pass_fds=(number,))
        assert f"unix:{path}" == server.address()
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(path))
            client.sendall(
                b"GET /api/v1/tasks HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
                b"X-API-Key: %b\r\n\r\n" % key_in(environ).encode()
            )
            with client.makefile("rb") as answer:
                assert re.match(rb"HTTP/1.1 200", answer.read())
        assert 0 == server.end()
