"""The service, its live events, and how commands reach it."""

from __future__ import annotations

from dataclasses import dataclass

from jules_job_manager.settings.sections.field import setting


@dataclass(frozen=True, kw_only=True)
class ServerSettings:
    """The service that `jjm serve` runs."""

    host: str = setting(
        "127.0.0.1",
        "Address to listen on; 0.0.0.0 for every one of this machine.",
    )
    port: int = setting(8787, "Port to listen on; 0: any that is free.", minimum=0)
    worker: bool = setting(
        default=True, doc="Run the queue in the service; off: `jjm worker` runs apart."
    )
    tls_certificate: str = setting("", "PEM file of the certificate, for https.")
    tls_key: str = setting("", "PEM file of its key, which only its owner can read.")
    behind_proxy: bool = setting(
        default=False, doc="A reverse proxy before it speaks https with the outside, so that the "
        "service may listen on more than this machine without a certificate of its own.",
    )  # fmt: skip
    public_url: str = setting(
        "",
        "Address by which people reach it, for links, as https://HOST; empty: that it listens on.",
    )
    cors_origins: tuple[str, ...] = setting(
        (), "Origins whose pages may call it, as https://HOST; none: only its own."
    )
    max_body_bytes: int = setting(8_000_000, "Largest body of a request.", minimum=1024)
    graceful_seconds: float = setting(
        10.0, "Longest wait for requests in hand when it is stopped.", minimum=0
    )


@dataclass(frozen=True, kw_only=True)
class LiveSettings:
    """Events as they happen, over SSE and WebSocket."""

    poll_seconds: float = setting(
        2.0, "Longest time between two looks at the event log, when no hint comes.", minimum=0.05
    )
    heartbeat_seconds: float = setting(
        15.0, "Silence after which clients hear that all is well.", minimum=1
    )
    kept_events: int = setting(
        5000, "Newest events kept in memory for all clients; who is behind reads the store.",
        minimum=1,
    )  # fmt: skip
    stalled_seconds: float = setting(
        30.0, "A client that takes nothing for so long is cut off.", minimum=1
    )
    most_clients: int = setting(5000, "Most streams of one process.", minimum=1)


@dataclass(frozen=True, kw_only=True)
class ClientSettings:
    """The service that commands talk to, in place of working on this machine."""

    server: str = setting(
        "", "Address of the service, as https://HOST:PORT; empty: commands work here.",
        env="JJM_SERVER",
    )  # fmt: skip
    api_key: str = setting(
        "", "Key of that service; no other gets it (see [servers]).", env="JJM_SERVER_KEY",
        secret=True,
    )  # fmt: skip
    timeout_seconds: float = setting(60.0, "Longest wait for one answer of it.", minimum=0.1)


@dataclass(frozen=True, kw_only=True)
class ServerKeySettings:
    """The key of one more service, under its address."""

    api_key: str = ""
