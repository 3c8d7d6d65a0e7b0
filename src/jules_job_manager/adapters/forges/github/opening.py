"""Makes a GitHubForge from settings; GitHub's client library is loaded only here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from jules_job_manager.adapters.forges.github.addresses import Addresses, checked_api_url
from jules_job_manager.adapters.forges.github.auth import AppAuth, Auth, TokenAuth
from jules_job_manager.errors import ConfigurationError, MissingExtraError
from jules_job_manager.ports.clock import Clock

if TYPE_CHECKING:
    import httpx2

    from jules_job_manager.adapters.forges.github.api import GitHubApi
    from jules_job_manager.adapters.forges.github.forge import GitHubForge


@dataclass(frozen=True, kw_only=True, slots=True)
class GitHubOptions:
    """What is set about GitHub; see the settings of the same names."""

    repositories: tuple[str, ...]
    api_url: str = "https://api.github.com"
    token: str = ""
    app_id: str = ""
    installation_id: str = ""
    private_key_file: str = ""
    merge_method: str = "merge"
    required_checks: tuple[str, ...] = ()
    report: bool = True
    timeout_seconds: float = 30.0
    longest_wait_seconds: float = 60.0


def open_api(
    options: GitHubOptions, clock: Clock, transport: httpx2.AsyncBaseTransport | None = None
) -> GitHubApi:
    """Return the API, to be closed by whoever opened it; `transport` stands in for the network.

    Raises:
        MissingExtraError: the extra `github` is not installed.
        ConfigurationError: the address, or who we are, cannot be used.
    """
    url = checked_api_url(options.api_url)
    auth = _auth(options, clock)
    try:
        from jules_job_manager.adapters.forges.github.api import GitHubApi
    except ImportError as exc:
        raise MissingExtraError("GitHub", "github") from exc
    return GitHubApi(
        base_url=url, auth=auth, clock=clock, timeout_seconds=options.timeout_seconds,
        longest_wait_seconds=options.longest_wait_seconds, app_id=options.app_id,
        installation_id=options.installation_id, transport=transport,
    )  # fmt: skip


def open_forge(
    options: GitHubOptions, api: GitHubApi, *, cache: Path, remotes: Mapping[str, str]
) -> GitHubForge:
    """Return the forge of repositories on GitHub and elsewhere, over an open API.

    Raises:
        ConfigurationError: the address cannot be used.
    """
    from jules_job_manager.adapters.forges.github.forge import GitHubForge

    addresses = Addresses(
        api_url=checked_api_url(options.api_url), repositories=options.repositories,
        remotes=remotes,
    )  # fmt: skip
    return GitHubForge(
        api=api, addresses=addresses, cache=cache, remotes=remotes,
        merge_method=options.merge_method, required_checks=options.required_checks,
        shows_report=options.report,
    )  # fmt: skip


def _auth(options: GitHubOptions, clock: Clock) -> Auth:
    app = (options.app_id, options.installation_id, options.private_key_file)
    if all(app):
        if not options.installation_id.isdecimal():
            raise ConfigurationError("github.installation_id must be a whole number.")
        return AppAuth(key_file=Path(options.private_key_file), clock=clock)
    if any(app):
        raise ConfigurationError(
            "An App needs github.app_id, github.installation_id and github.private_key_file."
        )
    if not options.token.strip():
        raise ConfigurationError(
            "GitHub needs a token.",
            hint="Set GITHUB_TOKEN, or github.app_id with its installation and private key.",
        )
    return TokenAuth(options.token)
