"""When a recurring job comes next."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from jules_job_manager.errors import InvalidInputError
from jules_job_manager.services.recurrence import next_time

WEDNESDAY = datetime(2026, 11, 25, 12, tzinfo=UTC)


def test_the_next_time_is_after_now():
    """In UTC, never the very moment asked about."""
    monday = datetime(2026, 11, 30, 3, tzinfo=UTC)
    assert monday == next_time("0 3 * * 1", WEDNESDAY)
    assert datetime(2026, 12, 7, 3, tzinfo=UTC) == next_time("0 3 * * 1", monday)


@pytest.mark.parametrize("text", ["", "every day", "61 * * * *", "0 0 30 2 *", "* * * *"])
def test_what_is_no_schedule(text):
    """Neither words nor a day that never comes."""
    with pytest.raises(InvalidInputError, match="is not a schedule"):
        next_time(text, WEDNESDAY)
