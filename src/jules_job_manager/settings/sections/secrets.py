"""Where secrets are read from."""

from __future__ import annotations

from dataclasses import dataclass

from jules_job_manager.settings.sections.field import setting


@dataclass(frozen=True, kw_only=True)
class SecretsSettings:
    """Where secrets are read from that settings only refer to."""

    refresh_seconds: float = setting(
        300.0, "Time after which a server reads them again; 0: only on SIGHUP.", minimum=0
    )
    timeout_seconds: float = setting(10.0, "Longest wait for Vault or AWS.", minimum=0.1)
    vault_url: str = setting("", "Address of HashiCorp Vault.", env="VAULT_ADDR")
    vault_token: str = setting("", "Token of Vault.", env="VAULT_TOKEN", secret=True)
    vault_namespace: str = setting("", "Namespace of Vault Enterprise.", env="VAULT_NAMESPACE")
    vault_mount: str = setting("secret", "Where the key-value engine (version 2) is mounted.")
    aws_region: str = setting(
        "", "Region of AWS Secrets Manager; empty: as boto3 finds it.", env="AWS_REGION"
    )
    aws_endpoint_url: str = setting("", "Address instead of AWS' own.")
