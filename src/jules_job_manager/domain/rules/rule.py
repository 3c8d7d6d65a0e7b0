"""What a rule is: a named, pure look at a delivery."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

from jules_job_manager.domain.change import Change
from jules_job_manager.domain.finding import Finding

Check = Callable[[Change], Iterable[Finding]]
"""Looks at a delivery and yields what is wrong with it; it never runs anything of it."""


class Need(StrEnum):
    """What a failure of a rule means, unless the configuration says otherwise."""

    REQUIRED = "required"
    """It rejects the delivery."""
    ADVISORY = "advisory"
    """It is shown to whoever looks, and rejects nothing."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RuleOptions:
    """What can be set about the rules. The values come from the base branch, never the delivery."""

    allowed_paths: tuple[str, ...] = ()
    """Globs of paths that may be changed although they are protected; `*` also matches `/`."""
    largest_file_bytes: int = 5_000_000
    """A new or changed file longer than this is a finding."""
    route_lines: int = 30
    """A route function may be this many lines long, its decorators and docstring not counted."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Rule:
    """One named rule."""

    id: str
    """Stable: configurations, reports and checklists name it."""
    title: str
    explanation: str
    """One sentence: what it looks for."""
    need: Need
    check: Check


def findings_of(rule: Rule, change: Change) -> tuple[Finding, ...]:
    """Return what a rule finds, each place and message once, ordered by path and line."""
    found = dict.fromkeys(rule.check(change))
    return tuple(sorted(found, key=lambda finding: (finding.path, finding.line)))
