"""Times between PostgreSQL's wire and RFC 3339."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jules_job_manager.adapters.storage.reading.moments import as_sent, moment_sent
from jules_job_manager.domain.clockwork import to_rfc3339

ZONES = st.sampled_from([UTC, timezone(timedelta(hours=-8)), timezone(timedelta(minutes=345))])


@given(st.datetimes(datetime(2, 1, 1), datetime(9998, 12, 31), timezones=ZONES))
def test_every_time_there_and_back(moment):
    """It is the text that everything else writes, whatever the zone."""
    assert to_rfc3339(moment) == moment_sent(*as_sent(moment))


@pytest.mark.parametrize(("sent", "text"), [
    (0, "2000-01-01T00:00:00.000000Z"), (-1, "1999-12-31T23:59:59.999999Z"),
    (86_400_000_001, "2000-01-02T00:00:00.000001Z"),
])  # fmt: skip
def test_at_the_edges(sent, text):
    """PostgreSQL counts from 2000, in both directions."""
    assert text == moment_sent(sent)
