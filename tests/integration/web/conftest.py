"""The whole interface over ASGI, on a real store and the pretend Jules."""

from __future__ import annotations

import contextlib

import httpx2
import pytest
from tests.environment import bare_environment
from tests.ready_store import put_ready_store

from jules_job_manager.bootstrap import data_path, open_app
from jules_job_manager.bootstrap.access import local_caller
from jules_job_manager.bootstrap.service import open_service
from jules_job_manager.domain.access import Role
from jules_job_manager.settings.load import load_settings
from jules_job_manager.web.app import create_app


@pytest.fixture
def environ(tmp_path):
    """Return the environment of the service; a test may add to it before it asks for `web`."""
    return bare_environment(
        JJM_HOME=str(tmp_path / "home"), JJM_BACKEND="simulator", JJM_SIMULATOR__SPEED="2000",
        JJM_SERVER__WORKER="false", JJM_RATE_LIMITS__ENABLED="false",
    )  # fmt: skip


@pytest.fixture
async def service(environ):
    """Return the parts of a service."""
    settings = load_settings(environ)
    if settings.storage.backend == "sqlite" and not data_path(settings).exists():
        put_ready_store(data_path(settings))
    async with (
        open_app(settings) as app,
        open_service(
            app, load=lambda: settings, say=lambda _: None, address="http://test"
        ) as service,
    ):
        yield service


@pytest.fixture
def web(service):
    """Return the application."""
    return create_app(service)


@pytest.fixture
async def keys(web, service):
    """Return a key of each role."""
    gate = web.state.gate
    made = {}
    for role in Role:
        issued = await gate.access.create(name=f"the-{role}", role=role, caller=local_caller())
        made[role] = issued.text
    return made


@pytest.fixture
async def client(web, keys):
    """Return a client that is an admin; `headers` of a request may say otherwise."""
    async with client_of(web, keys[Role.ADMIN]) as client:
        yield client


@contextlib.asynccontextmanager
async def client_of(web, key: str = ""):
    """Yield a client with this key, or with none."""
    transport = httpx2.ASGITransport(web, raise_app_exceptions=False)
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    async with httpx2.AsyncClient(
        transport=transport, base_url="http://127.0.0.1", headers=headers
    ) as client:
        yield client
