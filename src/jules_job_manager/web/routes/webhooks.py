"""Webhooks over HTTP."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request, Response

from jules_job_manager.bootstrap import App
from jules_job_manager.domain import change_notes as notes
from jules_job_manager.domain.webhook import DeliveryState, WebhookEndpoint
from jules_job_manager.services.webhooks import EndpointChange
from jules_job_manager.web.auditing import note_change
from jules_job_manager.web.caller import WebhooksManager
from jules_job_manager.web.etags import IfMatch, require_match, tagged
from jules_job_manager.web.idempotency import (
    IdempotentRoute,
    IssuingRoute,
    done_once,
    note_issued,
)
from jules_job_manager.web.paging import Limit, NumberCursor
from jules_job_manager.web.problems import documented
from jules_job_manager.web.schemas import webhooks as s

router = APIRouter(tags=["webhooks"], route_class=IdempotentRoute)
issuing = APIRouter(tags=["webhooks"], route_class=IssuingRoute, dependencies=[Depends(done_once)])
"""Routes whose answers hold a secret."""
EndpointId = Annotated[str, Path(max_length=100, description="The endpoint's id.")]
_ROTATE = "If that answer did not arrive, make a new one: jjm webhook update {} --rotate-secret"
_FOUND = documented(404)
_ACTS = documented(404, 409, 412, 415, 422)


@router.get("/webhooks", operation_id="list_webhooks", response_model=list[s.WebhookOut])
async def list_webhooks(app: WebhooksManager) -> list[dict[str, Any]]:
    """List the endpoints, oldest first. There are at most 100."""
    async with app.administration.webhooks() as webhooks:
        return [endpoint.to_dict() for endpoint in await webhooks.list()]


@issuing.post(
    "/webhooks", operation_id="create_webhook", status_code=201, response_model=s.IssuedWebhookOut,
    responses=documented(415),
)  # fmt: skip
async def create_webhook(
    app: WebhooksManager, body: s.NewWebhookIn, request: Request, response: Response
) -> dict[str, Any]:
    """Send events to an address from now on; its secret is in the answer, this once."""
    async with app.administration.webhooks() as webhooks:
        made = await webhooks.create(
            body.url, types=body.types, subjects=body.subjects, description=body.description
        )
    note_change(request, notes.webhook_created(made))
    note_issued(request, made.id, hint=_ROTATE.format(made.id))
    response.headers["Location"] = f"/api/v1/webhooks/{made.id}"
    return {**made.to_dict(), "secret": made.secret}


@router.get(
    "/webhooks/deliveries", operation_id="list_webhook_deliveries", response_model=s.DeliveryPage,
    responses=_FOUND,
)  # fmt: skip
async def list_webhook_deliveries(
    app: WebhooksManager,
    endpoint: Annotated[str | None, Query(max_length=100, description="Only its own.")] = None,
    state: DeliveryState | None = None,
    limit: Limit = 50,
    cursor: NumberCursor = None,
) -> dict[str, Any]:
    """Return what was sent, how it was answered, and what is still to be sent; newest first."""
    async with app.administration.webhooks() as webhooks:
        found = await webhooks.deliveries(endpoint, state=state, before_id=cursor, limit=limit)
    more = len(found) == limit and found[-1].id > 1
    return {
        "items": [one.to_dict() for one in found],
        "next_cursor": found[-1].id if more else None,
    }


@router.post(
    "/webhooks/replay", operation_id="replay_webhook", response_model=s.ReplayedOut,
    responses=_ACTS,
)  # fmt: skip
async def replay_webhook(
    app: WebhooksManager, body: s.ReplayIn, request: Request
) -> dict[str, Any]:
    """Send again: one delivery, or every event since a time. The message ids stay the same."""
    async with app.administration.webhooks() as webhooks:
        if body.delivery is not None:
            count = await webhooks.replay(body.delivery, dry_run=body.dry_run)
            resource = f"delivery:{body.delivery}"
        else:
            assert body.endpoint is not None
            assert body.since is not None
            count = await webhooks.replay_since(body.endpoint, body.since, dry_run=body.dry_run)
            resource = f"webhook:{body.endpoint}"
    note_change(request, notes.webhook_replayed(resource, count, dry_run=body.dry_run))
    return {"count": count}


@router.get(
    "/webhooks/{endpoint}", operation_id="get_webhook", response_model=s.WebhookOut,
    responses=_FOUND,
)  # fmt: skip
async def get_webhook(
    app: WebhooksManager, endpoint: EndpointId, response: Response
) -> dict[str, Any]:
    """Return one endpoint."""
    return tagged(response, (await _endpoint(app, endpoint)).to_dict())


@router.patch(
    "/webhooks/{endpoint}", operation_id="update_webhook", response_model=s.WebhookOut,
    responses=_ACTS,
)  # fmt: skip
async def update_webhook(
    app: WebhooksManager, endpoint: EndpointId, body: s.WebhookChangeIn, request: Request,
    response: Response, if_match: IfMatch = None,
) -> dict[str, Any]:  # fmt: skip
    """Change where events are sent, which, and whether."""
    before = await _endpoint(app, endpoint, if_match)
    async with app.administration.webhooks() as webhooks:
        after = await webhooks.update(endpoint, EndpointChange(**body.model_dump()))
    note_change(request, notes.webhook_changed(before, after))
    return tagged(response, after.to_dict())


@router.delete(
    "/webhooks/{endpoint}", operation_id="delete_webhook", status_code=204, responses=_ACTS
)
async def delete_webhook(
    app: WebhooksManager, endpoint: EndpointId, request: Request, if_match: IfMatch = None
) -> None:
    """Send nothing there any more, and forget its deliveries."""
    before = await _endpoint(app, endpoint, if_match)
    async with app.administration.webhooks() as webhooks:
        await webhooks.delete(endpoint)
    note_change(request, notes.webhook_deleted(before))


@issuing.post(
    "/webhooks/{endpoint}/rotate-secret", operation_id="rotate_webhook_secret",
    response_model=s.IssuedWebhookOut, responses=documented(404, 415),
)  # fmt: skip
async def rotate_webhook_secret(
    app: WebhooksManager, endpoint: EndpointId, request: Request
) -> dict[str, Any]:
    """Give an endpoint a new secret; messages are signed with both for a day."""
    async with app.administration.webhooks() as webhooks:
        found = await webhooks.rotate_secret(endpoint)
    note_change(request, notes.webhook_secret_rotated(found.id))
    note_issued(request, found.id, hint=_ROTATE.format(found.id))
    return {**found.to_dict(), "secret": found.secret}


@router.post(
    "/webhooks/{endpoint}/test", operation_id="test_webhook", response_model=s.TestedOut,
    responses=_ACTS,
)  # fmt: skip
async def try_webhook(
    app: WebhooksManager, endpoint: EndpointId, request: Request
) -> dict[str, Any]:
    """Send a test message now, whether the endpoint is enabled or not."""
    async with app.administration.webhooks() as webhooks:
        found = await webhooks.test(endpoint)
    note_change(request, notes.webhook_tested(endpoint, found.status))
    return {
        "status": found.status, "latency_ms": found.latency_ms, "answer": found.answer,
        "error": found.error,
    }  # fmt: skip


async def _endpoint(app: App, endpoint_id: str, if_match: str | None = None) -> WebhookEndpoint:
    async with app.administration.webhooks() as webhooks:
        found = await webhooks.get(endpoint_id)
    require_match(if_match, found.to_dict())
    return found
