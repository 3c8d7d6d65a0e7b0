"""Secrets in variables of the environment."""

from __future__ import annotations

from collections.abc import Mapping

from jules_job_manager.domain.secret_reference import SecretReference
from jules_job_manager.errors import ConfigurationError


class EnvironmentSecrets:
    """The SecretSource port on an environment."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        """Read from `environ`."""
        self._environ = environ

    def read(self, reference: SecretReference) -> str:
        """Return the value of the variable."""
        value = self._environ.get(reference.name)
        if not value:
            raise ConfigurationError(f"The variable {reference.name} is not set.")
        return value
