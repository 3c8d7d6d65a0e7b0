r"""Scenarios: readable TOML files that say what the pretend Jules does.

::

    [timing]                 # seconds; `speed` divides them
    queued = 5
    planning = 20
    step = 30

    [quota]                  # 0: no limit
    tasks_per_day = 15               # in any 24 hours
    concurrent = 3

    [deviations]             # where the real service differs from its documents
    activities_404_seconds = 2
    state_lags_seconds = 5

    [faults]                 # a whole number: the first N calls; a fraction: that share, by seed
    lose_create_answers = 1          # the first create: 503, though the task was created
    fail_reads = 0.05                # one read in twenty: 503

    [mcp]                    # the MCP server of `jjm simulator mcp`, and the web page behind it
    plan_waits = true                # the page waits for a click on "approve"
    time_outs = 0                    # the first N page calls take 30 s and fail

    [[task]]
    match = "health endpoint"        # part of the title or prompt; the first match counts
    chance = 0.5                     # ... for half of them
    plan = ["Read the router", "Add the route"]
    revised_plan = ["Add the route"] # after a message
    question = "Which port?"         # asked after the first step
    outcome = "completed"            # or "failed", "stall", "silence"
    outputs = ["change_set"]         # and or instead: "pull_request"; [] for none
    branch = "health-endpoint"

    [[task.rounds]]                  # the first delivery; a second table is the next, after feedback
    message = "Add the endpoint"
    reply = "Done, with a test."
    files = { "app.py" = "print('hello')\n" }
    delete = ["old.py"]

docs/reference/simulator.md lists every key.
"""

from __future__ import annotations

import dataclasses
import tomllib
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any, TypeVar

from jules_job_manager.adapters.backends.simulator.switches import (
    ORIGINATORS,
    OUTCOMES,
    REFUSALS,
    Behaviour,
    Deviations,
    Faults,
    McpServer,
    Quota,
    Round,
    Scenario,
    Timing,
)
from jules_job_manager.errors import ConfigurationError

T = TypeVar("T")


def load_scenario(path: Path | None) -> Scenario:
    """Read a scenario file; None is a well-behaved Jules.

    Raises:
        ConfigurationError: the file cannot be read, or something in it is not understood.
    """
    if path is None:
        return Scenario()
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as exc:
        why = exc.strerror if isinstance(exc, OSError) else exc
        raise ConfigurationError(f"The scenario {path} cannot be read: {why}.") from exc
    try:
        return scenario_from(data)
    except (TypeError, ValueError) as exc:
        raise ConfigurationError(f"The scenario {path} is wrong: {exc}") from exc


def scenario_from(data: Mapping[str, Any]) -> Scenario:
    """Return the scenario of a parsed TOML document.

    Raises:
        ValueError: a key is unknown or a value does not fit.
    """
    known = {"timing", "quota", "deviations", "faults", "mcp", "task"}
    if unknown := set(data) - known:
        raise ValueError(f"unknown section {min(unknown)!r}")
    scenario = Scenario(
        timing=_build(Timing, data.get("timing", {}), "timing"),
        quota=_build(Quota, data.get("quota", {}), "quota"),
        deviations=_build(Deviations, data.get("deviations", {}), "deviations"),
        faults=_build(Faults, data.get("faults", {}), "faults"),
        mcp=_build(McpServer, data.get("mcp", {}), "mcp"),
        tasks=tuple(_behaviour(item) for item in data.get("task", ())),
    )
    _one_of(scenario.deviations.originators, ORIGINATORS, "deviations.originators")
    _one_of(scenario.quota.daily_refusal, REFUSALS, "quota.daily_refusal")
    _one_of(scenario.quota.concurrent_refusal, REFUSALS, "quota.concurrent_refusal")
    return scenario


def _behaviour(data: Mapping[str, Any]) -> Behaviour:
    values = dict(data)
    rounds = tuple(_round(item) for item in values.pop("rounds", ()))
    made = _build(Behaviour, values, "task")
    _one_of(made.outcome, OUTCOMES, "task.outcome")
    for output in made.outputs or ():
        _one_of(output, ("change_set", "pull_request"), "task.outputs")
    return dataclasses.replace(made, rounds=rounds)


def _one_of(value: str, allowed: tuple[str, ...], name: str) -> None:
    if value not in allowed:
        raise ValueError(f"{name} must be one of {', '.join(allowed)}, not {value!r}")


def _round(data: Mapping[str, Any]) -> Round:
    made = _build(Round, data, "task.rounds")
    for name in (*made.files, *made.delete):
        path = PurePosixPath(name)
        if path.is_absolute() or not path.parts or {"..", ".git"} & set(path.parts):
            raise ValueError(
                f"task.rounds names the path {name!r}, which is not inside the repository"
            )
    return made


def _build(cls: type[T], data: Mapping[str, Any], section: str) -> T:
    if not isinstance(data, Mapping):
        raise ValueError(f"{section} must be a table")
    names = {f.name: f for f in dataclasses.fields(cls)}  # type: ignore[arg-type]
    values: dict[str, Any] = {}
    for name, value in data.items():
        if name not in names:
            raise ValueError(f"unknown key {section}.{name}")
        values[name] = _fitting(str(names[name].type), value, f"{section}.{name}")
    return cls(**values)


def _fitting(kind: str, value: Any, name: str) -> Any:
    if (
        kind.startswith("tuple")
        and isinstance(value, list)
        and all(isinstance(v, str) for v in value)
    ):
        return tuple(value)
    fits = {
        "str": isinstance(value, str),
        "bool": isinstance(value, bool),
        "int": isinstance(value, int) and not isinstance(value, bool) and value >= 0,
        "float": isinstance(value, int | float) and not isinstance(value, bool) and value >= 0,
    }
    if fits.get(kind) or (kind.startswith("Mapping") and isinstance(value, Mapping)):
        return value
    raise ValueError(f"{name} cannot be {value!r}")
