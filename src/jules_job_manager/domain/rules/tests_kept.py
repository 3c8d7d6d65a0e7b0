"""Rule `tests-kept`: a delivery does not pass by asking less of itself."""

from __future__ import annotations

from collections.abc import Iterator

from jules_job_manager.domain.change import Change
from jules_job_manager.domain.finding import Finding
from jules_job_manager.domain.rules.tests_loosened import tests_loosened
from jules_job_manager.domain.rules.tests_mocked import tests_mocked
from jules_job_manager.domain.rules.tests_removed import tests_removed
from jules_job_manager.domain.rules.tests_scripts import tests_in_scripts
from jules_job_manager.domain.rules.tests_settings import tests_settings
from jules_job_manager.domain.rules.tests_shadowed import tests_shadowed
from jules_job_manager.domain.rules.tests_skipped import tests_skipped

_PARTS = (
    tests_removed,
    tests_skipped,
    tests_loosened,
    tests_mocked,
    tests_in_scripts,
    tests_settings,
    tests_shadowed,
)


def tests_kept(change: Change) -> Iterator[Finding]:
    """Yield every way in which the tests of the base are weaker in the merge result."""
    for part in _PARTS:
        yield from part(change)
