"""The checks that a scanner of others makes: what they are called, and what they mean."""

from __future__ import annotations

from dataclasses import dataclass

from jules_job_manager.domain.rules import Need, built_in_rules


@dataclass(frozen=True, kw_only=True, slots=True)
class Scan:
    """One check by a scanner, used and switched off like a rule."""

    id: str
    title: str
    explanation: str
    """One sentence: what it looks for."""
    need: Need = Need.REQUIRED
    suffixes: tuple[str, ...] = ()
    """Endings of the files it looks at; none: every text file."""


SECURITY = Scan(
    id="security",
    title="Nothing insecure is added",
    explanation="Ruff's security rules (flake8-bandit) find nothing on the added lines of Python files; "
    "what bandit calls severe is an error, the rest a warning.",
    suffixes=(".py",),
)
SECRETS = Scan(
    id="secrets",
    title="No secrets are added",
    explanation="detect-secrets finds nothing on the added lines of text files; what has the form of a key "
    "or token is an error, what only looks like one a warning.",
)
SCANS = (SECURITY, SECRETS)


def rule_ids() -> list[str]:
    """Return everything that `[rules]` and `review.rules` may name, in the order it is shown."""
    return [rule.id for rule in built_in_rules()] + [scan.id for scan in SCANS]
