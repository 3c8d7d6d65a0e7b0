"""How Jules is reached: its REST API, the Node MCP server, the simulator, further accounts."""

from __future__ import annotations

from dataclasses import dataclass

from jules_job_manager.settings.sections.field import setting


@dataclass(frozen=True, kw_only=True)
class JulesSettings:
    """How to reach Jules."""

    backend: str = setting(
        "", "How to reach Jules; empty: rest when a key is set, else mcp when its path is set.",
        env="JJM_BACKEND", choices=("", "rest", "mcp", "simulator"),
    )  # fmt: skip
    api_key: str = setting("", "Key of the Jules REST API.", env="JULES_API_KEY", secret=True)
    api_url: str = setting(
        "https://jules.googleapis.com/v1alpha",
        "Base address of the REST API, ending in /v1alpha.",
        env="JULES_API_URL",
    )
    timeout_seconds: float = setting(60.0, "Longest wait for one REST answer.", minimum=0.1)
    plan: str = setting(
        "auto", "Plan of the account, which says its quota; auto: the smallest that fits what is seen.",
        choices=("auto", "free", "pro", "ultra", "none"),
    )  # fmt: skip
    tasks_per_day: int = setting(0, "Own number of tasks in 24 hours; 0: the plan's.", minimum=0)
    tasks_at_once: int = setting(0, "Own number of tasks at work; 0: the plan's.", minimum=0)
    activity_lists_per_minute: float = setting(
        120.0, "Most activity lists asked for in a minute while watching.", minimum=1
    )


@dataclass(frozen=True, kw_only=True)
class McpServerSettings:
    """The Node MCP server (google-jules-mcp), spoken to on stdio. Needs the extra `mcp`."""

    path: str = setting(
        "../google-jules-mcp/dist/index.js", "The server's JavaScript file.", env="MCP_SERVER_PATH"
    )
    node_path: str = setting("node", "The Node.js program.", env="NODE_PATH")
    command: str = setting("", "A whole command line to start instead of node and path.")
    timeout_seconds: float = setting(70.0, "Longest wait for one call.", minimum=0.1)
    create_timeout_seconds: float = setting(180.0, "Longest wait for a create.", minimum=0.1)
    start_timeout_seconds: float = setting(15.0, "Longest wait for the handshake.", minimum=0.1)
    headless: str = setting("", "Passed on as HEADLESS.", env="HEADLESS")
    browser_timeout: str = setting("", "Passed on as TIMEOUT (milliseconds).", env="TIMEOUT")
    debug: str = setting("", "Passed on as DEBUG.", env="DEBUG")
    session_mode: str = setting("", "Passed on as SESSION_MODE.", env="SESSION_MODE")
    google_auth_cookies: str = setting(
        "", "Passed on as GOOGLE_AUTH_COOKIES.", env="GOOGLE_AUTH_COOKIES", secret=True
    )
    jules_data_path: str = setting(
        "", "Passed on as JULES_DATA_PATH; empty: a file in the home folder.", env="JULES_DATA_PATH"
    )


@dataclass(frozen=True, kw_only=True)
class SimulatorSettings:
    """The bundled simulator, when it is the backend."""

    scenario: str = setting("", "Scenario file (TOML); empty: a well-behaved Jules.")
    speed: float = setting(60.0, "Simulated seconds per real second.", minimum=0.0)
    seed: int = setting(1, "Seed of ids, words and timing.")
    state: str = setting("", "State file; empty: simulator.db in the home folder.")


@dataclass(frozen=True, kw_only=True)
class AccountSettings:
    """One more account of the Jules REST API; `[jules]` is the one called default."""

    api_key: str = ""
    api_url: str = ""
    """Base address; empty: that of `[jules]`."""
    plan: str = "auto"
    tasks_per_day: int = 0
    tasks_at_once: int = 0
