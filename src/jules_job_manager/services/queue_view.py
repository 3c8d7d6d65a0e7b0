"""The queue as the store knows it, without asking Jules: for `why`, `quota --cached` and dry runs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from jules_job_manager.domain import orchestration as o
from jules_job_manager.domain.quota import EDGE, WINDOW, AccountUse
from jules_job_manager.domain.task import JulesTask
from jules_job_manager.ports.clock import Clock
from jules_job_manager.ports.store import Store
from jules_job_manager.ports.task_store import TaskQuery
from jules_job_manager.services.accounts import Account, PlanChoice, account_use
from jules_job_manager.services.observer import MOST_LISTED, Look, Observer
from jules_job_manager.services.queue_look import LEDGER_SPAN, PAUSED_NOTE


async def stored_look(store: Store, backend: str, clock: Clock) -> Look:
    """Return what the store knows of an account's tasks, as if Jules had been looked at."""
    query = TaskQuery(backend=backend, include_archived=True, limit=MOST_LISTED)
    page = await store.tasks.list_tasks(query)
    edge = clock.now() - WINDOW - EDGE
    starts = {t.id: t.created_at for t in page.tasks if t.created_at and t.created_at > edge}
    at_work = sum(not task.status.is_finished for task in page.tasks)
    return Look(tasks={task.id: task for task in page.tasks}, starts=starts, at_work=at_work)


async def stored_uses(
    store: Store, accounts: Mapping[str, tuple[str, PlanChoice]], clock: Clock
) -> dict[str, AccountUse]:
    """Return what each account has used, as far as the store knows.

    Args:
        store: Must be a SQL store.
        accounts: Name of the backend and limits, by account.
        clock: Tells the time.
    """
    now = clock.now()
    ledger = await store.ledger.read(since=now - LEDGER_SPAN)
    attempts = await store.jobs.list_attempts()
    found = {}
    for name, (backend, choice) in accounts.items():
        look = await stored_look(store, backend, clock)
        found[name] = account_use(name, choice, look, ledger, attempts, now)
    return found


async def fresh_uses(
    store: Store, accounts: Iterable[Account], clock: Clock
) -> dict[str, AccountUse]:
    """Ask Jules for the tasks of each account, and return what it has used.

    Args:
        store: Must be a SQL store.
        accounts: Which; their own observers are left alone, because somebody may watch with them.
        clock: Tells the time.

    Raises:
        BackendConnectionError, OperationFailedError, AuthenticationError: a look failed.
    """
    now = clock.now()
    ledger = await store.ledger.read(since=now - LEDGER_SPAN)
    attempts = await store.jobs.list_attempts()
    found = {}
    for account in accounts:
        observer = Observer(
            backend=account.backend, tasks=account.tasks, store=store, clock=clock, per_minute=1
        )
        look = await observer.look((), since={})
        found[account.name] = account_use(account.name, account.choice, look, ledger, attempts, now)
    return found


async def stored_snapshot(
    store: Store, accounts: Mapping[str, tuple[str, PlanChoice]], clock: Clock
) -> o.Snapshot:
    """Return the snapshot that the store alone makes up."""
    jobs = tuple(await store.jobs.list_jobs())
    attempts = tuple(await store.jobs.list_attempts())
    tasks: dict[str, JulesTask] = {}
    for backend, _ in accounts.values():
        tasks.update((await stored_look(store, backend, clock)).tasks)
    return o.Snapshot(
        jobs=jobs, attempts=attempts, tasks=tasks,
        accounts=await stored_uses(store, accounts, clock),
        paused=await store.get_note(PAUSED_NOTE) or "",
    )  # fmt: skip
