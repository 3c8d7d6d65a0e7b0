"""Secrets in AWS Secrets Manager."""

from __future__ import annotations

import json

from jules_job_manager.domain.secret_reference import SecretReference
from jules_job_manager.errors import ConfigurationError, MissingExtraError

_REFUSED = {"AccessDeniedException", "UnrecognizedClientException", "InvalidSignatureException",
            "ExpiredTokenException", "DecryptionFailure"}  # fmt: skip


class AwsSecrets:
    """The SecretSource port on AWS. Who we are is found by boto3: variables, files, roles.

    Source: docs.aws.amazon.com/secretsmanager/latest/apireference, GetSecretValue, and
    boto3.amazonaws.com (client `secretsmanager`), read 2026-11.
    """

    def __init__(self, *, region: str, endpoint_url: str, timeout_seconds: float) -> None:
        """Read from a region; an empty one is found as boto3 finds it.

        Raises:
            ConfigurationError: no region is known, or the address is wrong.
            MissingExtraError: the extra `aws` is not installed.
        """
        try:
            import boto3
            import botocore.exceptions
            from botocore.config import Config
        except ImportError as exc:
            raise MissingExtraError("AWS Secrets Manager", "aws") from exc
        wait = Config(
            connect_timeout=timeout_seconds, read_timeout=timeout_seconds,
            retries={"total_max_attempts": 2},
        )  # fmt: skip
        try:
            self._client = boto3.session.Session().client(
                "secretsmanager", region_name=region or None, endpoint_url=endpoint_url or None,
                config=wait,
            )  # fmt: skip
        except (botocore.exceptions.BotoCoreError, ValueError) as exc:
            raise ConfigurationError(
                f"AWS Secrets Manager cannot be used ({type(exc).__name__}).",
                hint="Set AWS_REGION, or secrets.aws_region.",
            ) from exc
        self._read: dict[str, str] = {}

    def read(self, reference: SecretReference) -> str:
        """Return a secret, or one member of one that is a JSON object."""
        if reference.name not in self._read:
            self._read[reference.name] = self._text(reference.name)
        text = self._read[reference.name]
        if not reference.field:
            return text
        try:
            value = json.loads(text).get(reference.field)
        except (ValueError, AttributeError):  # the text of the error could show the secret
            raise ConfigurationError(f"The secret {reference.name} is no JSON object.") from None
        if not isinstance(value, str) or not value:
            raise ConfigurationError(f"The secret {reference.name} has no text {reference.field}.")
        return value

    def _text(self, name: str) -> str:
        import botocore.exceptions

        try:
            answer = self._client.get_secret_value(SecretId=name)
        except botocore.exceptions.ClientError as exc:
            code = str(exc.response.get("Error", {}).get("Code", ""))
            if code == "ResourceNotFoundException":
                raise ConfigurationError(f"AWS has no secret {name}.") from exc
            if code in _REFUSED:
                raise ConfigurationError(
                    f"AWS does not let us read {name} ({code}).",
                    hint="It needs the right secretsmanager:GetSecretValue.",
                ) from exc
            raise ConfigurationError(f"AWS did not give the secret {name} ({code}).") from exc
        except botocore.exceptions.NoCredentialsError as exc:
            raise ConfigurationError(
                "There are no credentials for AWS.",
                hint="Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or use a role.",
            ) from exc
        except botocore.exceptions.BotoCoreError as exc:
            raise ConfigurationError(f"AWS does not answer ({type(exc).__name__}).") from exc
        text = answer.get("SecretString")
        if not isinstance(text, str) or not text:
            raise ConfigurationError(f"The secret {name} is no text.")
        return text
