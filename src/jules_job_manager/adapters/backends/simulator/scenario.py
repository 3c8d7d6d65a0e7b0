r"""Scenarios: readable TOML files that say what the pretend Jules does.

::

    [timing]                 # seconds; `speed` divides them
    queued = 5
    planning = 20
    step = 30

    [quota]                  # 0: no limit
    tasks_per_day = 15
    concurrent = 3

    [deviations]             # where the real service differs from its documents
    activities_404_seconds = 2
    message_404_while_queued = true
    plan_waiting_says_completed = false
    hyphen_source_names = false

    [faults]                 # each happens to the first N calls
    lose_create_answers = 0          # 503, though the task was created
    precondition_though_created = 0  # 400 FAILED_PRECONDITION, though the task was created
    refuse_creates = 0               # 400 FAILED_PRECONDITION, and it was not
    fail_reads = 0                   # 503

    [[task]]
    match = "health endpoint"        # part of the title or prompt; the first match counts
    plan = ["Read the router", "Add the route"]
    question = "Which port?"         # asked after the first step
    outcome = "completed"            # or "failed", "stall"
    outputs = ["change_set"]         # and or instead: "pull_request"; [] for none
    branch = "health-endpoint"

    [[task.rounds]]                  # the first delivery; a second table is the next, after feedback
    message = "Add the endpoint"
    reply = "Done, with a test."
    files = { "app.py" = "print('hello')\n" }
    delete = ["old.py"]
"""

from __future__ import annotations

import dataclasses
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, TypeVar

from jules_job_manager.errors import ConfigurationError

T = TypeVar("T")
OUTCOMES = ("completed", "failed", "stall")


@dataclass(frozen=True, kw_only=True, slots=True)
class Timing:
    """How long things take, in seconds (>= 0) before `speed` divides them."""

    queued: float = 5.0
    planning: float = 20.0
    approval: float = 2.0
    step: float = 30.0
    answer: float = 15.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Quota:
    """The account's limits; 0 is no limit."""

    tasks_per_day: int = 0
    concurrent: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Deviations:
    """Where the service differs from its documents (REST reference, section 12)."""

    activities_404_seconds: float = 0.0
    message_404_while_queued: bool = True
    plan_waiting_says_completed: bool = False
    hyphen_source_names: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Faults:
    """How many of the first calls go wrong, by the way they do."""

    lose_create_answers: int = 0
    precondition_though_created: int = 0
    refuse_creates: int = 0
    fail_reads: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Round:
    """One delivery: what is committed, and what is said."""

    message: str = "Do what was asked"
    reply: str = ""
    files: Mapping[str, str] = field(default_factory=dict)
    delete: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Behaviour:
    """What happens in tasks whose title or prompt holds `match` (case does not count)."""

    match: str = ""
    plan: tuple[str, ...] = ("Read the code", "Make the change", "Run the tests")
    question: str = ""
    outcome: str = "completed"
    outputs: tuple[str, ...] = ("change_set",)
    branch: str = ""
    rounds: tuple[Round, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Scenario:
    """A whole scenario. The default is a well-behaved Jules."""

    timing: Timing = field(default_factory=Timing)
    quota: Quota = field(default_factory=Quota)
    deviations: Deviations = field(default_factory=Deviations)
    faults: Faults = field(default_factory=Faults)
    tasks: tuple[Behaviour, ...] = ()

    def behaviour_for(self, title: str, prompt: str) -> Behaviour:
        """Return the first behaviour that matches, or the well-behaved default."""
        text = f"{title}\n{prompt}".lower()
        return next((b for b in self.tasks if b.match.lower() in text), Behaviour())


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
        raise ConfigurationError(f"The scenario {path} cannot be read: {exc}") from exc
    try:
        return scenario_from(data)
    except (TypeError, ValueError) as exc:
        raise ConfigurationError(f"The scenario {path} is wrong: {exc}") from exc


def scenario_from(data: Mapping[str, Any]) -> Scenario:
    """Return the scenario of a parsed TOML document.

    Raises:
        ValueError: a key is unknown or a value does not fit.
    """
    known = {"timing", "quota", "deviations", "faults", "task"}
    if unknown := set(data) - known:
        raise ValueError(f"unknown section {min(unknown)!r}")
    return Scenario(
        timing=_build(Timing, data.get("timing", {}), "timing"),
        quota=_build(Quota, data.get("quota", {}), "quota"),
        deviations=_build(Deviations, data.get("deviations", {}), "deviations"),
        faults=_build(Faults, data.get("faults", {}), "faults"),
        tasks=tuple(_behaviour(item) for item in data.get("task", ())),
    )


def _behaviour(data: Mapping[str, Any]) -> Behaviour:
    values = dict(data)
    rounds = tuple(_round(item) for item in values.pop("rounds", ()))
    made = _build(Behaviour, values, "task")
    if made.outcome not in OUTCOMES:
        raise ValueError(f"task.outcome must be one of {', '.join(OUTCOMES)}, not {made.outcome!r}")
    return dataclasses.replace(made, rounds=rounds)


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
