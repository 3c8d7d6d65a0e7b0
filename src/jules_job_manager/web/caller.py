"""What a route gets: the application as the one who asks may use it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from fastapi import Depends, Request

from jules_job_manager.bootstrap import App
from jules_job_manager.domain.access import Permission, Principal
from jules_job_manager.ports.task_reader import TaskReader
from jules_job_manager.web.access import needs

if TYPE_CHECKING:
    from jules_job_manager.bootstrap.service import Service


def service_of(request: Request) -> Service:
    """Return the parts that the application was made of."""
    found: Service = request.app.state.service
    return found


def acting(permission: Permission) -> Any:
    """Return the dependency of a route that needs `permission`: the application, acting as the caller.

    Events name the caller then, and the audit does.
    """
    allowed = Depends(needs(permission))

    async def acting_app(request: Request, who: Principal = allowed) -> App:
        return service_of(request).app.acting_as(who.name)

    return Depends(acting_app)


async def task_texts(request: Request) -> TaskReader:
    """Return what reads tasks for those who only show them."""
    return service_of(request).reader


TaskTexts = Annotated[TaskReader, Depends(task_texts)]
TasksReader = Annotated[App, acting(Permission.TASKS_READ)]
TasksWriter = Annotated[App, acting(Permission.TASKS_WRITE)]
QueueReader = Annotated[App, acting(Permission.QUEUE_READ)]
QueueWriter = Annotated[App, acting(Permission.QUEUE_WRITE)]
ReviewsReader = Annotated[App, acting(Permission.REVIEWS_READ)]
ReviewsWriter = Annotated[App, acting(Permission.REVIEWS_WRITE)]
EventsReader = Annotated[App, acting(Permission.EVENTS_READ)]
BacklogsReader = Annotated[App, acting(Permission.BACKLOGS_READ)]
BacklogsWriter = Annotated[App, acting(Permission.BACKLOGS_WRITE)]
SettingsReader = Annotated[App, acting(Permission.SETTINGS_READ)]
