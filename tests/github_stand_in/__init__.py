"""A local HTTP stand-in for GitHub, on real bare git repositories.

It follows the documented answers of docs.github.com/en/rest (pulls, checks, statuses, comments,
branch protection, conditional requests, rate limits), read 2026-11.
"""

from __future__ import annotations

from tests.github_stand_in.app import create_app, transport
from tests.github_stand_in.world import GitHubWorld, Protection, Repository

__all__ = ["GitHubWorld", "Protection", "Repository", "create_app", "transport"]
