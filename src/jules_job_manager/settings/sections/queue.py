"""Running a backlog, and looking at what runs."""

from __future__ import annotations

from dataclasses import dataclass

from jules_job_manager.settings.sections.field import setting


@dataclass(frozen=True, kw_only=True)
class MonitoringSettings:
    """Watching and retrying."""

    default_interval: float = setting(30.0, "Seconds between two looks.", minimum=0.0)
    max_retries: int = setting(3, "Tries of one safe call.", minimum=1)


@dataclass(frozen=True, kw_only=True)
class QueueSettings:
    """Running a backlog."""

    repository: str = setting("", "Repository of jobs that name none, owner/name.")
    base_branch: str = setting("main", "Branch that work starts from and merges into.")
    concurrency: int = setting(
        0, "Most tasks at work at once; 0: as many as the account allows.", minimum=0
    )
    reserve: int = setting(0, "Tasks of each day kept for critical and high jobs.", minimum=0)
    ageing_hours: float = setting(
        24.0, "A waiting job counts one priority higher after so long; 0: never.", minimum=0
    )
    overlap: str = setting(
        "wait", "Jobs that touch the same files: wait for each other, or allow them together.",
        choices=("wait", "allow"),
    )  # fmt: skip
    dependents: str = setting(
        "merged", "A job starts when what it needs is merged, or stacked on its delivered branch.",
        choices=("merged", "stacked"),
    )  # fmt: skip
    merge: str = setting(
        "always", "Deliveries that passed and fit none of the merge rules: merge them, or ask a person.",
        choices=("always", "ask"),
    )  # fmt: skip
    merge_batch: int = setting(
        8, "Most deliveries that passed, and wait for a base that moved, checked again together.",
        minimum=1,
    )  # fmt: skip
    approve: str = setting(
        "ask", "Plans: ask a person, approve all, or approve those the limits allow.",
        choices=("ask", "always", "policy"),
    )  # fmt: skip
    approve_max_steps: int = setting(12, "Policy: most steps of a plan approved unseen.", minimum=0)
    approve_refuse_words: tuple[str, ...] = setting(
        (), "Policy: words that send a plan to a person."
    )
    answer: str = setting("", "Text sent when Jules asks something; empty: ask a person.")
    poll_interval_seconds: float = setting(10.0, "Seconds between two looks.", minimum=0.0)
    max_feedback_rounds: int = setting(3, "Most times one task is sent back.", minimum=0)
    max_attempts: int = setting(2, "Most tasks created for one job.", minimum=1)
    max_answers: int = setting(5, "Most configured answers to one task.", minimum=0)
    stall_after_minutes: float = setting(
        15.0, "Silence after which a task is asked to go on; 0: never.", minimum=0
    )
    max_nudges: int = setting(
        2, "Most times a silent task is asked to go on; then it is replaced.", minimum=0
    )
    nudge_text: str = setting("Please go on with the task.", "What a silent task is sent.")
    dispatcher: str = setting(
        "auto", "How reviews reach workers: in one program, or with PgQueuer between machines; "
        "auto: PgQueuer on PostgreSQL when the extra `scale` is installed.",
        choices=("auto", "local", "pgqueuer"),
    )  # fmt: skip
    write_back: bool = setting(
        default=True, doc="Write status and dates into the backlog document."
    )
