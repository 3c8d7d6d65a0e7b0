"""The graph of jobs: what waits for what. Pure functions over `key -> keys it depends on`.

Every function is linear in jobs plus dependencies and uses no recursion, so a chain of ten
thousand jobs is as safe as one of ten.
"""

from __future__ import annotations

import heapq
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from jules_job_manager.domain.job import Job, JobStatus

Dependencies = Mapping[str, Sequence[str]]
"""For each job the keys it depends on."""


@dataclass(frozen=True, kw_only=True, slots=True)
class GraphFaults:
    """What is wrong with a graph. All empty when it can be run."""

    missing: tuple[tuple[str, str], ...] = ()
    """Pairs of a job and the unknown key it depends on."""
    cycle: tuple[str, ...] = ()
    """One cycle as a path that ends where it begins; of length two when a job waits for itself."""

    @property
    def is_empty(self) -> bool:
        """Whether nothing is wrong."""
        return not self.missing and not self.cycle


def dependencies_of(jobs: Iterable[Job]) -> dict[str, tuple[str, ...]]:
    """Return the graph of `jobs`, in their order, each dependency named once."""
    return {job.key: tuple(dict.fromkeys(job.depends_on)) for job in jobs}


def find_faults(graph: Dependencies, *, known: Collection[str] = ()) -> GraphFaults:
    """Look for unknown dependencies and for a cycle.

    Args:
        graph: The jobs looked at.
        known: Keys that exist elsewhere and may be depended on.
    """
    missing = tuple(
        (key, needed)
        for key, needs in graph.items()
        for needed in needs
        if needed not in graph and needed not in known
    )
    return GraphFaults(missing=missing, cycle=find_cycle(graph))


def find_cycle(graph: Dependencies) -> tuple[str, ...]:
    """Return one cycle as a path (first key repeated at the end), or an empty tuple."""
    finished: set[str] = set()
    for root in graph:
        if root not in finished:
            path = _walk(graph, root, finished)
            if path:
                return path
    return ()


def _walk(graph: Dependencies, root: str, finished: set[str]) -> tuple[str, ...]:
    path = {root: iter(graph[root])}
    while path:
        key = next(reversed(path))
        needed = next(path[key], None)
        if needed is None:
            finished.add(key)
            del path[key]
        elif needed in path:
            trail = list(path)
            return (*trail[trail.index(needed) :], needed)
        elif needed in graph and needed not in finished:
            path[needed] = iter(graph[needed])
    return ()


def topological_order(graph: Dependencies) -> tuple[str, ...]:
    """Return every key after all it depends on; among equals, the order of `graph`.

    Dependencies outside the graph count as met.

    Raises:
        ValueError: the graph has a cycle.
    """
    place = {key: index for index, key in enumerate(graph)}
    keys = list(graph)
    waiting = {key: _inner(graph, key) for key in graph}
    open_count = {key: len(needs) for key, needs in waiting.items()}
    dependents = dependents_of(graph)
    free = [place[key] for key, count in open_count.items() if count == 0]
    heapq.heapify(free)
    order: list[str] = []
    while free:
        key = keys[heapq.heappop(free)]
        order.append(key)
        for dependent in dependents[key]:
            open_count[dependent] -= 1
            if open_count[dependent] == 0:
                heapq.heappush(free, place[dependent])
    if len(order) != len(keys):
        raise ValueError("the graph has a cycle: " + " → ".join(find_cycle(graph)))
    return tuple(order)


def layers(graph: Dependencies) -> tuple[tuple[str, ...], ...]:
    """Return the keys in rows for drawing: each key stands one row below its lowest dependency.

    Raises:
        ValueError: the graph has a cycle.
    """
    depth: dict[str, int] = {}
    for key in topological_order(graph):
        depth[key] = 1 + max((depth[needed] for needed in _inner(graph, key)), default=-1)
    rows: list[list[str]] = [[] for _ in range(1 + max(depth.values(), default=-1))]
    for key in graph:
        rows[depth[key]].append(key)
    return tuple(tuple(row) for row in rows)


def dependents_of(graph: Dependencies) -> dict[str, tuple[str, ...]]:
    """Return the arrows turned round: for each key, those that depend on it directly."""
    turned: dict[str, list[str]] = {key: [] for key in graph}
    for key in graph:
        for needed in _inner(graph, key):
            turned[needed].append(key)
    return {key: tuple(found) for key, found in turned.items()}


def statuses_for_dependents(jobs: Iterable[Job]) -> dict[str, JobStatus]:
    """Return the status of each job as those that depend on it see it: a skipped one holds nobody."""
    return {job.key: JobStatus.DONE if job.skipped else job.status for job in jobs}


def blockers(job: Job, statuses: Mapping[str, JobStatus]) -> tuple[str, ...]:
    """Return the direct dependencies of `job` that are not done, in its own order.

    A dependency that is not in `statuses` blocks.
    """
    return tuple(key for key in job.depends_on if statuses.get(key) is not JobStatus.DONE)


def ready_keys(jobs: Sequence[Job]) -> tuple[str, ...]:
    """Return the jobs that could start now, most urgent first, then in the order given.

    These are the ready and blocked ones with a prompt whose dependencies are all done.
    """
    statuses = statuses_for_dependents(jobs)
    free = [
        job
        for job in jobs
        if job.status in {JobStatus.READY, JobStatus.BLOCKED}
        and job.prompt
        and not blockers(job, statuses)
    ]
    return tuple(job.key for job in sorted(free, key=lambda job: job.priority.rank))


def _inner(graph: Dependencies, key: str) -> tuple[str, ...]:
    return tuple(needed for needed in dict.fromkeys(graph[key]) if needed in graph)
