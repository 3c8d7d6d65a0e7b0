"""Show how many tasks each account has left, and when the next may start.

Jules tells neither count. They are worked out from every task it lists, made here or elsewhere,
from tasks that are about to be created, and from refusals. Each limit says how it is known:
stated by you, observed, or assumed.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Mapping
    from datetime import datetime
    from typing import Any

    from jules_job_manager.cli.context import Context
    from jules_job_manager.domain.quota import AccountUse

FIELDS = (
    "account", "plan", "provenance", "used", "per_day", "at_work", "at_once", "next_slot",
    "refused_until", "slots",
)  # fmt: skip
HOURS = 24
BARS = " ▁▂▃▄▅▆▇█"


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the options."""
    from jules_job_manager.cli.output import add_json_options

    parser.add_argument(
        "--cached", action="store_true", help="do not ask Jules; use what is stored"
    )
    add_json_options(parser, FIELDS)


def run(args: Namespace, context: Context) -> int:
    """Print the use of every account."""
    from datetime import UTC, datetime

    from jules_job_manager.cli import output

    fields = output.json_fields(args, FIELDS)
    uses = context.run(lambda app: app.quota(asks=not args.cached))
    now = datetime.now(UTC)
    told = [use.to_dict(now) for use in uses.values()]
    if fields is not None:
        output.print_json(context, [output.pick(row, fields) for row in told], args.jq)
        return 0
    rows = [_row(row) for row in told]
    output.print_table(context, ("ACCOUNT", "PLAN", "LAST 24 H", "AT WORK", "NEXT SLOT"), rows)
    if context.is_terminal:
        for use in uses.values():
            _draw(context, use, now)
    return 0


def _row(told: Mapping[str, Any]) -> tuple[str, ...]:
    from jules_job_manager.cli.output import local_time_of

    plan = told["plan"] or ("no limit known" if told["per_day"] is None else "own numbers")
    slot = local_time_of(told["next_slot"]) if told["next_slot"] else "now"
    if told["at_once"] is not None and told["at_work"] >= told["at_once"]:
        slot = "when a task ends" if slot == "now" else f"{slot}, when a task ends"
    return (
        told["account"], f"{plan} ({told['provenance']})", _of(told["used"], told["per_day"]),
        _of(told["at_work"], told["at_once"]), slot,
    )  # fmt: skip


def _of(count: int, limit: int | None) -> str:
    return str(count) if limit is None else f"{count} of {limit}"


def _draw(context: Context, use: AccountUse, now: datetime) -> None:
    """Draw when the tasks of the last 24 hours were created, an hour a column."""
    from datetime import timedelta

    from jules_job_manager.domain.text import safe_text

    counts = [0] * HOURS
    for at in use.starts:
        ago = int((now - at) / timedelta(hours=1))
        if 0 <= ago < HOURS:
            counts[HOURS - 1 - ago] += 1
    most = max(counts)
    if most:
        bars = "".join(BARS[-(-count * (len(BARS) - 1) // most)] for count in counts)
        context.write(f"\n{safe_text(use.name)}: tasks created, by hour (most: {most})")
        context.write(f"24 h ago |{bars}| now")
