"""What checks mean together, and that nothing flaps."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jules_job_manager.domain.health import (
    CheckState,
    Damping,
    HealthReport,
    HealthStatus,
    next_standing,
)

HEALTHY, DEGRADED, UNHEALTHY = HealthStatus
STATUSES = st.sampled_from(HealthStatus)


def _check(status, *, is_critical=True, age=timedelta(0)) -> CheckState:
    return CheckState(status=status, is_critical=is_critical, age=age)


def _report(*checks) -> HealthReport:
    named = {str(number): check for number, check in enumerate(checks)}
    return HealthReport(uptime=timedelta(0), checks=named)


@pytest.mark.parametrize(
    ("checks", "status", "is_ready"),
    [
        ([], HEALTHY, True),
        ([_check(HEALTHY), _check(DEGRADED)], DEGRADED, True),
        ([_check(UNHEALTHY), _check(HEALTHY)], UNHEALTHY, False),
        ([_check(HEALTHY), _check(UNHEALTHY, is_critical=False)], DEGRADED, True),
        ([_check(DEGRADED, age=None)], DEGRADED, False),
        ([_check(HEALTHY), _check(DEGRADED, age=None, is_critical=False)], DEGRADED, True),
    ],
)
def test_the_whole(checks, status, is_ready):
    """The worst counts, and nothing comes before every critical check was looked at."""
    report = _report(*checks)
    assert (status, is_ready) == (report.status, report.is_ready)


def _shown(seen, damping):
    standing, shown = None, []
    for status in seen:
        standing = next_standing(standing, status, damping)
        shown.append(standing.shown)
    return shown


@pytest.mark.parametrize(
    ("seen", "shown"),
    [
        ([UNHEALTHY], [UNHEALTHY]),
        ([HEALTHY, UNHEALTHY, HEALTHY, UNHEALTHY], [HEALTHY] * 4),
        ([HEALTHY, UNHEALTHY, UNHEALTHY], [HEALTHY, HEALTHY, UNHEALTHY]),
        ([HEALTHY, DEGRADED, UNHEALTHY], [HEALTHY, HEALTHY, UNHEALTHY]),
        ([UNHEALTHY, HEALTHY, HEALTHY, HEALTHY], [UNHEALTHY, UNHEALTHY, UNHEALTHY, HEALTHY]),
        ([DEGRADED, HEALTHY, UNHEALTHY, HEALTHY], [DEGRADED] * 4),
    ],
)
def test_damping(seen, shown):
    """Twice in a row to get worse, three times to get better; both sides do not add up."""
    assert shown == _shown(seen, Damping(to_worsen=2, to_recover=3))


@given(st.lists(STATUSES, min_size=1), st.integers(1, 4), st.integers(1, 4))
def test_what_is_shown_was_seen_and_changes_only_after_enough_looks(seen, worsen, recover):
    """A change is to what was just seen, and the looks before it were all on that side."""
    shown = _shown(seen, Damping(to_worsen=worsen, to_recover=recover))
    assert seen[0] is shown[0]
    for index in range(1, len(seen)):
        before, after = shown[index - 1], shown[index]
        if before is after:
            continue
        assert after is seen[index]
        is_worse = after.rank > before.rank
        run = seen[index + 1 - (worsen if is_worse else recover) : index + 1]
        assert all((one.rank > before.rank) is is_worse and one is not before for one in run)


@given(STATUSES, st.lists(STATUSES), st.integers(1, 4))
def test_what_stays_is_shown_in_the_end(last, before, times):
    """Damping delays and never hides."""
    assert (
        last is _shown([*before, *[last] * times], Damping(to_worsen=times, to_recover=times))[-1]
    )
