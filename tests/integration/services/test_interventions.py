"""What a person may do to a job, and what is refused."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.clocks import ImpatientClock

from jules_job_manager.domain.job import Attempt, AttemptState, ChecklistItem, Job, JobStatus
from jules_job_manager.errors import (
    InvalidInputError,
    JulesManagerError,
    OperationFailedError,
    StoreError,
)
from jules_job_manager.services.interventions import Interventions
from jules_job_manager.services.queue_state import QueueState

pytestmark = pytest.mark.integration

JOB = Job(key="Task 1", title="t", prompt="p", status=JobStatus.FAILED, backlog="/b.md")


def person(store) -> Interventions:
    return Interventions(store=store, clock=ImpatientClock(), actor="me")


async def test_a_task_is_adopted_once(store):
    """A job at work takes no second task, and a task belongs to one job."""
    other = replace(JOB, key="Task 2")
    await store.jobs.save_jobs([JOB, other])
    running = await person(store).adopt(JOB, "77", account="work")
    assert (JobStatus.RUNNING, "77") == (running.status, running.task_id)
    assert ["work"] == [attempt.account for attempt in await store.jobs.list_attempts(JOB.key)]
    with pytest.raises(InvalidInputError, match="Task 1 already has 77 at work"):
        await person(store).adopt(running, "78")
    with pytest.raises(InvalidInputError, match="Task 77 already belongs to Task 1"):
        await person(store).adopt(other, "77")
    with pytest.raises(InvalidInputError, match="is done"):
        await person(store).adopt(replace(other, status=JobStatus.DONE), "79")
    (event,) = await store.events.read(subject="job:Task 1")
    assert ("me", "running") == (event.actor, event.data["after"])


async def test_a_person_answers_for_a_line(store):
    """It is ticked with their words, and who said so is an event."""
    job = replace(JOB, checklist=(ChecklistItem(text="Looks good"),))
    await store.jobs.save_jobs([job])
    for line, evidence, said in ((0, "x", "no 0"), (2, "x", "no 2"), (1, "  ", "Say what")):
        with pytest.raises(InvalidInputError, match=said):
            await person(store).sign(job, line, evidence)
    signed = await person(store).sign(job, 1, "seen on  a phone")
    assert (True, "signed: seen on a phone") == (
        signed.checklist[0].checked,
        signed.checklist[0].evidence,
    )
    assert signed == await store.jobs.get_job(JOB.key)
    (event,) = await store.events.read(subject="job:Task 1")
    assert ("checklist_signed", "me") == (event.type, event.actor)
    with pytest.raises(OperationFailedError, match="changed meanwhile"):
        await person(store).sign(job, 1, "again")


async def test_an_attempt_that_is_being_created_counts(store):
    """A job whose task is being created right now is at work too."""
    await store.jobs.save_jobs([JOB])
    intended = Attempt(mark="m", job_key=JOB.key, number=1, state=AttemptState.INTENDED)
    await store.jobs.save_attempt(intended)
    with pytest.raises(InvalidInputError, match="a task being created"):
        await person(store).adopt(JOB, "77")


async def test_only_what_ended_badly_runs_again(store):
    """A failed job becomes ready; one at work, or without a prompt, does not."""
    await store.jobs.save_jobs([JOB])
    assert JobStatus.READY is (await person(store).retry(JOB)).status
    with pytest.raises(InvalidInputError, match="only failed and cancelled"):
        await person(store).retry(replace(JOB, status=JobStatus.RUNNING))
    with pytest.raises(InvalidInputError, match="no prompt"):
        await person(store).retry(replace(JOB, prompt=" "))
    with pytest.raises(OperationFailedError, match="changed meanwhile"):
        await person(store).retry(JOB)


class Documents:
    """Writes documents back, or fails as a test says."""

    def __init__(self) -> None:
        self.written: list[str] = []
        self.failure: JulesManagerError | None = None

    async def bring_in(self, path: str) -> None:
        raise AssertionError("nobody edits")

    async def write_back(self, path: str) -> None:
        self.written.append(path)
        if self.failure is not None:
            raise self.failure


async def test_a_job_that_changes_meanwhile_is_read_again(store, monkeypatch):
    """The change is made to what the job is by then; with no end to it, that is said."""
    await store.jobs.save_jobs([JOB])
    state = QueueState(store=store, clock=ImpatientClock(), report=lambda _: None)
    read = store.jobs.get_job
    raced = [True]

    async def racing(key):
        found = await read(key)
        if raced and found is not None:
            raced.pop()
            await store.jobs.save_jobs([replace(found, title="by another")])
        return found

    monkeypatch.setattr(store.jobs, "get_job", racing)
    done = await state.write(JOB, lambda job: replace(job, status=JobStatus.READY), "rule")
    assert ("by another", JobStatus.READY) == (done.title, done.status)
    raced.extend([True] * 1000)
    count = iter(range(1000))

    async def always(key):
        found = await read(key)
        await store.jobs.save_jobs([replace(found, title=f"t{next(count)}")])
        return found

    monkeypatch.setattr(store.jobs, "get_job", always)
    with pytest.raises(StoreError, match="keeps changing"):
        await state.write(JOB, lambda job: replace(job, status=JobStatus.DONE), "rule")


async def test_a_job_that_is_gone_or_needs_nothing(store):
    """No event is written for what did not change."""
    state = QueueState(store=store, clock=ImpatientClock(), report=lambda _: None)
    assert await state.write(JOB, lambda job: job, "rule") is None
    await store.jobs.save_jobs([JOB])
    assert JOB == await state.write(JOB, lambda job: job, "rule")
    assert not await state.set_status(JOB, JOB.status, JOB.reason, "rule")
    assert [] == list(await store.events.read())


async def test_documents_of_changed_jobs_are_written_and_a_failure_is_told_once(store):
    """The same trouble is not told again and again; once it is over and back, it is."""
    await store.jobs.save_jobs([JOB])
    told: list[str] = []
    documents = Documents()
    state = QueueState(
        store=store, clock=ImpatientClock(), report=lambda p: told.append(p.text), documents=documents
    )  # fmt: skip

    async def changed(reason: str) -> None:
        job = await store.jobs.get_job(JOB.key)
        assert await state.set_status(job, JobStatus.NEEDS_YOU, reason, "rule")
        await state.write_documents()

    documents.failure = StoreError("It is read-only.")
    await changed("one")
    await changed("two")
    documents.failure = None
    await changed("three")
    documents.failure = StoreError("It is read-only.")
    await changed("four")
    await state.write_documents()
    assert ["/b.md"] * 4 == documents.written
    assert 2 == sum("could not be brought up to date" in text for text in told)
    assert ["needs you: one", "needs you: two"] == [t for t in told if t.startswith("needs you")][
        :2
    ]
