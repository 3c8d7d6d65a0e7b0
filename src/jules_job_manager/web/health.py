"""The routes of health: `/health/live`, `/health/ready`, `/health`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from jules_job_manager.domain.health import CheckState, HealthStatus
from jules_job_manager.services.health import Health

MaySee = Callable[[Request], Awaitable[bool]]
"""Says whether whoever asks may see the details of the checks."""
_NO_STORE = {"Cache-Control": "no-store"}


class Live(BaseModel):
    """The process runs and answers."""

    model_config = ConfigDict(json_schema_extra={"example": {"status": "alive"}})

    status: str


class Ready(BaseModel):
    """Whether requests may be sent here."""

    model_config = ConfigDict(json_schema_extra={"example": {"status": "ready"}})

    status: str = Field(description="ready or not ready.")


class Check(BaseModel):
    """One check."""

    status: HealthStatus
    latency: float = Field(description="Seconds that the last look took.")
    message: str
    age_seconds: float | None = Field(
        description="Seconds since the last look; null: there was none yet."
    )
    critical: bool = Field(description="Whether nothing works without it.")


class HealthAnswer(BaseModel):
    """How everything is."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "status": "healthy",
                "version": "0.1.0",
                "uptime": 86400.5,
                "checks": {
                    "store": {
                        "status": "healthy",
                        "latency": 0.004,
                        "message": "The postgresql store answers, with schema 0009.",
                        "age_seconds": 3.2,
                        "critical": True,
                    }
                },
            }
        }
    )

    status: HealthStatus
    version: str
    uptime: float = Field(description="Seconds since the start.")
    checks: dict[str, Check] | None = Field(
        default=None, description="By name; left out for those who may not see them."
    )


async def nobody(request: Request) -> bool:
    """Let nobody see the details."""
    del request
    return False


def probe_router(health: Health) -> APIRouter:
    """Return the routes that machines ask every few seconds.

    They answer from memory and never wait for a check, so that nobody need count them.
    """
    router = APIRouter(prefix="/health", tags=["health"])

    @router.get("/live", summary="Is the process alive?", operation_id="get_liveness")
    async def live(response: Response) -> Live:
        """Answer, which is the proof. Nothing else is looked at: a restart mends no database."""
        response.headers.update(_NO_STORE)
        return Live(status="alive")

    @router.get(
        "/ready", summary="May requests come?", operation_id="get_readiness",
        responses={503: {"model": Ready, "description": "Not now."}},
    )  # fmt: skip
    async def ready(response: Response) -> Ready:
        """Answer 200 when everything critical works, 503 otherwise."""
        response.headers.update(_NO_STORE)
        if health.report().is_ready:
            return Ready(status="ready")
        response.status_code = 503
        return Ready(status="not ready")

    return router


def health_router(health: Health, *, version: str, may_see_details: MaySee = nobody) -> APIRouter:
    """Return the route of the whole. It waits for no check and is fit to be public.

    Args:
        health: Knows how everything is.
        version: Shown in the whole answer.
        may_see_details: Whether whoever asks sees each check, not only the whole. Whatever it
            raises is up to the application.
    """
    router = APIRouter(prefix="/health", tags=["health"])

    @router.get(
        "", summary="How is everything?", operation_id="get_health",
        response_model_exclude_none=True,
        responses={503: {"model": HealthAnswer, "description": "Something critical is broken."}},
    )  # fmt: skip
    async def whole(request: Request, response: Response) -> HealthAnswer:
        """Answer 200 while it works, also with something missing (degraded), 503 otherwise."""
        may_see = await may_see_details(request)
        report = health.report()
        response.headers.update(_NO_STORE)
        if report.status is HealthStatus.UNHEALTHY:
            response.status_code = 503
        checks = {name: _check(state) for name, state in report.checks.items()}
        return HealthAnswer(
            status=report.status,
            version=version,
            uptime=round(report.uptime.total_seconds(), 3),
            checks=checks if may_see else None,
        )

    return router


def _check(state: CheckState) -> Check:
    return Check(
        status=state.status,
        latency=round(state.latency.total_seconds(), 6),
        message=state.message,
        age_seconds=None if state.age is None else round(state.age.total_seconds(), 3),
        critical=state.is_critical,
    )
