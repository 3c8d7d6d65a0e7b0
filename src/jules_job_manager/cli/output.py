"""How commands print: tables, JSON fields, progress. Data goes to stdout, all else to stderr."""

from __future__ import annotations

from jules_job_manager.domain.text import safe_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Mapping, Sequence
    from contextlib import AbstractContextManager
    from datetime import datetime
    from typing import Any

    from rich.console import Console

    from jules_job_manager.cli.context import Context

STATUS_STYLES = {
    "completed": "green",
    "done": "green",
    "in_progress": "yellow",
    "running": "yellow",
    "starting": "yellow",
    "reviewing": "yellow",
    "merging": "yellow",
    "pending": "blue",
    "ready": "blue",
    "paused": "red",
    "failed": "bold red",
    "waiting_approval": "magenta",
    "waiting_feedback": "magenta",
    "needs_you": "bold magenta",
    "blocked": "dim",
    "draft": "dim",
    "cancelled": "dim",
    "unknown": "dim",
}


_NEVER_CUT = {"ID", "STATUS", "SETTING", "UPDATED", "FROM"}
"""Columns whose texts are ours and short: what others wrote gives way to them."""
_NEVER_LOST = {"KEY", "VALUE", "WHY"}
"""Columns that a person copies from: they go on in the next line rather than being cut."""


def add_json_options(parser: ArgumentParser, fields: Sequence[str]) -> None:
    """Add `--json [FIELDS]` and `--jq EXPR`; a bare `--json` lists the fields."""
    parser.add_argument(
        "--json", metavar="FIELDS", nargs="?", const="",
        help=f"print JSON with these fields, separated by commas: {','.join(fields)}",
    )  # fmt: skip
    parser.add_argument("--jq", metavar="EXPR", help="filter the JSON with a jq expression")


def json_fields(args: Namespace, fields: Sequence[str]) -> tuple[str, ...] | None:
    """Return the fields asked for, or None when JSON was not asked for.

    Raises:
        InvalidInputError: a field is unknown, or none was named.
    """
    if args.json is None:
        return tuple(fields) if args.jq else None
    wanted = tuple(name.strip() for name in args.json.split(",") if name.strip())
    unknown = [name for name in wanted if name not in fields]
    if not wanted or unknown:
        from jules_job_manager.errors import InvalidInputError

        wrong = (
            f"Unknown JSON field {unknown[0]!r}." if unknown else "Name the JSON fields to print."
        )
        raise InvalidInputError(wrong, hint=f"Fields: {', '.join(fields)}")
    return wanted


def print_json(context: Context, value: Any, jq: str | None = None) -> None:
    """Print `value` as one JSON document, or each result of the jq expression on a line.

    Raises:
        InvalidInputError: the jq expression is wrong.
    """
    import json

    if jq is None:
        context.write(json.dumps(value, indent=2 if context.is_terminal else None))
        return
    import jq as jq_library

    from jules_job_manager.errors import InvalidInputError

    try:
        results = jq_library.compile(jq).input_value(value).all()
    except ValueError as exc:
        raise InvalidInputError(f"The jq expression cannot be used: {exc}") from exc
    for result in results:
        context.write(
            safe_text(result, multiline=True) if isinstance(result, str) else json.dumps(result)
        )


def pick(data: Mapping[str, Any], fields: Sequence[str]) -> dict[str, Any]:
    """Return the members named by `fields`, in that order."""
    return {name: data[name] for name in fields}


def console(context: Context, *, stderr: bool = False) -> Console:
    """Return a rich console on stdout (or stderr) that never reads markup or emoji codes."""
    from rich.console import Console

    return Console(
        file=context.stderr if stderr else context.stdout, markup=False, emoji=False, highlight=False,
        no_color=bool(context.environ.get("NO_COLOR")) or None,
    )  # fmt: skip


def print_table(
    context: Context,
    headers: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    status_column: int | None = None,
) -> None:
    """Print rows: a coloured table on a terminal, lines separated by tabs otherwise."""
    if not context.is_terminal:
        for row in rows:
            context.write("\t".join(safe_text(cell) for cell in row))
        return
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for header in headers:
        table.add_column(
            header,
            overflow="fold" if header in _NEVER_LOST else "ellipsis",
            no_wrap=header in _NEVER_CUT,
        )
    for row in rows:
        cells = [
            Text(safe_text(cell), no_wrap=header not in _NEVER_LOST)
            for header, cell in zip(headers, row, strict=True)
        ]
        if status_column is not None:
            cells[status_column].stylize(STATUS_STYLES.get(row[status_column], ""))
        table.add_row(*cells)
    console(context).print(table)


def local_time(moment: datetime | None) -> str:
    """Return `YYYY-MM-DD HH:MM` in the machine's time zone, or `-`."""
    from jules_job_manager.domain.clockwork import in_zone

    return "-" if moment is None else in_zone(moment, None).strftime("%Y-%m-%d %H:%M")


def local_time_of(text: str | None) -> str:
    """Like `local_time`, for a time as `to_dict` writes it."""
    from datetime import datetime

    return local_time(datetime.fromisoformat(text) if text else None)


def age(seconds: float) -> str:
    """Return a length of time for people: `45 s`, `12 min`, `3 h`, `2 days`."""
    if seconds < 120:
        return f"{max(0, int(seconds))} s"
    if seconds < 7200:
        return f"{int(seconds // 60)} min"
    if seconds < 172800:
        return f"{int(seconds // 3600)} h"
    return f"{int(seconds // 86400)} days"


def progress(context: Context, text: str) -> AbstractContextManager[object]:
    """Show a spinner with `text` on stderr while the block runs; nothing when it is no terminal."""
    if not context.stderr.isatty():
        from contextlib import nullcontext

        return nullcontext()
    return console(context, stderr=True).status(safe_text(text))
