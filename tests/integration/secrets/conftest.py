"""Stand-ins for the places where secrets are kept, spoken to over real HTTP."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

SECRET = "k-9f8e7d6c5b4a"  # nothing real


class StandIn(ThreadingHTTPServer):
    """A server whose secrets tests change; it notes the requests it got."""

    def __init__(self, handler) -> None:
        super().__init__(("127.0.0.1", 0), handler)
        self.secrets: dict[str, object] = {}
        self.requests: list[dict[str, str]] = []
        self.url = f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass

    def _answer(self, status: int, body: object, media_type: str = "application/json") -> None:
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", media_type)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)


class VaultHandler(_Handler):
    """GET /v1/MOUNT/data/PATH.

    Source: developer.hashicorp.com/vault/api-docs/secret/kv/kv-v2, read 2026-11.
    """

    def do_GET(self) -> None:
        self.server.requests.append({"path": self.path, **self.headers})
        if self.headers.get("X-Vault-Token") != "vault-token":
            self._answer(403, {"errors": ["permission denied"]})
            return
        found = self.server.secrets.get(self.path.removeprefix("/v1/secret/data/"))
        if found is None:
            self._answer(404, {"errors": []})
        elif found == "sealed":
            self._answer(503, {"errors": ["Vault is sealed"]})
        else:
            version = {"created_time": "2026-11-24T00:00:00Z", "deletion_time": "", "version": 1}
            self._answer(200, {"request_id": "r", "data": {"data": found, "metadata": version}})


class AwsHandler(_Handler):
    """POST / with the target GetSecretValue.

    Source: docs.aws.amazon.com/secretsmanager/latest/apireference, GetSecretValue, read 2026-11.
    """

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.requests.append({"id": body["SecretId"], **self.headers})
        assert self.headers["X-Amz-Target"] == "secretsmanager.GetSecretValue"
        found = self.server.secrets.get(body["SecretId"])
        media_type = "application/x-amz-json-1.1"
        if found is None:
            text = "Secrets Manager can't find the specified secret."
            error = {"__type": "ResourceNotFoundException", "Message": text}
            self._answer(400, error, media_type)
        elif found == "denied":
            self._answer(400, {"__type": "AccessDeniedException", "Message": "no"}, media_type)
        else:
            answer = {"ARN": "arn", "Name": body["SecretId"], "VersionId": "v", "CreatedDate": 1.5}
            self._answer(200, {**answer, "SecretString": found}, media_type)


@contextmanager
def _running(handler):
    server = StandIn(handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def vault():
    with _running(VaultHandler) as server:
        yield server


@pytest.fixture
def aws(monkeypatch):
    """A server, and credentials for it that are nobody's."""
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "example")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with _running(AwsHandler) as server:
        yield server
