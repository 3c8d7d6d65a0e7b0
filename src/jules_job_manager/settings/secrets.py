"""Reads the secrets that settings refer to. Loaded only when one of them does."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from jules_job_manager.domain.masking import KnownSecrets
from jules_job_manager.domain.secret_reference import (
    SecretReference,
    is_reference,
    reference_from,
)
from jules_job_manager.errors import ConfigurationError
from jules_job_manager.settings.model import SECTIONS, Settings

if TYPE_CHECKING:
    from jules_job_manager.ports.secret_source import SecretSource

_ADDRESSES = frozenset({"storage.database_url", "redis.url", "rate_limits.storage"})
"""Secret for the password that they may have."""
TOKEN = "secrets.vault_token"  # noqa: S105 - the name of a setting


@dataclass(frozen=True, kw_only=True)
class SecretState:
    """How one reference fares: its secret is there, or why it is not. Never the secret."""

    setting: str
    reference: str
    """Empty when it is not written like one."""
    error: str = ""
    hint: str = ""


class Sources:
    """The places where secrets are kept, each made when first needed."""

    def __init__(self, settings: Settings, environ: Mapping[str, str]) -> None:
        """Use the places that `[secrets]` describes; variables are read from `environ`."""
        self._settings = settings
        self._environ = environ
        self._made: dict[str, SecretSource] = {}

    def read(self, reference: SecretReference) -> str:
        """Return the secret.

        Raises:
            ConfigurationError: it is not there, or its place cannot be reached.
        """
        if reference.scheme not in self._made:
            self._made[reference.scheme] = self._make(reference.scheme)
        return self._made[reference.scheme].read(reference)

    def _make(self, scheme: str) -> SecretSource:
        chosen = self._settings.secrets
        if scheme == "env":
            from jules_job_manager.adapters.secrets.environment import EnvironmentSecrets

            return EnvironmentSecrets(self._environ)
        if scheme == "file":
            from jules_job_manager.adapters.secrets.files import FileSecrets

            return FileSecrets()
        if scheme == "keyring":
            from jules_job_manager.adapters.secrets.keyring import KeyringSecrets

            return KeyringSecrets()
        if scheme == "vault":
            from jules_job_manager.adapters.secrets.vault import VaultSecrets

            return VaultSecrets(
                url=chosen.vault_url, token=chosen.vault_token, mount=chosen.vault_mount,
                namespace=chosen.vault_namespace, timeout_seconds=chosen.timeout_seconds,
            )  # fmt: skip
        from jules_job_manager.adapters.secrets.aws import AwsSecrets

        return AwsSecrets(
            region=chosen.aws_region, endpoint_url=chosen.aws_endpoint_url,
            timeout_seconds=chosen.timeout_seconds,
        )  # fmt: skip


def resolved(settings: Settings, environ: Mapping[str, str]) -> Settings:
    """Return the settings with every reference replaced by its secret.

    Raises:
        ConfigurationError: a secret is not there; the sentence names the setting and the place.
    """
    settings = _with_token(settings, environ)
    sources = Sources(settings, environ)
    changed: dict[str, dict[str, object]] = {}
    accounts = dict(settings.accounts)
    origins = dict(settings.sources)
    for name, value in _referring(settings):
        secret = (
            tuple(_secret(name, item, sources) for item in value)
            if isinstance(value, tuple)
            else _secret(name, value, sources)
        )
        section, _, key = name.partition(".")
        shown = value if isinstance(value, str) else ", ".join(filter(is_reference, value))
        if section == "accounts":
            account = key.removesuffix(".api_key")
            accounts[account] = replace(accounts[account], api_key=str(secret))
        else:
            changed.setdefault(section, {})[key] = secret
            origins[name] = f"{shown} ({origins.get(name, 'default')})"
    sections = {
        section: replace(getattr(settings, section), **members)
        for section, members in changed.items()
    }
    return replace(settings, accounts=accounts, sources=origins, **sections)


def check(settings: Settings, environ: Mapping[str, str]) -> list[SecretState]:
    """Return how every reference fares; nothing is raised, and no secret is kept."""
    found: list[SecretState] = []
    try:
        with_token = _with_token(settings, environ)
    except ConfigurationError:
        with_token = settings  # told below, for the setting itself
    sources = Sources(with_token, environ)
    kept = [
        (f"servers.{address}.api_key", server.api_key)
        for address, server in settings.servers.items()
        if is_reference(server.api_key)
    ]
    for name, value in [*_referring(settings), *kept]:
        for item in value if isinstance(value, tuple) else (value,):
            if is_reference(item):
                found.append(_state(name, item, sources))
    return found


def secret_values(settings: Settings) -> dict[str, tuple[str, ...]]:
    """Return every secret in force, by the name of its setting; empty ones are left out."""
    found = {name: _as_tuple(value) for name, value in _secret_settings(settings)}
    return {name: values for name, values in found.items() if any(values)}


def known_secrets(settings: Settings) -> KnownSecrets:
    """Return every secret of the settings, for masking."""
    return KnownSecrets(masked_texts(settings))


def masked_texts(settings: Settings) -> Iterator[str]:
    """Yield what must not be shown: every secret, but no address that has no secret in it.

    Where the database is must be readable when it cannot be reached.
    """
    for name, texts in secret_values(settings).items():
        for text in texts:
            if name not in _ADDRESSES or not _is_plain_address(text):
                yield text


def _is_plain_address(text: str) -> bool:
    """Return whether an address has a host, and no place where a secret could be."""
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    if not parts.hostname or parts.query or parts.fragment:
        return False
    return "@" not in parts.netloc or (
        parts.scheme.startswith("postgres") and parts.password is None  # a user alone
    )


def changed_secrets(before: Settings, after: Settings) -> frozenset[str]:
    """Return the names of the settings whose secrets differ."""
    old, new = secret_values(before), secret_values(after)
    return frozenset(name for name in old.keys() | new.keys() if old.get(name) != new.get(name))


def _state(name: str, value: str, sources: Sources) -> SecretState:
    try:
        reference = str(reference_from(value))
    except ValueError as exc:
        return SecretState(setting=name, reference="", error=_malformed(exc))
    try:
        _secret(name, value, sources)
    except ConfigurationError as exc:
        return SecretState(
            setting=name, reference=reference, error=_plain(exc), hint=exc.hint or ""
        )
    return SecretState(setting=name, reference=reference)


def _secret(name: str, value: str, sources: Sources) -> str:
    if not is_reference(value):
        return value
    try:
        reference = reference_from(value)
    except ValueError as exc:
        raise ConfigurationError(f"{name}: {_malformed(exc)}", context={"setting": name}) from None
    if name == TOKEN and reference.scheme in {"vault", "aws"}:
        raise ConfigurationError(f"{name} cannot be kept in {reference.scheme} itself.")
    try:
        return sources.read(reference)
    except ConfigurationError as exc:
        said = {"setting": name, "why": exc.message}
        raise ConfigurationError(
            f"{name} is kept in {reference}: {exc.message}", hint=exc.hint, context=said
        ) from exc


def _plain(exc: ConfigurationError) -> str:
    return str(exc.context.get("why") or exc.message)


def _malformed(exc: ValueError) -> str:
    return f"It begins like a reference to a secret, but is none: {exc}."


def _with_token(settings: Settings, environ: Mapping[str, str]) -> Settings:
    """Return the settings with the token of Vault itself: other secrets need it."""
    token = settings.secrets.vault_token
    if not is_reference(token):
        return settings
    secret = _secret(TOKEN, token, Sources(settings, environ))
    origin = f"{token} ({settings.sources.get(TOKEN, 'default')})"
    return replace(
        settings,
        secrets=replace(settings.secrets, vault_token=secret),
        sources={**settings.sources, TOKEN: origin},
    )


def _referring(settings: Settings) -> Iterator[tuple[str, str | tuple[str, ...]]]:
    for name, value in _secret_settings(settings):
        if any(is_reference(item) for item in _as_tuple(value)):
            yield name, value


def _secret_settings(settings: Settings) -> Iterator[tuple[str, str | tuple[str, ...]]]:
    for section, cls in SECTIONS.items():
        for field in dataclasses.fields(cls):
            if field.metadata["secret"]:
                yield f"{section}.{field.name}", getattr(getattr(settings, section), field.name)
    for name, account in settings.accounts.items():
        yield f"accounts.{name}.api_key", account.api_key
    for address, server in settings.servers.items():
        if not is_reference(server.api_key):  # one is read only when its service is used
            yield f"servers.{address}.api_key", server.api_key


def _as_tuple(value: str | tuple[str, ...]) -> tuple[str, ...]:
    return value if isinstance(value, tuple) else (value,)
