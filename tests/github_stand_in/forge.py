"""A GitHubForge that talks to the pretend GitHub."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jules_job_manager.adapters.forges.github.forge import GitHubForge
from jules_job_manager.adapters.forges.github.opening import GitHubOptions, open_api, open_forge
from tests.clocks import FakeClock
from tests.github_stand_in.app import transport
from tests.github_stand_in.world import GitHubWorld

REPO = "octo/demo"
TOKEN = "token-of-a-test"


def github_forge(
    root: Path, *, clock: FakeClock | None = None, **options: Any
) -> tuple[GitHubForge, GitHubWorld]:
    """Return a forge on the bare repository `demo.git` in `root`, and the GitHub behind it."""
    clock = clock or FakeClock()
    world = GitHubWorld(clock.now)
    world.add(REPO, root / "demo.git")
    chosen = GitHubOptions(**{"repositories": (REPO,), "token": TOKEN, **options})
    api = open_api(chosen, clock, transport(world))
    remotes = {REPO: str(root / "demo.git"), "octo/other": str(root / "other.git")}
    return open_forge(chosen, api, cache=root / "cache", remotes=remotes), world
