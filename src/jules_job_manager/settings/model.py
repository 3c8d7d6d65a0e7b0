"""All settings in one value. Each section is described in a file of `sections`."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from jules_job_manager.domain.decision_rules import AnswerRule, MergeRule, PlanRule
from jules_job_manager.domain.reviewer import ReviewerSpec
from jules_job_manager.settings.sections.access import AccessSettings, RateLimitSettings
from jules_job_manager.settings.sections.github import GitHubSettings
from jules_job_manager.settings.sections.jules import (
    AccountSettings,
    JulesSettings,
    McpServerSettings,
    SimulatorSettings,
)
from jules_job_manager.settings.sections.notify import (
    AlertsSettings,
    NotifySettings,
    WebhookSettings,
)
from jules_job_manager.settings.sections.operations import (
    HealthSettings,
    LogSettings,
    MetricsSettings,
    TracingSettings,
)
from jules_job_manager.settings.sections.queue import MonitoringSettings, QueueSettings
from jules_job_manager.settings.sections.review import ReviewSettings
from jules_job_manager.settings.sections.secrets import SecretsSettings
from jules_job_manager.settings.sections.server import (
    ClientSettings,
    LiveSettings,
    ServerKeySettings,
    ServerSettings,
)
from jules_job_manager.settings.sections.storage import (
    CacheSettings,
    RedisSettings,
    StorageSettings,
)

__all__ = [
    "SECTIONS",
    "AccessSettings",
    "AccountSettings",
    "AlertsSettings",
    "CacheSettings",
    "ClientSettings",
    "GitHubSettings",
    "HealthSettings",
    "JulesSettings",
    "LiveSettings",
    "LogSettings",
    "McpServerSettings",
    "MetricsSettings",
    "MonitoringSettings",
    "NotifySettings",
    "QueueSettings",
    "RateLimitSettings",
    "RedisSettings",
    "ReviewSettings",
    "SecretsSettings",
    "ServerKeySettings",
    "ServerSettings",
    "Settings",
    "SimulatorSettings",
    "StorageSettings",
    "TracingSettings",
    "WebhookSettings",
]


@dataclass(frozen=True, kw_only=True)
class Settings:
    """All settings, and where each came from."""

    home: Path
    config_file: Path | None = None
    jules: JulesSettings = field(default_factory=JulesSettings)
    mcp_server: McpServerSettings = field(default_factory=McpServerSettings)
    simulator: SimulatorSettings = field(default_factory=SimulatorSettings)
    storage: StorageSettings = field(default_factory=StorageSettings)
    monitoring: MonitoringSettings = field(default_factory=MonitoringSettings)
    queue: QueueSettings = field(default_factory=QueueSettings)
    review: ReviewSettings = field(default_factory=ReviewSettings)
    github: GitHubSettings = field(default_factory=GitHubSettings)
    notify: NotifySettings = field(default_factory=NotifySettings)
    access: AccessSettings = field(default_factory=AccessSettings)
    rate_limits: RateLimitSettings = field(default_factory=RateLimitSettings)
    server: ServerSettings = field(default_factory=ServerSettings)
    client: ClientSettings = field(default_factory=ClientSettings)
    log: LogSettings = field(default_factory=LogSettings)
    metrics: MetricsSettings = field(default_factory=MetricsSettings)
    health: HealthSettings = field(default_factory=HealthSettings)
    secrets: SecretsSettings = field(default_factory=SecretsSettings)
    tracing: TracingSettings = field(default_factory=TracingSettings)
    alerts: AlertsSettings = field(default_factory=AlertsSettings)
    redis: RedisSettings = field(default_factory=RedisSettings)
    cache: CacheSettings = field(default_factory=CacheSettings)
    live: LiveSettings = field(default_factory=LiveSettings)
    webhooks: WebhookSettings = field(default_factory=WebhookSettings)
    accounts: dict[str, AccountSettings] = field(default_factory=dict)
    """Further accounts, by name."""
    servers: dict[str, ServerKeySettings] = field(default_factory=dict)
    """Keys of services, by address."""
    withheld_key: str = ""
    """Why a key that is known does not go to `client.server`; empty: none is withheld."""
    reviewers: tuple[ReviewerSpec, ...] = ()
    """A person's own reviewers."""
    plan_rules: tuple[PlanRule, ...] = ()
    merge_rules: tuple[MergeRule, ...] = ()
    answer_rules: tuple[AnswerRule, ...] = ()
    remotes: dict[str, str] = field(default_factory=dict)
    """`owner/name` to git URL or path, where git finds it."""
    sources: dict[str, str] = field(default_factory=dict)
    """`section.name` to where its value came from; a name that is missing has its default."""


def _sections() -> dict[str, type[Any]]:
    made: dict[str, Any] = {part.name: part.default_factory for part in fields(Settings)}
    return {name: kind for name, kind in made.items() if hasattr(kind, "__dataclass_fields__")}


SECTIONS = _sections()
"""The sections by the names they have in files, in the order of the reference."""
