"""Secrets in the keyring of the desktop: Secret Service, KWallet, macOS Keychain and others."""

from __future__ import annotations

from typing import Any

from jules_job_manager.domain.secret_reference import SecretReference
from jules_job_manager.errors import ConfigurationError, MissingExtraError


class KeyringSecrets:
    """The SecretSource port on the library keyring.

    Source: keyring.readthedocs.io (get_password, set_password, errors), read 2026-11.
    """

    def read(self, reference: SecretReference) -> str:
        """Return the password of `SERVICE/NAME`."""
        keyring = _keyring()
        service, _, name = reference.name.partition("/")
        try:
            found = keyring.get_password(service, name)
        except keyring.errors.KeyringError as exc:
            raise _refused(exc) from exc
        if not found:
            raise ConfigurationError(
                f"The keyring has no {service}/{name}.",
                hint=f"Run: jjm secret set {service}/{name}",
            )
        return str(found)

    def write(self, reference: SecretReference, secret: str) -> None:
        """Keep a secret under `SERVICE/NAME`, in the place of one that is there.

        Raises:
            ConfigurationError: there is no keyring, or it is locked.
            MissingExtraError: the extra `keyring` is not installed.
        """
        keyring = _keyring()
        service, _, name = reference.name.partition("/")
        try:
            keyring.set_password(service, name, secret)
            kept = keyring.get_password(service, name) == secret
        except keyring.errors.KeyringError as exc:
            raise _refused(exc) from exc
        if not kept:  # the null keyring takes everything and keeps nothing
            raise _refused()


def _keyring() -> Any:
    try:
        import keyring
        import keyring.errors
    except ImportError as exc:
        raise MissingExtraError("The keyring", "keyring") from exc
    return keyring


def _refused(exc: Exception | None = None) -> ConfigurationError:
    kind = "keeps nothing" if exc is None else f"cannot be used ({type(exc).__name__})"
    return ConfigurationError(
        f"The keyring of this machine {kind}.",
        hint="Unlock it, or keep the secret in a file that only you can read: file:/PATH",
    )
