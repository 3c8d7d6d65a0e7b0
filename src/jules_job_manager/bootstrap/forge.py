"""Builds the forge: git alone, or with pull requests where repositories are on GitHub."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jules_job_manager.adapters.forges.local import LocalGitForge

if TYPE_CHECKING:
    from jules_job_manager.adapters.forges.github.forge import GitHubForge
    from jules_job_manager.adapters.forges.github.opening import GitHubOptions
    from jules_job_manager.bootstrap import App
    from jules_job_manager.settings.model import Settings


def forge_of(
    app: App, settings: Settings, remotes: dict[str, str]
) -> tuple[LocalGitForge, GitHubForge | None]:
    """Return the forge of every repository, and the same as pull requests if GitHub is set up.

    Raises:
        MissingExtraError: the extra `github` is not installed.
        ConfigurationError: something under [github] cannot be used.
    """
    cache = settings.home / "repositories"
    if not settings.github.repositories:
        return LocalGitForge(cache=cache, remotes=remotes), None
    from jules_job_manager.adapters.forges.github.opening import open_forge

    forge = open_forge(github_options(settings), app.github, cache=cache, remotes=remotes)
    return forge, forge


async def github_seen(app: App, settings: Settings) -> str:
    """Return in words what GitHub lets us do.

    Raises:
        JulesManagerError: it lets us do nothing, or the settings cannot be used.
    """
    from jules_job_manager.adapters.forges.github.sight import seen

    return await seen(app.github, github_options(settings).repositories)


def github_options(settings: Settings) -> GitHubOptions:
    """Return what is set about GitHub, names checked.

    Raises:
        InvalidInputError: a repository is no owner/name.
    """
    from jules_job_manager.adapters.forges.github.addresses import EVERY
    from jules_job_manager.adapters.forges.github.opening import GitHubOptions
    from jules_job_manager.domain.references import repository_from

    github = settings.github
    names = [name if name == EVERY else repository_from(name) for name in github.repositories]
    return GitHubOptions(
        repositories=tuple(names), api_url=github.api_url, token=github.token,
        app_id=github.app_id, installation_id=github.installation_id,
        private_key_file=github.private_key_file, merge_method=github.merge_method,
        required_checks=github.required_checks, report=github.report,
        timeout_seconds=github.timeout_seconds,
        longest_wait_seconds=github.longest_wait_seconds,
    )  # fmt: skip
