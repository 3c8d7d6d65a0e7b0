"""The environment the server is started with: little of ours, and a locale whose dates can be read."""

from __future__ import annotations

from collections.abc import Mapping

_INHERITED = (
    "HOME", "PATH", "USER", "LOGNAME", "SHELL", "TERM", "TMPDIR", "DISPLAY", "XAUTHORITY",
    "WAYLAND_DISPLAY", "XDG_RUNTIME_DIR", "PLAYWRIGHT_BROWSERS_PATH", "NODE_EXTRA_CA_CERTS",
    "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy",
    "SYSTEMROOT",
    "JJM_HOME", "JJM_CONFIG",  # where `jjm simulator mcp`, as the server, finds its world
    # The server's own, for which there are no settings here.
    "CHROME_USER_DATA_DIR", "COOKIES_PATH", "BROWSERBASE_API_KEY", "BROWSERBASE_PROJECT_ID",
    "BROWSERBASE_SESSION_ID", "BROWSERBASE_CONTEXT_ID",
)  # fmt: skip
FIXED = {"LC_ALL": "C", "TZ": "UTC"}
"""The list text holds dates in the server's locale and zone: these give `M/D/YYYY` in UTC.

Source: google-jules-mcp facts, section 5 (jules_list_tasks).
"""


def child_environment(ours: Mapping[str, str], passed: Mapping[str, str]) -> dict[str, str]:
    """Return the child's whole environment.

    Our keys and tokens stay with us: only what a program needs to run is inherited.

    Args:
        ours: The environment of this process.
        passed: Variables for the server (HEADLESS, SESSION_MODE, …); they win over inherited ones.
    """
    inherited = {name: ours[name] for name in _INHERITED if ours.get(name)}
    return {**inherited, **passed, **FIXED}
