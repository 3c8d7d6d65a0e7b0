"""Watching the program itself: log, metrics, health, traces."""

from __future__ import annotations

from dataclasses import dataclass

from jules_job_manager.settings.sections.field import setting


@dataclass(frozen=True, kw_only=True)
class LogSettings:
    """The log file."""

    level: str = setting(
        "info", "Least level written.", choices=("debug", "info", "warning", "error")
    )
    format: str = setting("human", "Form of a line.", choices=("human", "json"))
    path: str = setting("", "File; empty: logs/jules_manager.log in the home folder.")
    retention_days: int = setting(30, "Days kept; a new file each midnight UTC.", minimum=1)


@dataclass(frozen=True, kw_only=True)
class MetricsSettings:
    """What Prometheus reads."""

    enabled: bool = setting(default=True, doc="Measure, and answer /metrics on the server.")
    port: int = setting(
        0, "Port of its own for /metrics, such as 9090, on which no key is asked for; 0: none.",
        minimum=0,
    )  # fmt: skip
    host: str = setting("127.0.0.1", "Address that port listens on.")
    allow_public: bool = setting(
        default=False, doc="Let `metrics.host` be an address that other machines reach, although no key is "
        "asked for: a firewall or a private network keeps strangers out.",
    )  # fmt: skip
    snapshot_seconds: float = setting(
        15.0, "Most age of counts of the store; 0: counted for each scrape.", minimum=0
    )
    quota_seconds: float = setting(60.0, "Most age of what the accounts have left.", minimum=0)


@dataclass(frozen=True, kw_only=True)
class HealthSettings:
    """Looking after what the server stands on."""

    interval_seconds: float = setting(30.0, "Time between two looks of a check.", minimum=0.1)
    limit_seconds: float = setting(10.0, "Longest look; a longer one is a failure.", minimum=0.1)
    backend_every_seconds: float = setting(
        300.0, "Time without a call of Jules after which it is asked something cheap.", minimum=1
    )
    worsen_after: int = setting(
        2, "Looks in a row after which a check is said to be worse.", minimum=1
    )
    recover_after: int = setting(
        2, "Looks in a row after which a check is said to be better.", minimum=1
    )
    disk_low_mb: int = setting(1024, "Room in MiB below which it is degraded.", minimum=0)
    disk_least_mb: int = setting(100, "Room in MiB below which it is unhealthy.", minimum=0)
    clock_skew_seconds: float = setting(
        5.0, "Difference from the database's clock above which it is degraded.", minimum=0
    )


@dataclass(frozen=True, kw_only=True)
class TracingSettings:
    """Traces for OpenTelemetry. Needs the extra `otel`."""

    enabled: bool = setting(default=False, doc="Record and send traces.")
    endpoint: str = setting(
        "http://127.0.0.1:4318/v1/traces", "Where to, over OTLP/HTTP.",
        env="OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
    )  # fmt: skip
    headers: tuple[str, ...] = setting((), "Headers sent along, each as NAME=VALUE.", secret=True)
    service_name: str = setting("jjm", "Name of this service.", env="OTEL_SERVICE_NAME")
    sample_ratio: float = setting(1.0, "Share of traces that are kept, 0 to 1.", minimum=0)
