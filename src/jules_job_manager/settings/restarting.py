"""Which settings a running program cannot put into force by reading them again."""

from __future__ import annotations

from dataclasses import fields

from jules_job_manager.settings.model import SECTIONS, Settings

AT_START = (
    "cache",
    "health",
    "live",
    "log",
    "metrics",
    "redis",
    "server",
    "storage",
    "tracing",
    "webhooks",
)
"""Sections whose parts are made once: listening sockets, connections, loops."""


def restart_needed(first: Settings, now: Settings) -> tuple[str, ...]:
    """Return the names of the settings that are other than at the start and need another start.

    Args:
        first: With which the program was started.
        now: As they were read last.
    """
    found = []
    for section in AT_START:
        before, after = getattr(first, section), getattr(now, section)
        found += [
            f"{section}.{part.name}"
            for part in fields(SECTIONS[section])
            if getattr(before, part.name) != getattr(after, part.name)
        ]
    if _same_but_password(first.storage.database_url, now.storage.database_url):
        found = [name for name in found if name != "storage.database_url"]
    return tuple(found)


def _same_but_password(first: str, other: str) -> bool:
    return _without_password(first) == _without_password(other)


def _without_password(url: str) -> str:
    """Return the address without what stands between the user's colon and the last `@`."""
    scheme, slashes, rest = url.partition("://")
    login, at, host = rest.rpartition("@")
    return f"{scheme}{slashes}{login.partition(':')[0]}{at}{host}"
