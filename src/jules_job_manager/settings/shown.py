"""Every setting as it may be shown: secrets are masked."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from jules_job_manager.domain.masking import MASK, masked
from jules_job_manager.domain.secret_reference import is_reference, reference_from
from jules_job_manager.settings.load import setting_fields
from jules_job_manager.settings.model import Settings


def rows(settings: Settings, *, are_secrets_read: bool = False) -> list[dict[str, str]]:
    """Return name, value, source and help of every setting.

    Args:
        settings: Those to be shown.
        are_secrets_read: Whether references to secrets were followed. If not, where a secret is
            kept is shown in its place.
    """
    secret = _masked_value if are_secrets_read else _secret
    found = []
    for section, name, field in setting_fields():
        value = getattr(getattr(settings, section), name)
        shown = ", ".join(value) if isinstance(value, tuple) else str(value)
        shown = shown.lower() if isinstance(value, bool) else shown
        if field.metadata["secret"] and value:
            shown = ", ".join(map(secret, value if isinstance(value, tuple) else (value,)))
        full = f"{section}.{name}"
        source = settings.sources.get(full, "default")
        found.append(
            {"name": full, "value": shown, "source": source, "help": field.metadata["help"]}
        )
    for repository, url in settings.remotes.items():
        shown = masked(url)
        row = {"name": f"remotes.{repository}", "value": shown, "source": str(settings.config_file)}
        found.append({**row, "help": "Where the forge finds the repository."})
    return [*found, *_table_rows(settings, secret)]


def _table_rows(settings: Settings, secret: Callable[[str], str]) -> list[dict[str, str]]:
    """Return a row for each account and each rule."""
    tables: list[tuple[str, object, str]] = [
        (f"accounts.{name}", account, "One more account of Jules.")
        for name, account in settings.accounts.items()
    ]
    tables += [
        (f"servers.{address}", server, "The key of a service.")
        for address, server in settings.servers.items()
    ]
    tables += [
        (f"reviewers.{reviewer.name}", reviewer, "A reviewer of your own.")
        for reviewer in settings.reviewers
    ]
    for kind, rules in (
        ("plan_rules", settings.plan_rules),
        ("merge_rules", settings.merge_rules),
        ("answer_rules", settings.answer_rules),
    ):
        about = f"The first of the {kind.replace('_', ' ')} that fits counts."
        tables += [(f"{kind}.{number}", rule, about) for number, rule in enumerate(rules, start=1)]
    rows = []
    for name, table, about in tables:
        members = dataclasses.asdict(table)  # type: ignore[call-overload]
        said = [
            f"{member} = {secret(str(value)) if member == 'api_key' else _shown(value)}"
            for member, value in members.items()
            if value not in ("", (), None, 0)
        ]
        rows.append({"name": name, "value": "; ".join(said), "source": str(settings.config_file),
                     "help": about})  # fmt: skip
    return rows


def _shown(value: object) -> str:
    return ", ".join(value) if isinstance(value, tuple) else str(value)


def _masked_value(value: str) -> str:
    del value
    return MASK


def _secret(value: str) -> str:
    """Return where a secret is kept, when that is what the setting says; else a mask."""
    try:
        return str(reference_from(value)) if is_reference(value) else MASK
    except ValueError:
        return MASK
