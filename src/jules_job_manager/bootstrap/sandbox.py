"""Builds the sandbox that checks run in."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from jules_job_manager.adapters.checks.sandboxed import SandboxOptions, require_usable
from jules_job_manager.adapters.sandboxes.bubblewrap import BubblewrapSandbox
from jules_job_manager.adapters.sandboxes.container import ContainerSandbox
from jules_job_manager.adapters.sandboxes.host import HostSandbox
from jules_job_manager.ports.sandbox import MIB, Limits, Sandbox

if TYPE_CHECKING:
    from jules_job_manager.settings.model import Settings

__all__ = ["check_warnings", "require_usable", "sandbox_of", "sandbox_options"]

NO_COMMANDS = (
    "no check commands are configured here; deliveries are judged by the built-in rules "
    "and the base branch's .jjm.toml alone (see --check and jjm review init)."
)
_CACHES = (".cache/pip", ".npm/_cacache")


def sandbox_of(settings: Settings) -> Sandbox:
    """Return the sandbox that the settings name; it is never weaker than what they say.

    Raises:
        ConfigurationError: the image of containers is no name of one.
    """
    path = os.environ.get("PATH", os.defpath)
    kind = settings.review.sandbox
    if kind == "host":
        return HostSandbox(environment={"PATH": path})
    if kind == "container":
        return ContainerSandbox(image=settings.review.container_image, environment=os.environ)
    return BubblewrapSandbox(path=path, home=Path.home())


async def check_warnings(settings: Settings) -> list[str]:
    """Return what people must know of the checks of deliveries: they prove nothing, or have no sandbox.

    Raises:
        ConfigurationError: the configured sandbox cannot be used here.
    """
    if not settings.review.checks and not settings.review.setup:
        return [NO_COMMANDS]
    sandbox = sandbox_of(settings)
    await require_usable(sandbox)
    if sandbox.isolates:
        return []
    return [
        "checks run what Jules wrote on this machine, without a sandbox (review.sandbox is host)."
    ]


def sandbox_options(settings: Settings) -> SandboxOptions:
    """Return what every check gets."""
    review = settings.review
    return SandboxOptions(
        limits=Limits(memory_bytes=review.memory_mb * MIB, processes=review.processes),
        readable=[Path(path).expanduser() for path in review.readable],
        caches={place: Path.home() / place for place in _CACHES},
    )
