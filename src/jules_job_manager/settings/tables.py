"""The parts of the configuration file that are no single values: remotes, accounts and rules."""

from __future__ import annotations

import dataclasses
import shlex
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from jules_job_manager.domain.decision_rules import AnswerRule, MergeRule, PlanRule
from jules_job_manager.domain.reviewer import ReviewerSpec
from jules_job_manager.errors import ConfigurationError
from jules_job_manager.settings.model import AccountSettings, ServerKeySettings
from jules_job_manager.settings.server_keys import is_same

T = TypeVar("T")
R = TypeVar("R", PlanRule, MergeRule)
NAMES = ("remotes", "accounts", "servers", "reviewers", "plan_rules", "merge_rules", "answer_rules")
PLANS = ("auto", "free", "pro", "ultra", "none")
PRIORITIES = ("critical", "high", "medium", "low")


def read(document: Mapping[str, Any], origin: str) -> dict[str, Any]:
    """Return the members of `Settings` that these parts make up.

    Raises:
        ConfigurationError: something in them cannot be used.
    """
    return {
        "remotes": _remotes(document.get("remotes", {})),
        "accounts": _accounts(document.get("accounts", {}), origin),
        "servers": _servers(document.get("servers", {}), origin),
        "reviewers": _reviewers(document.get("reviewers", {}), origin),
        "plan_rules": tuple(
            _plan_rule(table, number, origin)
            for number, table in enumerate(_tables(document, "plan_rules", origin), start=1)
        ),
        "merge_rules": tuple(
            _merge_rule(table, number, origin)
            for number, table in enumerate(_tables(document, "merge_rules", origin), start=1)
        ),
        "answer_rules": tuple(
            _answer_rule(table, number, origin)
            for number, table in enumerate(_tables(document, "answer_rules", origin), start=1)
        ),
    }


def _remotes(table: Any) -> dict[str, str]:
    if not isinstance(table, Mapping) or any(not isinstance(url, str) for url in table.values()):
        raise ConfigurationError('[remotes] must hold lines like "owner/name" = "git URL or path".')
    return {str(name): str(url) for name, url in table.items()}


def _accounts(table: Any, origin: str) -> dict[str, AccountSettings]:
    if not isinstance(table, Mapping):
        raise ConfigurationError(f"[accounts] must hold tables like [accounts.work] (in {origin}).")
    found = {}
    for name, members in table.items():
        where = f"[accounts.{name}]"
        if name == "default":
            raise ConfigurationError(
                f"{where} is [jules] itself (in {origin}).", hint="Give the account another name."
            )
        account = _built(AccountSettings, members, where, origin)
        if not account.api_key.strip():
            raise ConfigurationError(f"{where} has no api_key (in {origin}).")
        _one_of(account.plan, PLANS, f"{where} plan", origin)
        found[str(name)] = account
    return found


def _servers(table: Any, origin: str) -> dict[str, ServerKeySettings]:
    how = '[servers."https://HOST:PORT"]'
    if not isinstance(table, Mapping):
        raise ConfigurationError(f"[servers] must hold tables like {how} (in {origin}).")
    found = {}
    for address, members in table.items():
        where = f'[servers."{address}"]'
        if not is_same(address, address):
            raise ConfigurationError(
                f"{where} is under no address (in {origin}).", hint=f"Write it as {how}."
            )
        server = _built(ServerKeySettings, members, where, origin)
        if not server.api_key.strip():
            raise ConfigurationError(f"{where} has no api_key (in {origin}).")
        found[str(address)] = server
    return found


def _reviewers(table: Any, origin: str) -> tuple[ReviewerSpec, ...]:
    if not isinstance(table, Mapping):
        raise ConfigurationError(
            f"[reviewers] must hold tables like [reviewers.style] (in {origin})."
        )
    found = []
    for name, members in table.items():
        where = f"[reviewers.{name}]"
        if isinstance(members, Mapping) and "name" in members:
            raise ConfigurationError(f"{where} has an unknown member 'name' (in {origin}).")
        named = {"name": str(name), **members} if isinstance(members, Mapping) else members
        reviewer = _built(ReviewerSpec, named, where, origin)
        if reviewer.problem:
            raise ConfigurationError(f"{where} {reviewer.problem} (in {origin}).")
        found.append(reviewer)
    return tuple(found)


def _tables(document: Mapping[str, Any], name: str, origin: str) -> Sequence[Any]:
    found = document.get(name, ())
    if isinstance(found, Mapping | str) or not isinstance(found, Sequence):
        raise ConfigurationError(f"Rules are written as [[{name}]] (in {origin}).")
    return found


def _plan_rule(table: Any, number: int, origin: str) -> PlanRule:
    return _deciding(PlanRule, ("approve", "ask"), table, f"[[plan_rules]] number {number}", origin)


def _merge_rule(table: Any, number: int, origin: str) -> MergeRule:
    return _deciding(MergeRule, ("merge", "ask"), table, f"[[merge_rules]] number {number}", origin)


def _deciding(kind: type[R], decisions: tuple[str, str], table: Any, where: str, origin: str) -> R:
    number = where.rpartition(" ")[2]
    named = {"name": number, **table} if isinstance(table, Mapping) else table
    if isinstance(named, Mapping) and "decision" not in named:
        words = " or ".join(decisions)
        raise ConfigurationError(f"{where} has no decision: {words} (in {origin}).")
    rule = _built(kind, named, where, origin)
    _one_of(rule.decision, decisions, f"{where} decision", origin)
    for priority in rule.priorities:
        _one_of(priority, PRIORITIES, f"{where} priorities", origin)
    return rule


def _answer_rule(table: Any, number: int, origin: str) -> AnswerRule:
    where = f"[[answer_rules]] number {number}"
    named = {"name": str(number), **table} if isinstance(table, Mapping) else table
    rule = _built(AnswerRule, named, where, origin)
    if bool(rule.text.strip()) == bool(rule.command.strip()):
        raise ConfigurationError(f"{where} needs either a text or a command (in {origin}).")
    try:
        shlex.split(rule.command)
    except ValueError as exc:
        raise ConfigurationError(
            f"{where} command cannot be read: {exc} (in {origin}).",
            hint="Write it as in a shell, with every quotation mark closed.",
        ) from exc
    return rule


def _built(kind: type[T], members: Any, where: str, origin: str) -> T:
    if not isinstance(members, Mapping):
        raise ConfigurationError(f"{where} must be a table (in {origin}).")
    fields = {field.name: str(field.type) for field in dataclasses.fields(kind)}  # type: ignore[arg-type]
    values = {}
    for name, value in members.items():
        if name not in fields:
            raise ConfigurationError(
                f"{where} has an unknown member {name!r} (in {origin}).",
                hint=f"It may have: {', '.join(fields)}.",
            )
        values[name] = _value(fields[name], value, f"{where} {name}", origin)
    return kind(**values)


def _value(kind: str, value: Any, where: str, origin: str) -> Any:
    if kind.startswith("tuple"):
        items = [value] if isinstance(value, str) else value
        if isinstance(items, list) and all(isinstance(item, str) and item for item in items):
            return tuple(items)
        raise ConfigurationError(f"{where} must be a list of texts (in {origin}).")
    if kind == "bool":
        if isinstance(value, bool):
            return value
        raise ConfigurationError(f"{where} must be true or false (in {origin}).")
    if kind == "float":
        if isinstance(value, int | float) and not isinstance(value, bool) and value > 0:
            return float(value)
        raise ConfigurationError(f"{where} must be a number above 0 (in {origin}).")
    wanted = int if kind.startswith("int") else str
    if isinstance(value, bool) or not isinstance(value, wanted):
        words = "a whole number" if wanted is int else "a text"
        raise ConfigurationError(f"{where} must be {words} (in {origin}).")
    if isinstance(value, int) and value < 0:
        raise ConfigurationError(f"{where} must be 0 or more (in {origin}).")
    return value


def _one_of(value: str, choices: Sequence[str], where: str, origin: str) -> None:
    if value not in choices:
        allowed = ", ".join(choices)
        raise ConfigurationError(f"{where} must be one of {allowed}, not {value!r} (in {origin}).")
