"""Secrets in HashiCorp Vault, in its key-value engine, version 2."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from jules_job_manager.adapters.api_address import checked_address
from jules_job_manager.domain.secret_reference import SecretReference
from jules_job_manager.errors import ConfigurationError, MissingExtraError


class VaultSecrets:
    """The SecretSource port on Vault. A path with several fields is read once.

    Source: developer.hashicorp.com/vault/api-docs/secret/kv/kv-v2, "Read secret version", and
    hvac.readthedocs.io, read 2026-11.
    """

    def __init__(
        self, *, url: str, token: str, mount: str, namespace: str, timeout_seconds: float
    ) -> None:
        """Read from the server at `url`.

        Raises:
            ConfigurationError: the address or the token is missing or wrong.
            MissingExtraError: the extra `vault` is not installed.
        """
        try:
            import hvac
        except ImportError as exc:
            raise MissingExtraError("HashiCorp Vault", "vault") from exc
        if not url or not token:
            missing = "secrets.vault_token" if url else "secrets.vault_url"
            raise ConfigurationError(
                f"Vault needs the setting {missing}.",
                hint="Set VAULT_ADDR and VAULT_TOKEN; the token may be kept in a file: file:/PATH",
            )
        address = checked_address(
            url, setting="secrets.vault_url", what="Vault", secret="token",  # noqa: S106 - a word
            hint="Write it as https://vault.example.org:8200",
        )  # fmt: skip
        self._mount = mount
        self._client = hvac.Client(
            url=address, token=token, namespace=namespace or None, timeout=math.ceil(timeout_seconds),
            allow_redirects=False,
        )  # fmt: skip
        self._read: dict[str, Mapping[str, Any]] = {}

    def read(self, reference: SecretReference) -> str:
        """Return one field of the secret at a path."""
        if reference.name not in self._read:
            self._read[reference.name] = self._fields(reference.name)
        fields = self._read[reference.name]
        value = fields.get(reference.field)
        if not isinstance(value, str) or not value:
            raise ConfigurationError(
                f"The secret {reference.name} of Vault has no text {reference.field}."
            )
        return value

    def _fields(self, path: str) -> Mapping[str, Any]:
        import hvac.exceptions
        import requests.exceptions

        try:
            answer = self._client.secrets.kv.v2.read_secret_version(
                path=path, mount_point=self._mount, raise_on_deleted_version=True
            )
            fields = answer["data"]["data"]
        except hvac.exceptions.InvalidPath as exc:
            raise ConfigurationError(
                f"Vault has no secret {path} under {self._mount}.",
                hint="secrets.vault_mount names a key-value engine of version 2.",
            ) from exc
        except (hvac.exceptions.Forbidden, hvac.exceptions.Unauthorized) as exc:
            raise ConfigurationError(
                f"Vault does not let this token read {path}.",
                hint="It has ended, or its policy does not allow it.",
            ) from exc
        except (hvac.exceptions.VaultError, requests.exceptions.RequestException) as exc:
            raise ConfigurationError(f"Vault does not answer ({type(exc).__name__}).") from exc
        except (KeyError, TypeError, ValueError):
            raise ConfigurationError("The answer of Vault was not understood.") from None
        return fields if isinstance(fields, Mapping) else {}
