"""Which repositories are on GitHub, where git finds them, and how it signs in."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

from jules_job_manager.adapters.api_address import checked_address

EVERY = "*"


def checked_api_url(text: str) -> str:
    """Return the address of the API without a final slash.

    Raises:
        ConfigurationError: it is no https address, or would send the token unencrypted to
            another machine.
    """
    return checked_address(
        text, setting="github.api_url", what="GitHub's API", secret="token",  # noqa: S106 - its name
        hint="Write it like https://api.github.com, or https://HOST/api/v3 for GitHub Enterprise.",
    )  # fmt: skip


def git_host(api_url: str) -> str:
    """Return the host, with a port that is no default, that git uses beside this API.

    Source: docs.github.com/en/enterprise-server, "Getting started with the REST API": the API of a
    server is at HOST/api/v3; of github.com and of data residency it is at api.HOST; read 2026-11.
    """
    parts = urlsplit(api_url)
    host = parts.netloc.casefold()
    return host.removeprefix("api.") if parts.path in {"", "/"} else host


def host_of_remote(remote: str) -> str:
    """Return the host, and its port if one is given, of a git address; empty for a path."""
    if "://" in remote:
        return urlsplit(remote).netloc.rpartition("@")[2].casefold()
    found = re.match(r"(?:[^/@]+@)?([^/:]+):", remote)
    return found.group(1).casefold() if found else ""


class Addresses:
    """Tells repositories on GitHub from others."""

    def __init__(
        self, *, api_url: str, repositories: Sequence[str], remotes: Mapping[str, str]
    ) -> None:
        """Bind the settings.

        Args:
            api_url: Checked address of the API.
            repositories: Names, `owner/name`, or `*` for all whose remote is on GitHub's host
                and all that have no remote.
            remotes: `owner/name` to git URL or path, where it is not the usual one.
        """
        self._scheme = urlsplit(api_url).scheme
        self._host = git_host(api_url)
        self._every = EVERY in repositories
        self._named = {name.casefold() for name in repositories}
        self._remotes = dict(remotes)

    def is_here(self, repository: str) -> bool:
        """Whether the repository is merged through pull requests."""
        if repository.casefold() in self._named:
            return True
        remote = self._remotes.get(repository)
        return self._every and (remote is None or host_of_remote(remote) == self._host)

    def remote(self, repository: str) -> str | None:
        """Return the git address of a repository; None when none is known."""
        known = self._remotes.get(repository)
        if known is not None or not self.is_here(repository):
            return known
        return f"{self._scheme}://{self._host}/{repository}.git"

    def may_sign_in(self, repository: str) -> bool:
        """Whether git may be given the token: it would go to GitHub's host, over HTTPS."""
        remote = self.remote(repository) or ""
        web = remote.startswith(f"{self._scheme}://")
        return self.is_here(repository) and web and host_of_remote(remote) == self._host

    def sign_in(self, token: str) -> dict[str, str]:
        """Return variables that make git send the token to GitHub's host and to no other.

        In variables, so that it is in no argument list and in no file. The first entry takes away
        what the user's configuration sends there, for GitHub refuses two such headers.
        Source: git documentation, "git-config", GIT_CONFIG_COUNT and http.extraHeader, read 2026-11.
        """
        basic = base64.b64encode(f"x-access-token:{token}".encode()).decode("ascii")
        key = f"http.{self._scheme}://{self._host}/.extraHeader"
        return {
            "GIT_CONFIG_COUNT": "2",
            "GIT_CONFIG_KEY_0": key, "GIT_CONFIG_VALUE_0": "",
            "GIT_CONFIG_KEY_1": key, "GIT_CONFIG_VALUE_1": f"Authorization: Basic {basic}",
        }  # fmt: skip
