"""What an account has used, and the queue as the store alone knows it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from tests.clocks import FakeClock

from jules_job_manager.domain.job import Attempt, AttemptState, Job, JobStatus
from jules_job_manager.domain.orchestration import Policy, WaitKind, explain
from jules_job_manager.domain.quota import EDGE, WINDOW
from jules_job_manager.domain.task import JulesTask, TaskStatus
from jules_job_manager.ports.quota_ledger import LedgerEntry
from jules_job_manager.services.accounts import PlanChoice, account_use
from jules_job_manager.services.observer import Look
from jules_job_manager.services.queue_look import PAUSED_NOTE
from jules_job_manager.services.queue_view import stored_look, stored_snapshot, stored_uses

pytestmark = pytest.mark.integration
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
PRO = PlanChoice(plan="pro")


def attempt(mark: str, *, task_id: str = "", account: str = "default", state=None) -> Attempt:
    state = state or (AttemptState.LIVE if task_id else AttemptState.INTENDED)
    return Attempt(
        mark=mark, job_key=f"job {mark}", number=1, task_id=task_id, account=account, state=state
    )


def start(mark: str, *, at=NOW - HOUR, account: str = "default") -> LedgerEntry:
    return LedgerEntry(account=account, kind="start", at=at, mark=mark)


def refusal(until: datetime, *, account: str = "default") -> LedgerEntry:
    return LedgerEntry(account=account, kind="refusal", at=NOW - HOUR, until=until)


def use(look=None, ledger=(), attempts=(), *, choice=PRO):
    return account_use("default", choice, look or Look(), ledger, attempts, NOW)


def test_a_task_is_counted_once_and_at_the_time_jules_gives():
    """What was reserved here and is listed there is one task."""
    look = Look(starts={"7": NOW - HOUR / 2}, at_work=1)
    found = use(look, [start("a")], [attempt("a", task_id="7")])
    assert ((NOW - HOUR / 2,), 1) == (found.starts, found.at_work)


def test_a_task_that_no_list_shows_yet_counts_by_its_reservation():
    """Lists lag behind a create; until they show the task its reservation stands for it."""
    found = use(Look(), [start("a")], [attempt("a", task_id="7")])
    assert (NOW - HOUR,) == found.starts


def test_an_intended_task_is_taken_to_be_created_now():
    """It is created later than it was intended, so it counts to the last possible moment."""
    found = use(Look(), [start("a", at=NOW - 20 * HOUR)], [attempt("a")])
    assert (NOW,) == found.starts


def test_an_attempt_that_ended_without_a_task_gives_its_reservation_back():
    """Jules refused the create, so nothing was used."""
    ended = attempt("a", state=AttemptState.FAILED)
    assert () == use(Look(), [start("a")], [ended]).starts


def test_accounts_do_not_count_for_each_other():
    """Tasks, reservations and refusals of another account change nothing here."""
    ledger = [start("b", account="two"), refusal(NOW + HOUR, account="two")]
    found = use(Look(), ledger, [attempt("b", account="two")])
    assert ((), None, 15) == (found.starts, found.refused_until, found.room(NOW))


def test_tasks_made_elsewhere_take_quota_and_slots():
    """A task of the web page is no attempt of ours and counts all the same."""
    web = {f"w{n}": NOW - HOUR for n in range(98)}
    found = use(Look(starts=web, at_work=13), [start("a")], [attempt("a")])
    assert 1 == found.room(NOW)
    assert 2 == replace(found, starts=found.starts[:-1]).room(NOW)


def test_the_longest_refusal_counts():
    """A refusal that ends earlier does not shorten one that ends later."""
    found = use(ledger=[refusal(NOW + HOUR), refusal(NOW + HOUR / 2)])
    assert (0, NOW + HOUR) == (found.room(NOW), found.next_day_slot(NOW))
    assert 15 == found.room(NOW + HOUR)


def test_what_left_the_window_is_not_kept():
    """A start older than the window and its edge is no start any more."""
    old, edge = NOW - WINDOW - EDGE, NOW - WINDOW
    assert (edge,) == use(Look(starts={"1": old, "2": edge})).starts


def test_a_plan_is_read_off_what_jules_allowed():
    """More tasks than the small plan allows show that it is a larger one."""
    web = {f"w{n}": NOW - HOUR for n in range(16)}
    limits = use(Look(starts=web), choice=PlanChoice()).limits
    assert ("pro", "observed") == (limits.plan, limits.provenance.value)


def task(task_id: str, status: TaskStatus, hours: float, *, backend: str = "rest") -> JulesTask:
    return JulesTask(id=task_id, status=status, created_at=NOW - hours * HOUR, backend=backend,
                     seen_at=NOW)  # fmt: skip


@pytest.fixture
async def known(store):
    """A store with tasks of two accounts, one of them used up by tasks made elsewhere."""
    await store.tasks.save_tasks([
        task("1", TaskStatus.IN_PROGRESS, 1),
        task("2", TaskStatus.COMPLETED, 2),
        replace(task("3", TaskStatus.COMPLETED, 3), archived=True),
        task("4", TaskStatus.COMPLETED, 25),
        task("5", TaskStatus.PAUSED, 4, backend="rest:two"),
    ])  # fmt: skip
    return store


ACCOUNTS = {
    "default": ("rest", PlanChoice(plan="pro", per_day=3)),
    "two": ("rest:two", PlanChoice(plan="free")),
}


async def test_the_stored_look_counts_one_account_and_the_archived(known):
    """Archived tasks count in the quota; those of another account or another day do not."""
    look = await stored_look(known, "rest", FakeClock(NOW))
    assert ({"1", "2", "3"}, 1) == (set(look.starts), look.at_work)
    assert {"1", "2", "3", "4"} == set(look.tasks)


async def test_stored_uses_put_tasks_and_the_ledger_together(known):
    """Each account has its own pool, with its own reservations and refusals."""
    await known.jobs.save_jobs([Job(key="job a", title="t", prompt="p")])
    await known.jobs.save_attempt(attempt("a", account="two"))
    await known.ledger.append([start("a", account="two"), refusal(NOW + HOUR)])
    uses = await stored_uses(known, ACCOUNTS, FakeClock(NOW))
    first, second = uses["default"], uses["two"]
    assert (3, NOW + HOUR) == (first.used(NOW), first.refused_until)
    assert ((NOW - 4 * HOUR, NOW), 1, None) == (
        second.starts, second.at_work, second.refused_until,
    )  # fmt: skip


async def test_entries_older_than_the_window_are_not_read(known):
    """A reservation of another day is no use of today's quota."""
    await known.jobs.save_jobs([Job(key="job a", title="t", prompt="p")])
    await known.jobs.save_attempt(attempt("a", task_id="gone"))
    await known.ledger.append([start("a", at=NOW - 26 * HOUR)])
    uses = await stored_uses(known, ACCOUNTS, FakeClock(NOW))
    assert 3 == uses["default"].used(NOW)


async def test_the_stored_snapshot_tells_why_a_job_waits(known):
    """`queue why` needs no key and no network: it says when the window opens, by what was stored."""
    job = Job(key="A", title="t", prompt="p", status=JobStatus.READY, repository="o/n",
              base_branch="main")  # fmt: skip
    await known.jobs.save_jobs([job])
    accounts = {"default": ACCOUNTS["default"]}
    snapshot = await stored_snapshot(known, accounts, FakeClock(NOW))
    wait, ahead = explain(snapshot, job, NOW, Policy())
    assert wait is not None
    assert (WaitKind.QUOTA, NOW - 3 * HOUR + WINDOW + EDGE, 0) == (wait.kind, wait.until, ahead)


async def test_the_stored_snapshot_says_that_the_queue_is_paused(known):
    """A pause is a note in the store, so everybody who looks knows it."""
    assert "" == (await stored_snapshot(known, ACCOUNTS, FakeClock(NOW))).paused
    await known.set_note(PAUSED_NOTE, "release day")
    assert "release day" == (await stored_snapshot(known, ACCOUNTS, FakeClock(NOW))).paused
