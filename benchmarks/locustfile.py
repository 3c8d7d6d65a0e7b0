"""What users of the load test do; `benchmarks/load.py` starts it. Runs in locust's own environment."""

from __future__ import annotations

import os
import random
import uuid

from locust import FastHttpUser, between, task

KEY = {"Authorization": f"Bearer {os.environ.get('LOAD_KEY', '')}"}
FIRST_ID = int(os.environ.get("LOAD_FIRST_ID", "0"))
TASKS = int(os.environ.get("LOAD_TASKS", "1"))


def _once() -> dict[str, str]:
    return {**KEY, "Idempotency-Key": str(uuid.uuid4())}


class Mixed(FastHttpUser):
    """Somebody who looks often and changes something now and then."""

    wait_time = between(0.5, 1.5)
    own = ""

    def on_start(self) -> None:
        """Have a task to talk to."""
        self.create()

    def _any(self) -> int:
        return FIRST_ID + random.randrange(TASKS)

    @task(6)
    def list_tasks(self) -> None:
        """Look at a page of tasks."""
        self.client.get("/api/v1/tasks?limit=50", headers=KEY, name="list")

    @task(6)
    def get(self) -> None:
        """Look at one task."""
        self.client.get(f"/api/v1/tasks/{self._any()}", headers=KEY, name="get")

    @task(4)
    def status(self) -> None:
        """Look where one stands."""
        self.client.get(f"/api/v1/tasks/{self._any()}/status", headers=KEY, name="status")

    @task(2)
    def events(self) -> None:
        """Read a page of what happened."""
        self.client.get("/api/v1/events?limit=50", headers=KEY, name="events")

    @task(1)
    def create(self) -> None:
        """Create a task."""
        body = {"description": "Add a test."}
        answer = self.client.post("/api/v1/tasks", json=body, headers=_once(), name="create")
        if answer.status_code == 201:
            self.own = answer.json()["id"]

    @task(1)
    def message(self) -> None:
        """Say something to the last task created."""
        if self.own:
            path = f"/api/v1/tasks/{self.own}/message"
            self.client.post(path, json={"text": "Go on."}, headers=_once(), name="message")


class Bare(FastHttpUser):
    """The same pace on a bare route that reads one row."""

    wait_time = between(0.5, 1.5)

    @task
    def row(self) -> None:
        """Read one row."""
        self.client.get("/row", name="bare")
