"""What is known at one moment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from jules_job_manager.domain.job import Attempt, Job
from jules_job_manager.domain.quota import AccountUse
from jules_job_manager.domain.review import Review
from jules_job_manager.domain.task import JulesTask

NOTHING_DELIVERED = "-"
"""Stands for the commit of a finished task that handed over neither branch nor patch."""


@dataclass(frozen=True, kw_only=True, slots=True)
class MergeWait:
    """What the merge of an accepted delivery waits for, and since when."""

    reason: str
    since: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Snapshot:
    """What is known at one moment. Whatever is keyed by mark is of live attempts."""

    jobs: tuple[Job, ...]
    attempts: tuple[Attempt, ...] = ()
    tasks: Mapping[str, JulesTask] = field(default_factory=dict)
    """Tasks of live attempts, by task id."""
    deliveries: Mapping[str, str] = field(default_factory=dict)
    """What each finished live attempt hands over, by mark: a commit, or NOTHING_DELIVERED."""
    bases: Mapping[str, str] = field(default_factory=dict)
    """The commit of the base branch, by mark."""
    reviews: Mapping[str, Review] = field(default_factory=dict)
    """The latest usable review, by mark."""
    merge_waits: Mapping[str, MergeWait] = field(default_factory=dict)
    """What the forge waits for before it merges an accepted delivery, by mark."""
    passed_before: frozenset[str] = frozenset()
    """Marks of attempts whose delivery was accepted on an earlier base."""
    reviewing: frozenset[str] = frozenset()
    """Marks of attempts whose delivery is being checked on the present base."""
    answered: frozenset[str] = frozenset()
    """Marks of attempts whose task finished again after the last feedback reached it."""
    unheard: frozenset[str] = frozenset()
    """Marks of attempts whose last feedback is not among the messages of their task."""
    refused: Mapping[str, str] = field(default_factory=dict)
    """What Jules refused for a task that has not changed since, by mark: not to be tried again."""
    one_by_one: frozenset[str] = frozenset()
    """Repositories whose deliveries are not checked together: another commit is merged than judged."""
    failed_batches: frozenset[str] = frozenset()
    """Ids (`batch_id`) of deliveries that did not pass when they were checked together."""
    approved: frozenset[str] = frozenset()
    """Delivered commits that a person lets be merged."""
    circles: frozenset[str] = frozenset()
    """Marks of attempts that deliver again what they were sent back before."""
    declined: frozenset[str] = frozenset()
    """Fingerprints of plans that a person declined."""
    quiet_since: Mapping[str, datetime] = field(default_factory=dict)
    """When the agent was last heard of, by mark."""
    changed_files: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Paths that a live attempt was seen to change, by mark."""
    unlanded: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """By job key: dependencies that are done but not in the branch the job would start from."""
    branches: Mapping[str, str] = field(default_factory=dict)
    """By job key: the branch that a live attempt has delivered, for others to stack on."""
    accounts: Mapping[str, AccountUse] = field(default_factory=lambda: {"default": AccountUse()})
    """What each account has used and may use, by name, in order of preference."""
    paused: str = ""
    """Why a person paused the whole queue; empty: nobody did."""
    since: datetime | None = None
    """When this program began to look: what was sent before may only now take effect."""
