"""One setting of a section."""

from __future__ import annotations

from dataclasses import field
from typing import Any


def setting(
    default: Any,
    doc: str,
    *,
    env: str | None = None,
    choices: tuple[str, ...] = (),
    secret: bool = False,
    minimum: float | None = None,
) -> Any:
    """Return a dataclass field with what files, variables and the reference need to know of it.

    Args:
        default: its value when nothing sets it.
        doc: its meaning, one sentence for the reference.
        env: a variable that sets it besides `JJM_<SECTION>_<NAME>`.
        choices: all values it may have; none: any of its type.
        secret: never shown, and masked wherever texts are.
        minimum: least value, for numbers.
    """
    metadata = {"help": doc, "env": env, "choices": choices, "secret": secret, "minimum": minimum}
    return field(default=default, metadata=metadata)
