"""A small application with a gate, for tests of what guards routes."""

from __future__ import annotations

import json
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated

import httpx2
from fastapi import APIRouter, Depends, FastAPI, Request
from starlette.responses import JSONResponse

from jules_job_manager.domain.access import Permission, Principal, PrincipalKind, Role
from jules_job_manager.domain.audit import Caller
from jules_job_manager.errors import (
    AccessDeniedError,
    AccessKeyNotFoundError,
    ConflictError,
    InvalidInputError,
    JulesManagerError,
    RateLimitedError,
    RequestMismatchError,
    SignInRequiredError,
    StoreUnavailableError,
    UnclearOutcomeError,
)
from jules_job_manager.settings.load import load_settings
from jules_job_manager.web.access import needs, public
from jules_job_manager.web.doors import install
from jules_job_manager.web.idempotency import IdempotentRoute
from jules_job_manager.web.routes import audit, keys
from tests.memory_access import opened

ADMIN = Caller(principal=Principal(name="root", kind=PrincipalKind.LOCAL, role=Role.ADMIN))
STATUSES = {
    SignInRequiredError: 401, AccessDeniedError: 403, AccessKeyNotFoundError: 404, RateLimitedError: 429,
    RequestMismatchError: 422, ConflictError: 409, InvalidInputError: 400,
    UnclearOutcomeError: 502, StoreUnavailableError: 503,
}  # fmt: skip
OUTSIDE = "https://jjm.example.org"


def _routes(done: list[str]) -> APIRouter:
    router = APIRouter(route_class=IdempotentRoute, prefix="/api/v1")

    @router.get("/tasks", operation_id="list_tasks")
    async def list_tasks(who: Annotated[Principal, Depends(needs(Permission.TASKS_READ))]):
        return {"name": who.name}

    @router.post("/tasks/{task}", operation_id="change_task", status_code=201)
    async def change_task(
        request: Request,
        task: str,
        who: Annotated[Principal, Depends(needs(Permission.TASKS_WRITE))],
    ):
        done.append(task)
        body = await request.body()
        if body == b'"bad"':
            raise InvalidInputError("Bad.")
        return {
            "task": task,
            "number": len(done),
            "body": json.loads(body or b"null"),
            "name": who.name,
        }

    @router.get("/open", dependencies=[Depends(public)])
    async def anybody():
        return {}

    return router


class World:
    """The application, the store behind it, and clients of it."""

    def __init__(self, app: FastAPI, store, done: list[str]) -> None:
        self.app, self.store, self.done = app, store, done
        self.gate = app.state.gate

    def client(self, base: str = OUTSIDE, *, address: str = "10.0.0.1", **headers: str):
        """Return a browser or program at an address."""
        transport = httpx2.ASGITransport(app=self.app, client=(address, 1))
        return httpx2.AsyncClient(base_url=base, transport=transport, headers=headers)

    async def key(self, role: Role = Role.OPERATOR, name: str = "ci", **more) -> str:
        """Return a new key."""
        return (await self.gate.access.create(name, role, caller=ADMIN, **more)).text

    async def link(self, name: str = "Ada", role: Role = Role.OPERATOR) -> str:
        """Return the secret of a new link."""
        return (await self.gate.sign_in.link(name, role, caller=ADMIN)).text

    async def said(self) -> list[tuple[str, str, str]]:
        """Return actor, operation and result of all that is in the audit log."""
        return [(e.actor, e.operation, e.result) for e in await self.store.audit.read()]


@asynccontextmanager
async def world(path: Path, clock, *, provider=None, **environ: str):
    """Yield an application on an empty store, with settings by their variables."""
    async with opened(path, clock) as store:
        settings = load_settings({"JJM_HOME": str(path), **environ})
        app, done = FastAPI(), []
        install(app, store=store, settings=settings, clock=clock)
        if provider is not None:
            app.state.gate.sign_in._provider = provider
        api = _routes(done)
        app.include_router(api)
        for part in (keys, audit):
            app.include_router(part.router, prefix="/api/v1")
        app.include_router(keys.issuing, prefix="/api/v1")

        @app.exception_handler(JulesManagerError)
        async def known(request: Request, error: JulesManagerError) -> JSONResponse:
            del request
            status = next(STATUSES[cls] for cls in type(error).__mro__ if cls in STATUSES)
            return JSONResponse({"code": error.code, "detail": error.message}, status)

        yield World(app, store, done)
