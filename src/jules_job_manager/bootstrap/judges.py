"""Builds those who have a say after the checks: scanners and reviewers."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from jules_job_manager.adapters.reviewers.command import CommandReviewers
from jules_job_manager.adapters.reviewers.mcp_tool import Reviewers
from jules_job_manager.adapters.sandboxes.host import HostSandbox
from jules_job_manager.adapters.scanners.detect_secrets import DetectSecrets
from jules_job_manager.adapters.scanners.ruff_security import RuffSecurity
from jules_job_manager.bootstrap.sandbox import sandbox_of, sandbox_options
from jules_job_manager.services.reviewers import ReviewerPanel
from jules_job_manager.services.scanning import ScannerJudge

if TYPE_CHECKING:
    from jules_job_manager.ports.forge import Forge
    from jules_job_manager.services.judging import Judge
    from jules_job_manager.settings.model import Settings


def judges_of(forge: Forge, settings: Settings) -> list[Judge]:
    """Return the judges in the order they are asked: reviewers know what scanners found.

    Raises:
        ConfigurationError: the sandbox cannot be used as it is set.
    """
    options = sandbox_options(settings)
    commands = CommandReviewers(
        sandbox=sandbox_of(settings), host=HostSandbox(environment={}), limits=options.limits,
        readable=options.readable, environment=os.environ,
    )  # fmt: skip
    return [
        ScannerJudge(forge=forge, scanners=[RuffSecurity(), DetectSecrets()]),
        ReviewerPanel(forge=forge, access=Reviewers(commands)),
    ]
