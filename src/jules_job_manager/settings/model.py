"""Every setting: its type, default, variables and meaning. The reference page is made from this."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jules_job_manager.domain.orchestration.policy import AnswerRule, MergeRule, PlanRule
from jules_job_manager.domain.reviewer import ReviewerSpec


def _setting(
    default: Any,
    doc: str,
    *,
    env: str | None = None,
    choices: tuple[str, ...] = (),
    secret: bool = False,
    minimum: float | None = None,
) -> Any:
    metadata = {"help": doc, "env": env, "choices": choices, "secret": secret, "minimum": minimum}
    if isinstance(default, dict):
        return field(default_factory=lambda: dict(default), metadata=metadata)
    return field(default=default, metadata=metadata)


@dataclass(frozen=True, kw_only=True)
class JulesSettings:
    """How to reach Jules."""

    backend: str = _setting(
        "", "How to reach Jules; empty: rest when a key is set, else mcp when its path is set.",
        env="JJM_BACKEND", choices=("", "rest", "mcp", "simulator"),
    )  # fmt: skip
    api_key: str = _setting("", "Key of the Jules REST API.", env="JULES_API_KEY", secret=True)
    api_url: str = _setting(
        "https://jules.googleapis.com/v1alpha",
        "Base address of the REST API, ending in /v1alpha.",
        env="JULES_API_URL",
    )
    timeout_seconds: float = _setting(60.0, "Longest wait for one REST answer.", minimum=0.1)
    plan: str = _setting(
        "auto", "Plan of the account, which says its quota; auto: the smallest that fits what is seen.",
        choices=("auto", "free", "pro", "ultra", "none"),
    )  # fmt: skip
    tasks_per_day: int = _setting(0, "Own number of tasks in 24 hours; 0: the plan's.", minimum=0)
    tasks_at_once: int = _setting(0, "Own number of tasks at work; 0: the plan's.", minimum=0)
    activity_lists_per_minute: float = _setting(
        120.0, "Most activity lists asked for in a minute while watching.", minimum=1
    )


@dataclass(frozen=True, kw_only=True)
class McpServerSettings:
    """The Node MCP server (google-jules-mcp), spoken to on stdio. Needs the extra `mcp`."""

    path: str = _setting(
        "../google-jules-mcp/dist/index.js", "The server's JavaScript file.", env="MCP_SERVER_PATH"
    )
    node_path: str = _setting("node", "The Node.js program.", env="NODE_PATH")
    command: str = _setting("", "A whole command line to start instead of node and path.")
    timeout_seconds: float = _setting(70.0, "Longest wait for one call.", minimum=0.1)
    create_timeout_seconds: float = _setting(180.0, "Longest wait for a create.", minimum=0.1)
    start_timeout_seconds: float = _setting(15.0, "Longest wait for the handshake.", minimum=0.1)
    headless: str = _setting("", "Passed on as HEADLESS.", env="HEADLESS")
    browser_timeout: str = _setting("", "Passed on as TIMEOUT (milliseconds).", env="TIMEOUT")
    debug: str = _setting("", "Passed on as DEBUG.", env="DEBUG")
    session_mode: str = _setting("", "Passed on as SESSION_MODE.", env="SESSION_MODE")
    google_auth_cookies: str = _setting(
        "", "Passed on as GOOGLE_AUTH_COOKIES.", env="GOOGLE_AUTH_COOKIES", secret=True
    )
    jules_data_path: str = _setting(
        "", "Passed on as JULES_DATA_PATH; empty: a file in the home folder.", env="JULES_DATA_PATH"
    )


@dataclass(frozen=True, kw_only=True)
class SimulatorSettings:
    """The bundled simulator, when it is the backend."""

    scenario: str = _setting("", "Scenario file (TOML); empty: a well-behaved Jules.")
    speed: float = _setting(60.0, "Simulated seconds per real second.", minimum=0.0)
    seed: int = _setting(1, "Seed of ids, words and timing.")
    state: str = _setting("", "State file; empty: simulator.db in the home folder.")


@dataclass(frozen=True, kw_only=True)
class StorageSettings:
    """Where tasks, jobs and events are kept."""

    backend: str = _setting("sqlite", "Kind of store.", choices=("sqlite", "json", "postgresql"))
    data_path: str = _setting("", "File of the store; empty: jjm.db or tasks.json at home.")
    database_url: str = _setting(
        "", "Address of the PostgreSQL database.", env="DATABASE_URL", secret=True
    )
    fallback: str = _setting(
        "error", "What to do when PostgreSQL is away: stop, or go on in a local store.",
        choices=("error", "local"),
    )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class MonitoringSettings:
    """Watching and retrying."""

    default_interval: float = _setting(30.0, "Seconds between two looks.", minimum=0.0)
    max_retries: int = _setting(3, "Tries of one safe call.", minimum=1)


@dataclass(frozen=True, kw_only=True)
class QueueSettings:
    """Running a backlog."""

    repository: str = _setting("", "Repository of jobs that name none, owner/name.")
    base_branch: str = _setting("main", "Branch that work starts from and merges into.")
    concurrency: int = _setting(
        0, "Most tasks at work at once; 0: as many as the account allows.", minimum=0
    )
    reserve: int = _setting(0, "Tasks of each day kept for critical and high jobs.", minimum=0)
    ageing_hours: float = _setting(
        24.0, "A waiting job counts one priority higher after so long; 0: never.", minimum=0
    )
    overlap: str = _setting(
        "wait", "Jobs that touch the same files: wait for each other, or allow them together.",
        choices=("wait", "allow"),
    )  # fmt: skip
    dependents: str = _setting(
        "merged", "A job starts when what it needs is merged, or stacked on its delivered branch.",
        choices=("merged", "stacked"),
    )  # fmt: skip
    merge: str = _setting(
        "always", "Deliveries that passed and fit none of the merge rules: merge them, or ask a person.",
        choices=("always", "ask"),
    )  # fmt: skip
    merge_batch: int = _setting(
        8, "Most deliveries that passed, and wait for a base that moved, checked again together.",
        minimum=1,
    )  # fmt: skip
    approve: str = _setting(
        "ask", "Plans: ask a person, approve all, or approve those the limits allow.",
        choices=("ask", "always", "policy"),
    )  # fmt: skip
    approve_max_steps: int = _setting(
        12, "Policy: most steps of a plan approved unseen.", minimum=0
    )
    approve_refuse_words: tuple[str, ...] = _setting(
        (), "Policy: words that send a plan to a person."
    )
    answer: str = _setting("", "Text sent when Jules asks something; empty: ask a person.")
    poll_interval_seconds: float = _setting(10.0, "Seconds between two looks.", minimum=0.0)
    max_feedback_rounds: int = _setting(3, "Most times one task is sent back.", minimum=0)
    max_attempts: int = _setting(2, "Most tasks created for one job.", minimum=1)
    max_answers: int = _setting(5, "Most configured answers to one task.", minimum=0)
    stall_after_minutes: float = _setting(
        15.0, "Silence after which a task is asked to go on; 0: never.", minimum=0
    )
    max_nudges: int = _setting(
        2, "Most times a silent task is asked to go on; then it is replaced.", minimum=0
    )
    nudge_text: str = _setting("Please go on with the task.", "What a silent task is sent.")
    dispatcher: str = _setting(
        "auto", "How reviews reach workers: in one program, or with PgQueuer between machines; "
        "auto: PgQueuer on PostgreSQL when the extra `scale` is installed.",
        choices=("auto", "local", "pgqueuer"),
    )  # fmt: skip
    write_back: bool = _setting(
        default=True, doc="Write status and dates into the backlog document."
    )


@dataclass(frozen=True, kw_only=True)
class ReviewSettings:
    """Checking what came back."""

    checks: tuple[str, ...] = _setting((), "Commands run on the merge; each must exit with 0.")
    check_timeout_seconds: float = _setting(900.0, "Longest run of one check.", minimum=0.1)
    at_once: int = _setting(2, "Reviews run side by side on this machine.", minimum=1)
    checks_at_once: int = _setting(
        2, "Checks of one review run side by side, each on a copy of its own.", minimum=1
    )
    sandbox: str = _setting(
        "auto", "Where checks run: auto is bubblewrap and refuses without it; container is podman or "
        "docker; host is no sandbox: what Jules wrote then runs with all your rights.",
        choices=("auto", "bubblewrap", "container", "host"),
    )  # fmt: skip
    container_image: str = _setting(
        "docker.io/library/python:3.12-slim", "Image that checks run in, for container."
    )
    memory_mb: int = _setting(4096, "Most memory of one check, in MiB.", minimum=16)
    processes: int = _setting(512, "Most processes and threads of one check.", minimum=4)
    readable: tuple[str, ...] = _setting(
        (), "Further files and folders that checks may read, absolute or with ~."
    )
    setup: tuple[str, ...] = _setting(
        (), "Commands run before the checks, in the same folder; each must exit with 0."
    )
    setup_network: bool = _setting(
        default=False, doc="Let the commands of setup reach the network, this machine's ports too."
    )
    promised_files: bool = _setting(
        default=True, doc="Refuse a delivery that lacks a file the job promised."
    )
    unproven: str = _setting(
        "merge", "A delivery that passed, while lines of the job's checklist are not proven: merge it, "
        "or ask a person, who signs them with jjm review sign.", choices=("merge", "ask"),
    )  # fmt: skip
    rules: tuple[str, ...] = _setting(
        (), "Built-in rules that are not used as they are meant, as RULE=USE: required, advisory or "
        "off; `all` stands for every other rule. A repository's .jjm.toml counts before it."
    )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class GitHubSettings:
    """Merging through pull requests on GitHub. Needs the extra `github`."""

    repositories: tuple[str, ...] = _setting(
        (), "Repositories merged through pull requests, as owner/name; * for every one whose remote is on "
        "GitHub, or that has no remote.",
    )  # fmt: skip
    token: str = _setting("", "Token of GitHub.", env="GITHUB_TOKEN", secret=True)
    app_id: str = _setting("", "An App instead of a token: its id.")
    installation_id: str = _setting("", "Id of the App's installation.")
    private_key_file: str = _setting(
        "", "File with the App's private key (PEM), which only its owner can read."
    )
    api_url: str = _setting(
        "https://api.github.com",
        "Base address of the API; https://HOST/api/v3 for GitHub Enterprise.",
    )
    merge_method: str = _setting(
        "merge", "How pull requests are merged.", choices=("merge", "squash", "rebase")
    )
    required_checks: tuple[str, ...] = _setting(
        (), "Names of check runs or commit statuses that must have passed before the merge."
    )
    checks_patience_minutes: float = _setting(
        120.0, "Wait for them after which a person is asked.", minimum=0
    )
    report: bool = _setting(default=True, doc="Show each review as a comment on its pull request.")
    timeout_seconds: float = _setting(30.0, "Longest wait for one answer.", minimum=0.1)
    longest_wait_seconds: float = _setting(
        60.0, "Longest wait for a rate limit to end; a longer one is tried again later.", minimum=0
    )


@dataclass(frozen=True, kw_only=True)
class NotifySettings:
    """Telling people what happens. Needs the extra `notify`."""

    urls: tuple[str, ...] = _setting(
        (), "Where to, as Apprise addresses (github.com/caronc/apprise).", secret=True
    )
    events: tuple[str, ...] = _setting(
        ("needs_you", "rejected_twice", "failed", "quota_low", "drained", "alert"),
        "What is told: needs_you, delivered, rejected_twice, failed, quota_low, drained, alert.",
    )
    digest_minutes: float = _setting(
        5.0, "News of so long is put into one message; 0: each at once.", minimum=0
    )
    per_hour: int = _setting(12, "Most messages an hour; critical ones always go.", minimum=1)
    quiet_from: str = _setting("", "Begin of quiet hours, local time, for example 22:00.")
    quiet_to: str = _setting("", "End of quiet hours, for example 07:00.")


@dataclass(frozen=True, kw_only=True)
class ServerSettings:
    """The service that `jjm serve` runs."""

    host: str = _setting(
        "127.0.0.1",
        "Address to listen on; 0.0.0.0 for every one of this machine.",
    )
    port: int = _setting(8787, "Port to listen on; 0: any that is free.", minimum=0)
    worker: bool = _setting(
        default=True, doc="Run the queue in the service; off: `jjm worker` runs apart."
    )
    tls_certificate: str = _setting("", "PEM file of the certificate, for https.")
    tls_key: str = _setting("", "PEM file of its key, which only its owner can read.")
    behind_proxy: bool = _setting(
        default=False, doc="A reverse proxy before it speaks https with the outside, so that the "
        "service may listen on more than this machine without a certificate of its own.",
    )  # fmt: skip
    public_url: str = _setting(
        "", "Address by which people reach it, for links; empty: that it listens on."
    )
    cors_origins: tuple[str, ...] = _setting(
        (), "Origins whose pages may call it, as https://HOST; none: only its own."
    )
    max_body_bytes: int = _setting(8_000_000, "Largest body of a request.", minimum=1024)
    graceful_seconds: float = _setting(
        10.0, "Longest wait for requests in hand when it is stopped.", minimum=0
    )


@dataclass(frozen=True, kw_only=True)
class ClientSettings:
    """The service that commands talk to, in place of working on this machine."""

    server: str = _setting(
        "", "Address of the service, as https://HOST:PORT; empty: commands work here.",
        env="JJM_SERVER",
    )  # fmt: skip
    api_key: str = _setting(
        "", "Key of that service; no other gets it (see [servers]).", env="JJM_SERVER_KEY",
        secret=True,
    )  # fmt: skip
    timeout_seconds: float = _setting(60.0, "Longest wait for one answer of it.", minimum=0.1)


@dataclass(frozen=True, kw_only=True)
class RedisSettings:
    """Redis or Valkey, for hints between processes and the cache. Needs the extra `redis`."""

    url: str = _setting(
        "", "Address: redis://[user:password@]host:6379/0, rediss://… for TLS, unix:///path, or "
        "redis+sentinel://host:26379,host:26379/service/0; empty: do without.",
        env="REDIS_URL", secret=True,
    )  # fmt: skip
    timeout_seconds: float = _setting(
        2.0, "Longest wait for a connection or an answer.", minimum=0.1
    )
    connections: int = _setting(10, "Most connections of one process.", minimum=2)


@dataclass(frozen=True, kw_only=True)
class CacheSettings:
    """Keeping what was read from the store in Redis for a while."""

    backend: str = _setting(
        "none", "Where to; none: the store is asked each time. Pays off for tasks that many look at.",
        choices=("none", "redis"),
    )  # fmt: skip
    task_seconds: float = _setting(300.0, "How long a task is kept.", minimum=1)
    list_seconds: float = _setting(60.0, "How long a list of tasks is kept.", minimum=1)


@dataclass(frozen=True, kw_only=True)
class LiveSettings:
    """Events as they happen, over SSE and WebSocket."""

    poll_seconds: float = _setting(
        2.0, "Longest time between two looks at the event log, when no hint comes.", minimum=0.05
    )
    heartbeat_seconds: float = _setting(
        15.0, "Silence after which clients hear that all is well.", minimum=1
    )
    kept_events: int = _setting(
        5000, "Newest events kept in memory for all clients; who is behind reads the store.",
        minimum=1,
    )  # fmt: skip
    stalled_seconds: float = _setting(
        30.0, "A client that takes nothing for so long is cut off.", minimum=1
    )
    most_clients: int = _setting(5000, "Most streams of one process.", minimum=1)


@dataclass(frozen=True, kw_only=True)
class WebhookSettings:
    """Sending events to addresses of others."""

    enabled: bool = _setting(default=True, doc="Whether the server delivers webhooks.")
    allow_private: tuple[str, ...] = _setting(
        (), "Hosts, addresses and networks inside the network that messages may go to, for example "
        "hooks.internal or 10.0.0.0/8; to these without https too.",
    )  # fmt: skip
    timeout_seconds: float = _setting(10.0, "Longest wait for one answer.", minimum=0.1)
    at_once: int = _setting(32, "Most messages sent at the same time.", minimum=1)
    each_at_once: int = _setting(4, "Of them to one endpoint.", minimum=1)
    poll_seconds: float = _setting(
        5.0, "Longest time between two looks at the event log, when no hint comes.", minimum=0.05
    )
    keep_days: int = _setting(30, "Days that the log of deliveries goes back.", minimum=1)


@dataclass(frozen=True, kw_only=True)
class AccountSettings:
    """One more account of the Jules REST API; `[jules]` is the one called default."""

    api_key: str = ""
    api_url: str = ""
    """Base address; empty: that of `[jules]`."""
    plan: str = "auto"
    tasks_per_day: int = 0
    tasks_at_once: int = 0


@dataclass(frozen=True, kw_only=True)
class ServerKeySettings:
    """The key of one more service, under its address."""

    api_key: str = ""


@dataclass(frozen=True, kw_only=True)
class AccessSettings:
    """Who may use the server: keys, signing in, and the record of what was done."""

    session_hours: float = _setting(
        168.0, "A person signs in again after so long, in any case.", minimum=0.01
    )
    session_idle_hours: float = _setting(
        12.0, "… and after so long without a request.", minimum=0.01
    )
    link_minutes: float = _setting(10.0, "How long a sign-in link works.", minimum=0.1)
    key_memory_seconds: float = _setting(
        1.0, "Each server process looks a key up again after so long, so that one revoked elsewhere stops "
        "working; 0: with every request.", minimum=0,
    )  # fmt: skip
    audit_retention_days: float = _setting(
        365.0, "Entries of the audit log are removed after so long; 0: never.", minimum=0
    )
    trusted_proxies: tuple[str, ...] = _setting(
        (), "Addresses or networks (10.0.0.0/8) of proxies whose X-Forwarded-For is believed."
    )
    idempotency_hours: float = _setting(
        24.0, "How long the answer to a request with an Idempotency-Key is kept.", minimum=0.01
    )
    idempotency_lease_seconds: float = _setting(
        30.0, "So long after a server died over such a request, another may take it up.", minimum=1
    )
    oidc_issuer: str = _setting(
        "", "OpenID Connect provider people sign in with; empty: none. Needs the extra `oidc`."
    )
    oidc_client_id: str = _setting("", "This server's client id at the provider.")
    oidc_client_secret: str = _setting(
        "", "Its secret; empty for a public client.", env="JJM_OIDC_CLIENT_SECRET", secret=True
    )
    oidc_scopes: tuple[str, ...] = _setting(
        ("openid", "email", "profile"), "Scopes asked of the provider."
    )
    oidc_role_claim: str = _setting(
        "", "Claim of the ID token whose values the three lists below may name, for example groups."
    )
    oidc_admins: tuple[str, ...] = _setting(
        (), "Who is an admin: verified e-mail addresses, @domain, or values of the role claim."
    )
    oidc_operators: tuple[str, ...] = _setting((), "Who is an operator, likewise.")
    oidc_viewers: tuple[str, ...] = _setting((), "Who is a viewer, likewise; others are refused.")


@dataclass(frozen=True, kw_only=True)
class RateLimitSettings:
    """How many requests the server takes, counted over the last minute."""

    enabled: bool = _setting(default=True, doc="Limit requests at all.")
    storage: str = _setting(
        "", "Where requests are counted: empty for each server process by itself, or a redis:// address "
        "for all together. Needs the extra `redis`.", secret=True,
    )  # fmt: skip
    per_minute: int = _setting(100, "Of one key or person.", minimum=1)
    anonymous_per_minute: int = _setting(
        60, "Of one address, to pages that need no key.", minimum=1
    )
    failed_sign_ins_per_minute: int = _setting(
        10, "Of one address, with a key, link or session that is not valid.", minimum=1
    )
    endpoints: tuple[str, ...] = _setting(
        (), "Own limits of single endpoints, as METHOD PATH=PER_MINUTE: POST /api/v1/tasks=20."
    )
    exempt_admins: bool = _setting(default=True, doc="Let admins send as much as they like.")


@dataclass(frozen=True, kw_only=True)
class LogSettings:
    """The log file."""

    level: str = _setting(
        "info", "Least level written.", choices=("debug", "info", "warning", "error")
    )
    format: str = _setting("human", "Form of a line.", choices=("human", "json"))
    path: str = _setting("", "File; empty: logs/jules_manager.log in the home folder.")
    retention_days: int = _setting(30, "Days kept; a new file each midnight UTC.", minimum=1)


@dataclass(frozen=True, kw_only=True)
class MetricsSettings:
    """What Prometheus reads."""

    enabled: bool = _setting(default=True, doc="Measure, and answer /metrics on the server.")
    port: int = _setting(
        0, "Port of its own for /metrics, such as 9090, on which no key is asked for; 0: none.",
        minimum=0,
    )  # fmt: skip
    host: str = _setting("127.0.0.1", "Address that port listens on.")
    snapshot_seconds: float = _setting(
        15.0, "Most age of counts of the store; 0: counted for each scrape.", minimum=0
    )
    quota_seconds: float = _setting(60.0, "Most age of what the accounts have left.", minimum=0)


@dataclass(frozen=True, kw_only=True)
class HealthSettings:
    """Looking after what the server stands on."""

    interval_seconds: float = _setting(30.0, "Time between two looks of a check.", minimum=0.1)
    limit_seconds: float = _setting(10.0, "Longest look; a longer one is a failure.", minimum=0.1)
    backend_every_seconds: float = _setting(
        300.0, "Time without a call of Jules after which it is asked something cheap.", minimum=1
    )
    worsen_after: int = _setting(
        2, "Looks in a row after which a check is said to be worse.", minimum=1
    )
    recover_after: int = _setting(
        2, "Looks in a row after which a check is said to be better.", minimum=1
    )
    disk_low_mb: int = _setting(1024, "Room in MiB below which it is degraded.", minimum=0)
    disk_least_mb: int = _setting(100, "Room in MiB below which it is unhealthy.", minimum=0)
    clock_skew_seconds: float = _setting(
        5.0, "Difference from the database's clock above which it is degraded.", minimum=0
    )


@dataclass(frozen=True, kw_only=True)
class SecretsSettings:
    """Where secrets are read from that settings only refer to."""

    refresh_seconds: float = _setting(
        300.0, "Time after which a server reads them again; 0: only on SIGHUP.", minimum=0
    )
    timeout_seconds: float = _setting(10.0, "Longest wait for Vault or AWS.", minimum=0.1)
    vault_url: str = _setting("", "Address of HashiCorp Vault.", env="VAULT_ADDR")
    vault_token: str = _setting("", "Token of Vault.", env="VAULT_TOKEN", secret=True)
    vault_namespace: str = _setting("", "Namespace of Vault Enterprise.", env="VAULT_NAMESPACE")
    vault_mount: str = _setting("secret", "Where the key-value engine (version 2) is mounted.")
    aws_region: str = _setting(
        "", "Region of AWS Secrets Manager; empty: as boto3 finds it.", env="AWS_REGION"
    )
    aws_endpoint_url: str = _setting("", "Address instead of AWS' own.")


@dataclass(frozen=True, kw_only=True)
class TracingSettings:
    """Traces for OpenTelemetry. Needs the extra `otel`."""

    enabled: bool = _setting(default=False, doc="Record and send traces.")
    endpoint: str = _setting(
        "http://127.0.0.1:4318/v1/traces", "Where to, over OTLP/HTTP.",
        env="OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
    )  # fmt: skip
    headers: tuple[str, ...] = _setting((), "Headers sent along, each as NAME=VALUE.", secret=True)
    service_name: str = _setting("jjm", "Name of this service.", env="OTEL_SERVICE_NAME")
    sample_ratio: float = _setting(1.0, "Share of traces that are kept, 0 to 1.", minimum=0)


@dataclass(frozen=True, kw_only=True)
class AlertsSettings:
    """Alerts for those without Prometheus; they are told like news, at once."""

    failures_in_a_row: int = _setting(
        5, "Jobs that fail in a row before it is told; 0: never.", minimum=0
    )
    backend_away_minutes: float = _setting(
        15.0, "Time Jules is away before it is told; 0: never.", minimum=0
    )
    again_hours: float = _setting(
        6.0, "Time after which one that still holds is told again; 0: never.", minimum=0
    )


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


SECTIONS: dict[str, type[Any]] = {
    "jules": JulesSettings,
    "mcp_server": McpServerSettings,
    "simulator": SimulatorSettings,
    "storage": StorageSettings,
    "monitoring": MonitoringSettings,
    "queue": QueueSettings,
    "review": ReviewSettings,
    "github": GitHubSettings,
    "notify": NotifySettings,
    "access": AccessSettings,
    "rate_limits": RateLimitSettings,
    "server": ServerSettings,
    "client": ClientSettings,
    "log": LogSettings,
    "metrics": MetricsSettings,
    "health": HealthSettings,
    "secrets": SecretsSettings,
    "tracing": TracingSettings,
    "alerts": AlertsSettings,
    "redis": RedisSettings,
    "cache": CacheSettings,
    "live": LiveSettings,
    "webhooks": WebhookSettings,
}
