"""Builds what cleans up after the queue and what brings work back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jules_job_manager.adapters.forges.own_clone import OwnClone
from jules_job_manager.bootstrap.forge import forge_of
from jules_job_manager.services.cleaning import Cleaning
from jules_job_manager.services.recovery import Recovery

if TYPE_CHECKING:
    from pathlib import Path

    from jules_job_manager.bootstrap import App
    from jules_job_manager.settings.model import Settings


def cleaning_of(app: App, settings: Settings, remotes: dict[str, str]) -> Cleaning:
    """Return what puts away tasks whose work is in the repositories of `remotes`.

    Raises:
        ConfigurationError: no way to reach Jules is configured.
    """
    return Cleaning(
        store=app.store, accounts=app.accounts(), clock=app.clock,
        forge=forge_of(app, settings, remotes)[0],
        base_branch=settings.queue.base_branch or "main", actor=app.actor or "person",
    )  # fmt: skip


def recovery_of(app: App, folder: Path) -> Recovery:
    """Return what rebuilds kept work in the clone that `folder` lies in. Jules is not needed."""
    return Recovery(store=app.store, clone=OwnClone(folder))
