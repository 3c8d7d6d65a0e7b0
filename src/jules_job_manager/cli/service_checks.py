"""What `jjm doctor` looks at when commands go through a service."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from jules_job_manager.bootstrap import App
    from jules_job_manager.cli.context import Context

    Result = dict[str, object]


def service_results(
    checked: Callable[[str, Callable[[Context], str]], Result],
) -> Iterator[Result]:
    """Yield a result for each check; without an answer of the service there is only one.

    Args:
        checked: Runs a check, and makes a result of what it says or raises.
    """
    health: dict[str, Any] = {}

    def reach(context: Context) -> str:
        async def ask(app: App) -> dict[str, Any]:
            from jules_job_manager.client.app import RemoteApp

            assert isinstance(app, RemoteApp)
            return await app.health()

        health.update(context.run(ask))
        return f"{context.server} answers"

    found = checked("service", reach)
    yield found
    if not found["ok"]:
        return
    yield checked("version", lambda _: _version(str(health["version"])))
    found = checked("key", _key)
    yield found
    for name, check in (health.get("checks") or {}).items():
        yield {
            "check": name, "ok": check["status"] != "unhealthy" or not check["critical"],
            "text": f"{check['status']}: {check['message']}", "hint": "",
        }  # fmt: skip
    if not health.get("checks"):
        text = f"{health['status']}; this key may not see the details"
        yield {"check": "health", "ok": health["status"] != "unhealthy", "text": text, "hint": ""}


def _version(theirs: str) -> str:
    """Compare versions: a difference in the first two numbers may matter.

    Raises:
        ServiceTooOldError: they differ so much.
    """
    from jules_job_manager._version import __version__
    from jules_job_manager.errors import ServiceTooOldError

    ours, other = _numbers(__version__), _numbers(theirs)
    if ours == other:
        return theirs if theirs == __version__ else f"{theirs}, and this jjm is {__version__}"
    which = "older" if other < ours else "newer"
    raise ServiceTooOldError(
        f"The service is {theirs}, {which} than this jjm ({__version__}); some commands may not work.",
        hint="Bring both to the same version.",
    )


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) if part.isdecimal() else 0 for part in version.split(".")[:2])


def _key(context: Context) -> str:
    async def ask(app: App) -> str:
        from jules_job_manager.client.app import RemoteApp

        assert isinstance(app, RemoteApp)
        who = await app.operations.show_session()
        return f"{who['name']}, {who['role']}"

    return context.run(ask)
