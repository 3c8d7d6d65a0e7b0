"""Merging through pull requests on GitHub."""

from __future__ import annotations

from dataclasses import dataclass

from jules_job_manager.settings.sections.field import setting


@dataclass(frozen=True, kw_only=True)
class GitHubSettings:
    """Merging through pull requests on GitHub. Needs the extra `github`."""

    repositories: tuple[str, ...] = setting(
        (), "Repositories merged through pull requests, as owner/name; * for every one whose remote is on "
        "GitHub, or that has no remote.",
    )  # fmt: skip
    token: str = setting("", "Token of GitHub.", env="GITHUB_TOKEN", secret=True)
    app_id: str = setting("", "An App instead of a token: its id.")
    installation_id: str = setting("", "Id of the App's installation.")
    private_key_file: str = setting(
        "", "File with the App's private key (PEM), which only its owner can read."
    )
    api_url: str = setting(
        "https://api.github.com",
        "Base address of the API; https://HOST/api/v3 for GitHub Enterprise.",
    )
    merge_method: str = setting(
        "merge", "How pull requests are merged.", choices=("merge", "squash", "rebase")
    )
    required_checks: tuple[str, ...] = setting(
        (), "Names of check runs or commit statuses that must have passed before the merge."
    )
    checks_patience_minutes: float = setting(
        120.0, "Wait for them after which a person is asked.", minimum=0
    )
    report: bool = setting(default=True, doc="Show each review as a comment on its pull request.")
    timeout_seconds: float = setting(30.0, "Longest wait for one answer.", minimum=0.1)
    longest_wait_seconds: float = setting(
        60.0, "Longest wait for a rate limit to end; a longer one is tried again later.", minimum=0
    )
