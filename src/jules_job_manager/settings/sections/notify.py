"""Who is told what: people, addresses of others, and by alerts."""

from __future__ import annotations

from dataclasses import dataclass

from jules_job_manager.settings.sections.field import setting


@dataclass(frozen=True, kw_only=True)
class NotifySettings:
    """Telling people what happens. Needs the extra `notify`."""

    urls: tuple[str, ...] = setting(
        (), "Where to, as Apprise addresses (github.com/caronc/apprise).", secret=True
    )
    events: tuple[str, ...] = setting(
        ("needs_you", "rejected_twice", "failed", "quota_low", "drained", "alert"),
        "What is told: needs_you, delivered, rejected_twice, failed, quota_low, drained, alert.",
    )
    digest_minutes: float = setting(
        5.0, "News of so long is put into one message; 0: each at once.", minimum=0
    )
    per_hour: int = setting(12, "Most messages an hour; critical ones always go.", minimum=1)
    quiet_from: str = setting("", "Begin of quiet hours, local time, for example 22:00.")
    quiet_to: str = setting("", "End of quiet hours, for example 07:00.")


@dataclass(frozen=True, kw_only=True)
class WebhookSettings:
    """Sending events to addresses of others."""

    enabled: bool = setting(default=True, doc="Whether the server delivers webhooks.")
    allow_private: tuple[str, ...] = setting(
        (), "Hosts, addresses and networks inside the network that messages may go to, for example "
        "hooks.internal or 10.0.0.0/8; to these without https too.",
    )  # fmt: skip
    timeout_seconds: float = setting(10.0, "Longest wait for one answer.", minimum=0.1)
    at_once: int = setting(32, "Most messages sent at the same time.", minimum=1)
    each_at_once: int = setting(4, "Of them to one endpoint.", minimum=1)
    poll_seconds: float = setting(
        5.0, "Longest time between two looks at the event log, when no hint comes.", minimum=0.05
    )
    keep_days: int = setting(30, "Days that the log of deliveries goes back.", minimum=1)


@dataclass(frozen=True, kw_only=True)
class AlertsSettings:
    """Alerts for those without Prometheus; they are told like news, at once."""

    failures_in_a_row: int = setting(
        5, "Jobs that fail in a row before it is told; 0: never.", minimum=0
    )
    backend_away_minutes: float = setting(
        15.0, "Time Jules is away before it is told; 0: never.", minimum=0
    )
    again_hours: float = setting(
        6.0, "Time after which one that still holds is told again; 0: never.", minimum=0
    )
