"""Times are aware, UTC, and read back to the microsecond."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jules_job_manager.domain.clockwork import (
    from_rfc3339,
    in_zone,
    optional_from_rfc3339,
    optional_to_rfc3339,
    require_aware,
    to_rfc3339,
)
from jules_job_manager.domain.task import JulesTask

_OFFSETS = st.integers(-23 * 60, 23 * 60).map(lambda m: timezone(timedelta(minutes=m)))
_TIMES = st.datetimes(datetime(2, 1, 1), datetime(9998, 1, 1), timezones=_OFFSETS)


@given(_TIMES)
def test_round_trip(moment):
    """A time of any zone comes back as the same instant in UTC."""
    restored = from_rfc3339(to_rfc3339(moment))
    assert (moment, UTC) == (restored, restored.tzinfo)


@given(_TIMES.filter(lambda m: m.year >= 1000), _TIMES.filter(lambda m: m.year >= 1000))
def test_text_order_is_time_order(one, other):
    """Texts sort as the times they stand for, which the stores rely on."""
    assert (one < other) == (to_rfc3339(one) < to_rfc3339(other))


@pytest.mark.parametrize("digits", ["", ".5", ".123", ".123456", ".123456789"])
def test_fraction_digits(digits):
    """0 to 9 fraction digits are read; what is finer than a microsecond is cut."""
    moment = from_rfc3339(f"2026-09-10T08:00:00{digits}Z")
    assert moment.replace(microsecond=0) == datetime(2026, 9, 10, 8, tzinfo=UTC)


def test_naive_times_are_refused():
    """A time without a zone is not taken for one with."""
    naive = datetime(2026, 1, 1)
    with pytest.raises(ValueError, match="time zone"):
        require_aware(naive)
    with pytest.raises(ValueError, match="time zone"):
        JulesTask(id="1", created_at=naive)


def test_none_stays_none():
    """Unknown times stay unknown."""
    assert optional_to_rfc3339(None) is None
    assert optional_from_rfc3339(None) is None


def test_instants_outside_the_calendar_are_refused():
    """A time whose UTC lies before year 1 is refused, not crashed on."""
    with pytest.raises(ValueError, match="outside"):
        from_rfc3339("0001-01-01T00:00:00+23:00")
    with pytest.raises(ValueError, match="outside"):
        require_aware(datetime.fromisoformat("9999-12-31T23:59:59-14:00"))


def test_the_ends_of_the_calendar_are_shown_in_every_zone():
    """Where the years of a zone end, the time stays as it is."""
    for text, hours in (("9999-12-31T23:59:59+00:00", 14), ("0001-01-01T00:00:00+00:00", -12)):
        moment = datetime.fromisoformat(text)
        assert moment is in_zone(moment, timezone(timedelta(hours=hours)))
    noon = datetime(2026, 11, 1, 12, tzinfo=UTC)
    assert 14 == in_zone(noon, timezone(timedelta(hours=2))).hour
