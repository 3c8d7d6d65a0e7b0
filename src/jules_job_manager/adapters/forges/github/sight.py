"""What the token or App may do, for `jjm doctor`.

Source: docs.github.com/en/rest/rate-limit, /rest/repos/repos (`permissions`), read 2026-11.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import quote

from jules_job_manager.adapters.forges.github.addresses import EVERY
from jules_job_manager.adapters.forges.github.api import GitHubApi
from jules_job_manager.errors import ForgeError


async def seen(api: GitHubApi, repositories: Sequence[str]) -> str:
    """Return in words that GitHub answers and lets the named repositories be written to.

    Raises:
        ForgeError: it does not.
    """
    named = [name for name in repositories if name != EVERY]
    for name in named:
        data = await api.get(f"/repos/{quote(name)}", f"show {name}")
        rights = data.get("permissions") if isinstance(data, Mapping) else None
        if isinstance(rights, Mapping) and rights.get("push") is False:
            raise ForgeError(
                f"The GitHub token may not write to {name}.",
                hint="Give it write access to contents and pull requests.",
            )
    return f"{', '.join(named) or 'every repository there'}; {await _left(api)}"


async def _left(api: GitHubApi) -> str:
    try:
        data = await api.get("/rate_limit", "say what is left")
    except ForgeError as exc:
        if exc.context.get("status") == 404:  # a server without limits
            return "no limit"
        raise
    rate = data.get("rate") if isinstance(data, Mapping) else None
    rate = rate if isinstance(rate, Mapping) else {}
    return f"{rate.get('remaining', '?')} of {rate.get('limit', '?')} requests left this hour"
