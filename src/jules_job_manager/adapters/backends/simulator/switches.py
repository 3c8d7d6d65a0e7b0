"""What a scenario can say: every switch of the pretend Jules and its default.

The default is a well-behaved Jules. docs/reference/simulator.md says what each switch does and
which row of the REST reference's list of deviations (section 12) it stands for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

OUTCOMES = ("completed", "failed", "stall", "silence")
ORIGINATORS = ("lower", "upper", "missing")
REFUSALS = ("RESOURCE_EXHAUSTED", "FAILED_PRECONDITION")


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
    """The account's limits, 0 for none, and how a create beyond them is refused.

    Source: Jules REST reference, section 10. Which refusal the service gives is not known; the
    defaults are the reference's suggestion.
    """

    tasks_per_day: int = 0
    concurrent: int = 0
    daily_refusal: str = "RESOURCE_EXHAUSTED"
    concurrent_refusal: str = "FAILED_PRECONDITION"


@dataclass(frozen=True, kw_only=True, slots=True)
class Deviations:
    """Where the service differs from its documents (REST reference, section 12)."""

    activities_404_seconds: float = 0.0
    session_404_seconds: float = 0.0
    list_lags_seconds: float = 0.0
    state_lags_seconds: float = 0.0
    message_404_while_queued: bool = True
    message_wakes_failed: bool = True
    plan_waiting_says_completed: bool = False
    hyphen_source_names: bool = False
    task_urls: bool = False
    keys_refused: bool = False
    bare_create_answers: bool = False
    mixed_fractions: bool = False
    strange_activities: bool = False
    bash_outputs: bool = False
    media_bytes: int = 0
    originators: str = "lower"
    failures_without_reason: bool = False
    unknown_state: str = ""
    progress_patches: bool = True


@dataclass(frozen=True, kw_only=True, slots=True)
class Faults:
    """Which calls go wrong: a whole number is the first N, a fraction (0.25) that share, by seed."""

    refuse_creates: float = 0
    fail_creates: float = 0
    throttle_creates: float = 0
    lose_create_answers: float = 0
    cut_create_answers: float = 0
    precondition_though_created: float = 0
    lose_message_answers: float = 0
    cut_message_answers: float = 0
    lose_approve_answers: float = 0
    fail_reads: float = 0
    throttle_reads: float = 0
    retry_after_seconds: int = 0
    """What every 429 asks for in `Retry-After`; 0 sends none."""


@dataclass(frozen=True, kw_only=True, slots=True)
class McpServer:
    """How the pretend Node server and its page behave (google-jules-mcp facts, section 10)."""

    plan_waits: bool = True
    signed_in: bool = True
    has_browser: bool = True
    start_seconds: float = 0.0
    untrimmed_status: bool = False
    id_keeps_query: bool = False
    time_outs: int = 0
    lose_creates: int = 0
    lose_messages: int = 0
    browser_dies_after: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Round:
    """One delivery: what is committed, and what is said."""

    message: str = "Do what was asked"
    reply: str = ""
    files: Mapping[str, str] = field(default_factory=dict)
    delete: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Behaviour:
    """What happens in tasks whose title or prompt holds `match` (case does not count).

    Times are seconds (>= 0) before `speed` divides them; 0 is never.
    """

    match: str = ""
    chance: float = 1.0
    """Share of the matching tasks, by seed; the others go on to the next behaviour."""
    plan: tuple[str, ...] = ("Read the code", "Make the change", "Run the tests")
    revised_plan: tuple[str, ...] = ()
    """The plan after a message, or after `plan_changes_after`; empty: the same steps again."""
    plan_changes_after: float = 0.0
    question: str = ""
    outcome: str = "completed"
    stall_seconds: float = 0.0
    """How long a stall or silence lasts by itself; 0: until a message."""
    revives_after: float = 0.0
    late_push_after: float = 0.0
    outputs: tuple[str, ...] | None = None
    """What the finished session shows; None: the change set, and a pull request when asked for."""
    branch: str = ""
    rounds: tuple[Round, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Scenario:
    """A whole scenario. The default is a well-behaved Jules."""

    timing: Timing = field(default_factory=Timing)
    quota: Quota = field(default_factory=Quota)
    deviations: Deviations = field(default_factory=Deviations)
    faults: Faults = field(default_factory=Faults)
    mcp: McpServer = field(default_factory=McpServer)
    tasks: tuple[Behaviour, ...] = ()

    def behaviour_for(self, title: str, prompt: str, roll: Callable[[int], float]) -> Behaviour:
        """Return the first behaviour that matches, or the well-behaved default.

        Args:
            title: The task's title.
            prompt: The task's prompt.
            roll: Gives this task's number in [0, 1) for the behaviour at a place in the list,
                the same one each time.
        """
        text = f"{title}\n{prompt}".lower()
        for place, behaviour in enumerate(self.tasks):
            if behaviour.match.lower() in text and roll(place) < behaviour.chance:
                return behaviour
        return Behaviour()
