"""The job graph."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jules_job_manager.domain import graph
from jules_job_manager.domain.job import Job, JobStatus, Priority

KEYS = st.integers(0, 12).map(str)
ANY = st.dictionaries(KEYS, st.lists(KEYS, max_size=4))
ACYCLIC = st.dictionaries(st.integers(0, 12), st.lists(st.integers(0, 12), max_size=4)).map(
    lambda d: {str(k): [str(n) for n in needs if n < k] for k, needs in d.items()}
)


@given(found=ANY)
def test_a_cycle_is_a_real_path_and_no_cycle_means_an_order(found: graph.Dependencies) -> None:
    """Either a path of real dependencies returns to its start, or everything can be ordered."""
    cycle = graph.find_cycle(found)
    if cycle:
        assert cycle[0] == cycle[-1]
        assert all(b in found[a] for a, b in pairwise(cycle))
        with pytest.raises(ValueError, match="cycle"):
            graph.topological_order(found)
    else:
        assert sorted(found) == sorted(graph.topological_order(found))


@given(found=ACYCLIC)
def test_order_and_layers_put_dependencies_first(found: graph.Dependencies) -> None:
    """Nothing stands before, or in the row of, what it depends on; each key stands once."""
    order = {key: n for n, key in enumerate(graph.topological_order(found))}
    row = {key: n for n, keys in enumerate(graph.layers(found)) for key in keys}
    assert set(found) == set(order) == set(row)
    for key, needs in found.items():
        for needed in set(needs) & set(found):
            assert order[needed] < order[key]
            assert row[needed] < row[key]
            assert key in graph.dependents_of(found)[needed]


@given(found=ANY, known=st.lists(KEYS, max_size=3))
def test_missing_dependencies_are_exactly_the_unknown_ones(
    found: graph.Dependencies, known: list[str]
) -> None:
    """A dependency is missing when it is neither in the graph nor known elsewhere."""
    faults = graph.find_faults(found, known=known)
    expected = {(k, n) for k, needs in found.items() for n in needs if n not in {*found, *known}}
    assert expected == set(faults.missing)
    assert faults.is_empty == (not expected and not graph.find_cycle(found))


def test_a_long_chain_is_no_trouble() -> None:
    """Ten thousand jobs in a row neither overflow the stack nor take long."""
    chain = {str(n): [str(n + 1)] for n in range(10_000)} | {"10000": []}
    assert graph.find_cycle(chain) == ()
    assert graph.topological_order(chain)[0] == "10000"
    assert len(graph.layers(chain)) == 10_001


def test_ready_jobs_come_by_urgency_then_place() -> None:
    """Only jobs with a prompt whose dependencies are done count."""
    jobs = [
        Job(key="a", prompt="p", status=JobStatus.DONE),
        Job(key="b", prompt="p", status=JobStatus.READY, priority=Priority.LOW),
        Job(key="c", prompt="p", status=JobStatus.BLOCKED, depends_on=("a",)),
        Job(key="d", prompt="p", status=JobStatus.READY, depends_on=("b", "x")),
        Job(key="e", status=JobStatus.READY),
        Job(key="f", prompt="p", status=JobStatus.RUNNING),
    ]
    assert ("c", "b") == graph.ready_keys(jobs)
    assert ("b", "x") == graph.blockers(jobs[3], {job.key: job.status for job in jobs})
