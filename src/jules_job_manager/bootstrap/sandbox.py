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

__all__ = ["require_usable", "sandbox_of", "sandbox_options"]

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


def sandbox_options(settings: Settings) -> SandboxOptions:
    """Return what every check gets."""
    review = settings.review
    return SandboxOptions(
        limits=Limits(memory_bytes=review.memory_mb * MIB, processes=review.processes),
        readable=[Path(path).expanduser() for path in review.readable],
        caches={place: Path.home() / place for place in _CACHES},
    )
