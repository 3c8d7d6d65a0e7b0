"""Reading the repositories that a pretend Jules works on."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


def world_repositories(texts: Sequence[str]) -> dict[str, str]:
    """Return `owner/name` to git URL or absolute path, from texts such as OWNER/NAME=PATH.

    Raises:
        InvalidInputError: one of them is written otherwise.
    """
    from pathlib import Path

    from jules_job_manager.domain.references import repository_from
    from jules_job_manager.errors import InvalidInputError

    repositories: dict[str, str] = {}
    for text in texts:
        name, equals, path = text.partition("=")
        if not equals or not path:
            raise InvalidInputError(f"--repo {text!r} must be written as OWNER/NAME=PATH.")
        repositories[repository_from(name)] = path if "://" in path else str(Path(path).resolve())
    return repositories
