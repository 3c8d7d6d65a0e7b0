"""What is true after the kills, asked of Jules, git and the store, never of the program's own words."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jules_job_manager.domain.event import Event
from jules_job_manager.domain.job import Attempt, Job
from jules_job_manager.ports.store import Store
from tests.kill_hunt import with_store
from tests.kill_world import Entry, World, git

MARK = re.compile(r"\[jjm:([0-9a-f]+)\]")


_LIVING = "jjm-simulator-"
"""Of the pretend Jules, which runs on while it is asked."""


@dataclass(kw_only=True)
class Findings:
    """Figures, and what is wrong in words; nothing wrong is the aim."""

    figures: dict[str, int] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)

    def expect(self, name: str, found: int, wanted: int) -> None:
        """Note a figure, and that it is wrong when it is not the wanted one."""
        self.figures[name] = found
        if found != wanted:
            self.wrong.append(f"{name}: {found} instead of {wanted}")

    def refuse(self, name: str, found: Iterable[object]) -> None:
        """Note how many there are of what there must be none."""
        listed = list(found)
        self.figures[name] = len(listed)
        if listed:
            self.wrong.append(f"{name}: {listed[:5]}")


def examine(world: World) -> Findings:
    """Compare what Jules, the remote and the store hold with what one clean run would leave."""
    findings = Findings()
    _examine_jules(world, findings)
    _examine_git(world, findings)
    _examine_machine(world, findings)
    jobs, attempts, events = asyncio.run(_stored(world))
    _examine_store(world, jobs, attempts, events, findings)
    findings.expect(
        "documents' jobs complete", world.backlog.read_text("utf-8").count("**Status**: Complete"),
        len(world.entries),
    )  # fmt: skip
    return findings


def _examine_jules(world: World, findings: Findings) -> None:
    stats, sessions = world.stats(), world.sessions()
    findings.expect("Jules tasks created", stats["sessions_created"], len(world.entries))
    findings.expect("creates refused", sum(stats["refusals"].values()), 0)
    by_word: dict[str, list[dict[str, Any]]] = {entry.word: [] for entry in world.entries}
    for session in sessions:
        for word, found in by_word.items():
            if word in session["title"]:
                found.append(session)
    findings.refuse("jobs without a Jules task", [w for w, found in by_word.items() if not found])
    findings.refuse(
        "jobs with two Jules tasks", [w for w, found in by_word.items() if len(found) > 1]
    )
    marks = Counter(m for session in sessions for m in MARK.findall(session["title"]))
    findings.refuse("marks on two Jules tasks", [m for m, often in marks.items() if often > 1])
    _examine_messages(world, by_word, findings)


def _examine_messages(
    world: World, by_word: dict[str, list[dict[str, Any]]], findings: Findings
) -> None:
    sent, twice, lacking, approved = 0, [], [], []
    for entry in world.entries:
        for session in by_word[entry.word]:
            activities = world.activities(session)
            texts = [a["userMessaged"]["userMessage"] for a in activities if "userMessaged" in a]
            sent += len(texts)
            wanted = entry.is_rejected_once + entry.asks
            if len(texts) > wanted:
                twice.append((entry.key, texts))
            elif len(texts) < wanted:
                lacking.append(entry.key)
            if sum("planApproved" in a for a in activities) != 1:
                approved.append(entry.key)
    wanted = sum(entry.is_rejected_once + entry.asks for entry in world.entries)
    findings.expect("messages sent", sent, wanted)
    findings.refuse("jobs with a message twice", twice)
    findings.refuse("jobs lacking a message", lacking)
    findings.refuse("plans not approved exactly once", approved)


def _examine_git(world: World, findings: Findings) -> None:
    lines = git(world.origin, "log", "--merges", "--format=%H %P %s", "main").splitlines()
    merges: dict[str, list[list[str]]] = {}
    for line in lines:
        commit, base, branch, subject = line.split(" ", 3)
        merges.setdefault(subject.removeprefix("Merge "), []).append([commit, base, branch])
    titles = {f"{entry.key}: Make {entry.word}": entry for entry in world.entries}
    findings.expect("merges", len(lines), len(world.entries))
    findings.refuse("jobs not merged", [t for t in titles if t not in merges])
    findings.refuse("jobs merged twice", [t for t, found in merges.items() if len(found) > 1])
    by_number = {titles[t].number: found[0] for t, found in merges.items() if t in titles}
    early = [e.key for e in world.entries if not _started_after_its_need(world, e, by_number)]
    findings.refuse("jobs started before what they need was merged", early)
    files = git(world.origin, "ls-tree", "-r", "--name-only", "main").splitlines()
    lacking = [e.key for e in world.entries if f"out/{e.word}.txt" not in files]
    findings.refuse("jobs whose file is not in main", lacking)


def _examine_machine(world: World, findings: Findings) -> None:
    """Nothing of the killed programs is left: no checkout, no worktree, no check that runs on."""
    scratch = world.folder / "tmp"
    left = [p.name for p in scratch.glob("jjm-*") if not p.name.startswith(_LIVING)]
    findings.refuse("scratch folders left", sorted(left))
    mirrors = list(world.folder.glob("*/repositories/*.git"))
    listed = [git(mirror, "worktree", "list", "--porcelain") for mirror in mirrors]
    # A prunable one is a line in git's books: its folder is gone, and the next run strikes it.
    others = [entry for text in listed for entry in text.split("\n\n")[1:] if entry.strip()]
    findings.refuse("worktrees left", [e for e in others if "\nprunable" not in e])
    findings.refuse("processes left in a checkout", _working_in(scratch))


def _working_in(folder: Path) -> list[str]:
    found = []
    for place in Path("/proc").glob("[0-9]*/cwd"):
        with contextlib.suppress(OSError):
            where = str(place.readlink())
            if where.startswith(f"{folder}/") and _LIVING not in where:
                found.append(place.parent.name)
    return found


def _started_after_its_need(world: World, entry: Entry, merges: dict[int, list[str]]) -> bool:
    if entry.needs is None or entry.number not in merges or entry.needs not in merges:
        return True
    branch, needed = merges[entry.number][2], merges[entry.needs][0]
    return needed in git(world.origin, "rev-list", branch).split()


async def _stored(world: World) -> tuple[Sequence[Job], Sequence[Attempt], Sequence[Event]]:
    async def work(store: Store) -> tuple[Sequence[Job], Sequence[Attempt], Sequence[Event]]:
        jobs, attempts = await store.jobs.list_jobs(), await store.jobs.list_attempts()
        return jobs, attempts, await _events(store)

    return await with_store(world, work)


async def _events(store: Store) -> list[Event]:
    events: list[Event] = []
    while page := await store.events.read(after_id=events[-1].id if events else 0, limit=1000):
        events += page
    return events


def _examine_store(
    world: World,
    jobs: Sequence[Job],
    attempts: Sequence[Attempt],
    events: Sequence[Event],
    findings: Findings,
) -> None:
    findings.expect("jobs stored", len(jobs), len(world.entries))
    findings.refuse("jobs not done", [(j.key, j.status.value, j.reason) for j in jobs if j.status.value != "done"])  # fmt: skip
    findings.expect("attempts", len(attempts), len(world.entries))
    findings.refuse("attempts not accepted", [a for a in attempts if a.state.value != "accepted"])
    findings.figures["events"] = len(events)
    for kind in ("attempt_started", "merged"):
        often = Counter(event.subject for event in events if event.type == kind)
        findings.refuse(f"jobs with two {kind} events", [s for s, n in often.items() if n > 1])
        findings.refuse(f"jobs without a {kind} event", [j.key for j in jobs if not often[f"job:{j.key}"]])  # fmt: skip
    findings.refuse("events that do not follow on the one before", _broken_chains(events))
    seen = Counter(
        (e.subject, str(e.data.get("activity_id"))) for e in events
        if e.type in {"activity_seen", "plan_generated"} and e.data.get("activity_id")
    )  # fmt: skip
    findings.refuse("activities told twice", [s for s, often in seen.items() if often > 1])


def _broken_chains(events: Sequence[Event]) -> list[str]:
    """Return where an event says that something changed from what it was not."""
    now: dict[str, str] = {}
    broken = []
    for event in events:
        if event.type not in {"job_state_changed", "task_state_changed"}:
            continue
        before, after = str(event.data.get("before")), str(event.data.get("after"))
        if now.get(event.subject, before) != before:
            broken.append(f"{event.subject}: {before} after {now[event.subject]} ({event.id})")
        now[event.subject] = after
    return broken
