"""A place where secrets are kept."""

from __future__ import annotations

from typing import Protocol

from jules_job_manager.domain.secret_reference import SecretReference


class SecretSource(Protocol):
    """Reads secrets of one scheme. An error says what is missing and never shows a secret."""

    def read(self, reference: SecretReference) -> str:
        """Return the secret; may take as long as its time limit.

        Raises:
            ConfigurationError: it is not there, or the place cannot be reached.
            MissingExtraError: the place needs an extra that is not installed.
        """
        ...
