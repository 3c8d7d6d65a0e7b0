"""When a recurring job comes next. Cron expressions are read by the library cronsim, in UTC."""

from __future__ import annotations

from datetime import datetime

from cronsim import CronSim, CronSimError

from jules_job_manager.errors import InvalidInputError


def next_time(expression: str, after: datetime) -> datetime:
    """Return the first time of the schedule after `after` (aware UTC).

    Raises:
        InvalidInputError: the expression is not one, or never comes.
    """
    try:
        return next(CronSim(expression, after))
    except (CronSimError, StopIteration) as exc:
        raise InvalidInputError(
            f"{expression!r} is not a schedule.",
            hint="Write five cron fields, for example '0 3 * * 1' for Mondays at 03:00 UTC.",
        ) from exc
