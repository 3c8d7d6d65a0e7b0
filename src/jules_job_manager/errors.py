"""Every error this package raises on purpose.

::

    JulesManagerError
    ├── InvalidInputError              what the user typed or passed cannot be used
    │   ├── JobNotFoundError           no such job in the queue
    │   ├── WebhookNotFoundError       no such webhook, or delivery of one
    │   └── RecordNotFoundError        no such attempt, delivery, review, event or person
    ├── ConfigurationError             a setting is missing or wrong
    │   └── MissingExtraError          a feature needs an extra that is not installed
    ├── AuthenticationError            Jules refused the credentials
    ├── BackendConnectionError         Jules could not be reached (transient)
    │   ├── MCPConnectionError         … over the MCP server process
    │   └── CircuitOpenError           it failed often; left alone for a moment
    ├── TaskNotFoundError              no such task
    ├── OperationFailedError           Jules was reached and did not do it
    │   ├── QuotaExceededError         the account has no task left in its window (transient)
    │   ├── PreconditionFailedError    Jules refused without a reason: busy or unknown (transient)
    │   ├── UnclearOutcomeError        no clear answer: it may have happened; look before repeating
    │   ├── UnsupportedOperationError  this backend has no such operation
    │   ├── PlanChangedError           the plan to approve is not the plan that was shown
    │   └── ChangedMeanwhileError      what is to be changed is not what was read
    ├── StoreError                     the store refused or failed
    │   ├── StoreUnavailableError      the database cannot be reached (transient)
    │   ├── DamagedStoreError          what is stored cannot be read
    │   ├── LeaseLostError             another program has taken over; this one must stop
    │   └── NotRecordedError           it happened at Jules, but the store could not keep it
    ├── BacklogError                   a backlog document cannot be used
    ├── NotificationError              a message did not reach everybody (transient)
    ├── ForgeError                     git did not do what was asked
    ├── SignInRequiredError            no valid key, session or link came with the request
    ├── AccessDeniedError              who asks is known, and may not do this
    ├── AccessKeyNotFoundError         no such API key, or person with sessions
    ├── RateLimitedError               too many requests in a short time (transient)
    ├── TooManyStreamsError            nobody else can follow events just now (transient)
    ├── ConflictError                  the request does not fit what is there
    │   ├── RequestInProgressError     the same request is being worked on (transient)
    │   ├── RequestMismatchError       its idempotency key belongs to another request
    │   └── AlreadyIssuedError         it was done, and the secret was in its first answer alone
    ├── ServiceUnreachableError        the service that commands talk to gave no answer
    └── ServiceTooOldError             the service does not know what it was asked for

A class docstring is the default message. Errors carry fields (`code`, `context`,
`hint`) and never an exit code or an HTTP status: each face maps them in one file.
"""

from __future__ import annotations

from typing import Any, ClassVar


class JulesManagerError(Exception):
    """Something went wrong in Jules Job Manager."""

    code: ClassVar[str] = "JJM000"
    """Stable identifier, listed in docs/reference/errors.md."""

    is_transient: ClassVar[bool] = False
    """Whether the same call may succeed later without anything being changed."""

    outside: str = ""
    """What is told in place of a message that names where the store is."""

    def __init__(
        self,
        message: str | None = None,
        *,
        hint: str | None = None,
        context: dict[str, Any] | None = None,
    ) -> None:
        """Build an error.

        Args:
            message: One sentence for a person; the class docstring's first line when None.
            hint: What to do next, one sentence, or None.
            context: Facts for logs (`task_id`, `operation` …). Never secrets.
        """
        self.message = message or (type(self).__doc__ or "").strip().splitlines()[0]
        self.hint = hint
        self.context = dict(context or {})
        super().__init__(self.message)

    @property
    def for_clients(self) -> str:
        """What clients of a service are told: the message, without where things of the service are."""
        return self.outside or self.message

    def __str__(self) -> str:
        return self.message

    def __repr__(self) -> str:
        parts = [repr(self.message), f"code={self.code!r}"]
        if self.hint is not None:
            parts.append(f"hint={self.hint!r}")
        if self.context:
            parts.append(f"context={self.context!r}")
        return f"{type(self).__name__}({', '.join(parts)})"

    def to_dict(self) -> dict[str, Any]:
        """Return `code`, `message`, `hint` and `context` for logs and JSON output."""
        return {
            "code": self.code,
            "message": self.message,
            "hint": self.hint,
            "context": self.context,
        }


class InvalidInputError(JulesManagerError):
    """The input cannot be used."""

    code = "JJM010"


class JobNotFoundError(InvalidInputError):
    """The queue has no such job."""

    code = "JJM011"


class WebhookNotFoundError(InvalidInputError):
    """There is no such webhook."""

    code = "JJM013"


class RecordNotFoundError(InvalidInputError):
    """There is no such attempt, delivery, review, event or person."""

    code = "JJM015"


class ConfigurationError(JulesManagerError):
    """The configuration is missing something or has a wrong value."""

    code = "JJM020"


class MissingExtraError(ConfigurationError):
    """A feature needs an optional part that is not installed."""

    code = "JJM021"

    def __init__(self, feature: str, extra: str) -> None:
        """Name the `feature` (as users know it) and the `extra` that brings it."""
        super().__init__(
            f"{feature} needs the optional part '{extra}', which is not installed.",
            hint=f"Install it with: pip install 'jules-job-manager[{extra}]'",
            context={"extra": extra},
        )


class AuthenticationError(JulesManagerError):
    """Jules refused the credentials."""

    code = "JJM030"


class BackendConnectionError(JulesManagerError):
    """Jules could not be reached."""

    code = "JJM040"
    is_transient = True


class MCPConnectionError(BackendConnectionError):
    """The MCP server could not be reached."""

    code = "JJM041"


class CircuitOpenError(BackendConnectionError):
    """Jules failed several times in a row and is left alone for a moment."""

    code = "JJM042"


class TaskNotFoundError(JulesManagerError):
    """There is no such task."""

    code = "JJM050"


class OperationFailedError(JulesManagerError):
    """Jules did not carry out the operation."""

    code = "JJM060"


class QuotaExceededError(OperationFailedError):
    """Jules' quota is used up for now."""

    code = "JJM061"
    is_transient = True

    def __init__(
        self,
        message: str | None = None,
        *,
        retry_after_seconds: float | None = None,
        hint: str | None = None,
        context: dict[str, Any] | None = None,
    ) -> None:
        """Build it; `retry_after_seconds` (>= 0) is what the server asked for, if it did."""
        super().__init__(message, hint=hint, context=context)
        self.retry_after_seconds = retry_after_seconds


class PreconditionFailedError(OperationFailedError):
    """Jules refused without naming a reason; it may be busy."""

    code = "JJM062"
    is_transient = True


class UnclearOutcomeError(OperationFailedError):
    """There was no clear answer; the operation may have happened."""

    code = "JJM063"


class UnsupportedOperationError(OperationFailedError):
    """This way of reaching Jules has no such operation."""

    code = "JJM064"


class PlanChangedError(OperationFailedError):
    """The plan changed since it was shown."""

    code = "JJM065"


class ChangedMeanwhileError(OperationFailedError):
    """It changed since it was read."""

    code = "JJM066"


class StoreError(JulesManagerError):
    """The store did not do what was asked."""

    code = "JJM070"


class StoreUnavailableError(StoreError):
    """The database cannot be reached."""

    code = "JJM071"
    is_transient = True


class DamagedStoreError(StoreError):
    """What is stored cannot be read."""

    code = "JJM072"


class NotRecordedError(StoreError):
    """It happened at Jules, but it could not be kept in the store."""

    code = "JJM073"


class LeaseLostError(StoreError):
    """Another program has taken over; this one wrote nothing and must stop."""

    code = "JJM074"
    is_transient = True


class BacklogError(JulesManagerError):
    """The backlog document cannot be used."""

    code = "JJM080"


class ForgeError(JulesManagerError):
    """Git did not do what was asked."""

    code = "JJM090"


class NotificationError(JulesManagerError):
    """A message was not taken by every place it was sent to."""

    code = "JJM100"
    is_transient = True


class SignInRequiredError(JulesManagerError):
    """There is no valid key or session; sign in first."""

    code = "JJM110"


class AccessDeniedError(JulesManagerError):
    """This is not allowed to you."""

    code = "JJM111"


class AccessKeyNotFoundError(JulesManagerError):
    """There is no such key."""

    code = "JJM112"


class RateLimitedError(JulesManagerError):
    """There were too many requests in a short time."""

    code = "JJM113"
    is_transient = True

    def __init__(
        self,
        message: str | None = None,
        *,
        retry_after_seconds: float,
        hint: str | None = None,
        context: dict[str, Any] | None = None,
    ) -> None:
        """Build it; `retry_after_seconds` (>= 0) is when the next request may come."""
        super().__init__(message, hint=hint, context=context)
        self.retry_after_seconds = retry_after_seconds


class TooManyStreamsError(JulesManagerError):
    """There is no room for another live stream."""

    code = "JJM114"
    is_transient = True


class ConflictError(JulesManagerError):
    """The request does not fit what is there."""

    code = "JJM120"


class RequestInProgressError(ConflictError):
    """The same request is being worked on."""

    code = "JJM121"
    is_transient = True


class RequestMismatchError(ConflictError):
    """The idempotency key was used with another request."""

    code = "JJM122"


class AlreadyIssuedError(ConflictError):
    """It was done before, and its secret is shown only once."""

    code = "JJM123"

    def __init__(
        self,
        message: str | None = None,
        *,
        made: str = "",
        hint: str | None = None,
        context: dict[str, Any] | None = None,
    ) -> None:
        """Build it; `made` is the id of what has the secret, or empty when it has none."""
        super().__init__(message, hint=hint, context=context)
        self.made = made


class ServiceUnreachableError(JulesManagerError):
    """The service of jjm cannot be reached."""

    code = "JJM130"
    is_transient = True


class ServiceTooOldError(JulesManagerError):
    """The service does not know what it was asked for; it may be older."""

    code = "JJM131"
