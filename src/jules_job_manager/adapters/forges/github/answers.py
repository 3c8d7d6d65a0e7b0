"""What GitHub's refusals mean, in words for people."""

from __future__ import annotations

from collections.abc import Sequence

from jules_job_manager.domain.masking import masked
from jules_job_manager.domain.text import shorten
from jules_job_manager.errors import ForgeError

_MESSAGE_CHARACTERS = 300
_HINTS = {
    401: "Give a token that is valid: github.token, GITHUB_TOKEN, or an App (github.app_id).",
    403: "The token or App needs write access to contents and pull requests of the repository, and "
    "read access to checks and commit statuses. A fine-grained personal token cannot read check runs.",
    404: "The name is wrong, or the token may not see the repository.",
    410: "This part of GitHub is switched off for the repository.",
}


def refusal(status: int, message: str, what: str, secrets: Sequence[str]) -> ForgeError:
    """Return the error for an answer of GitHub that is none of success.

    Args:
        status: HTTP status; it is in `context["status"]`.
        message: GitHub's own words; not trusted, cut and masked.
        what: What was asked for, as in "GitHub refused to …".
        secrets: Never in the text.
    """
    said = masked(shorten(message, _MESSAGE_CHARACTERS), secrets) or "no reason given"
    if 300 <= status < 400:
        return ForgeError(
            f"GitHub did not {what}: the repository has moved.",
            hint="Use its new name in the backlog and the configuration.",
            context={"status": status},
        )
    context = {"status": status, "unclear": status >= 500}
    return ForgeError(
        f"GitHub did not {what} ({status}): {said}", hint=_HINTS.get(status), context=context
    )


def limit_reached(seconds: float) -> ForgeError:
    """Return the error for a limit that lasts longer than anybody wants to wait."""
    return ForgeError(
        f"GitHub takes no more requests for {seconds:.0f} seconds: its rate limit is reached.",
        hint="It is tried again by itself; an App has a higher limit than a token.",
        context={"retry_after_seconds": seconds},
    )


def unreachable(what: str, exc: Exception) -> ForgeError:
    """Return the error for no answer; whether anything happened is unclear."""
    return ForgeError(
        f"GitHub could not be reached to {what}: {type(exc).__name__}",
        hint="Check the connection and github.api_url.",
        context={"unclear": True},
    )
