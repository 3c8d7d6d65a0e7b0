"""What a route gets: the application as the one who asks may use it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from fastapi import Depends
from starlette.requests import HTTPConnection

from jules_job_manager.bootstrap import App
from jules_job_manager.domain.access import Permission
from jules_job_manager.web.access import Rule, gate_of

if TYPE_CHECKING:
    from jules_job_manager.bootstrap.service import Service


def service_of(request: HTTPConnection) -> Service:
    """Return the parts that the application was made of."""
    found: Service = request.app.state.service
    return found


def acting(permission: Permission) -> Any:
    """Return the dependency of a route that needs `permission`: the application, acting as the caller.

    Events name the caller then, and the audit does.
    """
    return Depends(_Acting(permission))


class _Acting(Rule):
    """One dependency, not two: each costs every request some time."""

    async def __call__(self, connection: HTTPConnection) -> App:
        who = await gate_of(connection).require(connection, self.permission)
        return service_of(connection).app.acting_as(who.name)


TasksReader = Annotated[App, acting(Permission.TASKS_READ)]
TasksWriter = Annotated[App, acting(Permission.TASKS_WRITE)]
QueueReader = Annotated[App, acting(Permission.QUEUE_READ)]
QueueWriter = Annotated[App, acting(Permission.QUEUE_WRITE)]
ReviewsReader = Annotated[App, acting(Permission.REVIEWS_READ)]
ReviewsWriter = Annotated[App, acting(Permission.REVIEWS_WRITE)]
EventsReader = Annotated[App, acting(Permission.EVENTS_READ)]
BacklogsReader = Annotated[App, acting(Permission.BACKLOGS_READ)]
BacklogsWriter = Annotated[App, acting(Permission.BACKLOGS_WRITE)]
WebhooksManager = Annotated[App, acting(Permission.WEBHOOKS_MANAGE)]
SettingsReader = Annotated[App, acting(Permission.SETTINGS_READ)]
