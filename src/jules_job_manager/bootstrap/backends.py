"""The ways to reach Jules: which one is configured, and one for each account."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from jules_job_manager.errors import ConfigurationError

if TYPE_CHECKING:
    from jules_job_manager.ports.backend import Backend
    from jules_job_manager.ports.call_watcher import CallWatcher
    from jules_job_manager.ports.clock import Clock
    from jules_job_manager.settings.model import Settings

HOW_TO_REACH_JULES = (
    "Set JULES_API_KEY to a key of the Jules REST API, MCP_SERVER_PATH to the Node MCP server's "
    "dist/index.js, or JJM_BACKEND=simulator to try things out on a pretend Jules."
)


class Backends:
    """The backends of one program, by account: opened when first asked for, closed together."""

    def __init__(
        self, clock: Clock, watchers: list[CallWatcher], closers: list[Callable[[], object]]
    ) -> None:
        """Hold none yet. `watchers` see every call of those opened while there are any."""
        self._clock = clock
        self._watchers = watchers
        self._closers = closers
        self._open: dict[str, Backend] = {}
        self._retired: list[Backend] = []
        """Those of settings that no longer hold; whoever is using one may finish."""

    def of(self, account: str, settings: Settings) -> Backend:
        """Return the backend of `default`, or of an account of `[accounts]`.

        Raises:
            ConfigurationError: none is configured, or its settings are wrong.
        """
        if account not in self._open:
            if account == "default":
                made = build_backend(settings, self._clock, self._closers)
            else:
                made = _rest_account(settings, self._clock, account)
            self._open[account] = self._watched(account, made)
        return self._open[account]

    def _watched(self, account: str, backend: Backend) -> Backend:
        if not self._watchers:
            return backend
        from jules_job_manager.adapters.backends.watched import WatchedBackend

        return WatchedBackend(backend, account=account, watchers=self._watchers)

    async def retire(self) -> None:
        """Let all be opened anew when next asked for, and close those retired before."""
        for backend in self._retired:
            await backend.aclose()
        self._retired[:] = self._open.values()
        self._open.clear()

    async def aclose(self) -> None:
        """Close all that were opened."""
        for backend in (*self._open.values(), *self._retired):
            await backend.aclose()


def backend_name(settings: Settings) -> str:
    """Return which backend is in force, or an empty text when none is configured."""
    if settings.jules.backend:
        return settings.jules.backend
    if settings.jules.api_key:
        return "rest"
    return "mcp" if settings.mcp_server.command or "mcp_server.path" in settings.sources else ""


def build_backend(settings: Settings, clock: Clock, closers: list[Callable[[], object]]) -> Backend:
    """Return the configured backend; what must be closed after it is added to `closers`.

    Raises:
        ConfigurationError: none is configured, or its settings are wrong.
    """
    name = backend_name(settings)
    if name == "rest":
        return _rest(settings, clock)
    if name == "mcp":
        from jules_job_manager.bootstrap.mcp_server import open_mcp

        return open_mcp(settings, clock)
    if name == "simulator":
        from jules_job_manager.bootstrap.simulator import simulator_backend

        return simulator_backend(settings, clock, closers)
    raise ConfigurationError("No way to reach Jules is configured.", hint=HOW_TO_REACH_JULES)


def _rest(settings: Settings, clock: Clock) -> Backend:
    if not settings.jules.api_key:
        raise ConfigurationError(
            "The REST API needs a key.",
            hint="Make one at https://jules.google.com/settings#api and set JULES_API_KEY.",
        )
    jules = settings.jules
    return _open_rest(settings, clock, "rest", base_url=jules.api_url, api_key=jules.api_key)


def _rest_account(settings: Settings, clock: Clock, name: str) -> Backend:
    given = settings.accounts[name]
    base_url = given.api_url or settings.jules.api_url
    return _open_rest(settings, clock, f"rest:{name}", base_url=base_url, api_key=given.api_key)


def _open_rest(
    settings: Settings, clock: Clock, name: str, *, base_url: str, api_key: str
) -> Backend:
    from jules_job_manager.adapters.backends.rest.backend import open_rest_backend

    return open_rest_backend(
        base_url=base_url,
        api_key=api_key,
        timeout_seconds=settings.jules.timeout_seconds,
        max_tries=settings.monitoring.max_retries,
        clock=clock,
        name=name,
    )
