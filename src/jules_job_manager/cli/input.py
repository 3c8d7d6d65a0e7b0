"""Reading texts from an option, a file or stdin, and asking a person."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from jules_job_manager.cli.context import Context

MAX_TEXT_BYTES = 1_000_000


def read_text(context: Context, text: str | None, file: str | None = None) -> str:
    """Return `text`, or stdin for `-`, or the content of `file`.

    Raises:
        InvalidInputError: the file cannot be read, is not UTF-8, or is over 1 MB.
    """
    from pathlib import Path

    from jules_job_manager.errors import InvalidInputError

    if file is None and text != "-":
        return text or ""
    try:
        if file is None or file == "-":
            content = context.stdin.read(MAX_TEXT_BYTES + 1)
        else:
            with Path(file).open(encoding="utf-8") as stream:
                content = stream.read(MAX_TEXT_BYTES + 1)
        content.encode()  # in some locales stdin hands wrong bytes on as lone surrogates
    except (OSError, UnicodeError) as exc:
        reason = "it is not UTF-8 text" if isinstance(exc, UnicodeError) else exc.strerror
        raise InvalidInputError(f"{file or 'stdin'} cannot be read: {reason}.") from exc
    if len(content) > MAX_TEXT_BYTES:
        raise InvalidInputError(f"{file or 'stdin'} is longer than {MAX_TEXT_BYTES} characters.")
    return content


def confirm(context: Context, question: str) -> bool:
    """Ask a yes-or-no question on stderr; no when there is nobody to ask."""
    from jules_job_manager.domain.text import safe_text

    if not context.is_interactive:
        return False
    context.stderr.write(f"{safe_text(question)} [y/N] ")
    context.stderr.flush()
    return context.stdin.readline().strip().lower() in {"y", "yes"}
