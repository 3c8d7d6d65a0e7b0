"""The application of the command line notes every change that the API has a route for."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.environment import bare_environment

from jules_job_manager.bootstrap.audited import AuditedApp, open_audited
from jules_job_manager.domain.job import Job, JobStatus
from jules_job_manager.domain.plan import Plan, PlanStep
from jules_job_manager.domain.task import JulesTask, NewTask, TaskStatus
from jules_job_manager.errors import OperationFailedError, StoreUnavailableError
from jules_job_manager.services.plan_desk import PlanAnswer, PlanQuestion
from jules_job_manager.settings.load import load_settings

pytestmark = pytest.mark.integration
ROOT = Path(__file__).parents[3]
NOT_NOTED = {
    "create_key", "rotate_key", "revoke_key", "create_link", "sign_out_person",  # they note themselves
    "sign_out",  # of people in a browser
    "create_job", "create_jobs", "delete_job", "create_tasks",  # no command does it
    "check_task",  # changes nothing
    "review_job_again",  # here nothing is kept of it
}  # fmt: skip
PLAN = Plan(id="p", steps=(PlanStep(title="Read it"),))
TASK = JulesTask(id="7", status=TaskStatus.WAITING_APPROVAL, plan=PLAN, backend="simulator")


@pytest.fixture
async def app(tmp_path):
    """Return the application of the command line."""
    environ = bare_environment(JJM_HOME=str(tmp_path), JJM_BACKEND="simulator")
    async with open_audited(load_settings(environ)) as app:
        yield app


async def _noted(app):
    return [
        (e.operation, e.resource, e.result, e.after) for e in await app.store.audit.read(limit=100)
    ]


def test_every_route_that_changes_something_has_its_command():
    """A new route is noted by commands too, or listed above with the reason."""
    openapi = json.loads((ROOT / "docs" / "reference" / "openapi.json").read_text())
    changing = {
        operation["operationId"]
        for methods in openapi["paths"].values()
        for method, operation in methods.items()
        if method in {"post", "put", "patch", "delete"}
    }
    source = Path(__import__("jules_job_manager.bootstrap.audited", fromlist="x").__file__)
    text = source.read_text()
    missing = {name for name in changing if f'"{name}"' not in text}
    assert NOT_NOTED == missing
    assert len(changing - missing) > 20


async def test_a_decision_at_the_board_is_noted(app):
    """As the same thing done by another command would be; one that could not be done says why."""
    question = PlanQuestion(job=Job(key="J"), task_id="7", plan=PLAN, reason="", rule="")
    await app.note_answer(PlanAnswer(question=question, answer="approve"), "")
    await app.note_answer(PlanAnswer(question=question, answer="decline"), "")
    await app.note_answer(PlanAnswer(question=question, answer="approve"), "JJM030")
    approved, declined = {"approved_plan": PLAN.fingerprint}, {"declined_plan": PLAN.fingerprint}
    assert [
        ("api.approve_plan", "task:7", "done", {"is": approved}),
        ("api.decline_plan", "task:7", "done", {"is": declined}),
        ("api.approve_plan", "task:7", "failed", {"error": "JJM030"}),
    ] == await _noted(app)


async def test_declining_is_noted(app):
    """With the plan, or with what kept it from being done."""
    await app.interventions.decline_plan(TASK, PLAN.fingerprint)
    with pytest.raises(OperationFailedError):
        await app.interventions.decline_plan(TASK, "0" * 64)
    (_, _, done, _), (_, _, failed, _) = await _noted(app)
    assert ("done", "failed") == (done, failed)


async def test_what_the_queue_does_by_itself_is_not_noted(app):
    """Accounts and documents are those of an unattended program: their work has no person."""
    (account,) = app.accounts().values()
    assert type(account.tasks) is type(app._tasks_of(app.backend))
    assert type(app.documents()._backlogs) is type(app._backlogs())
    await app.store.jobs.save_jobs([Job(key="J", status=JobStatus.READY, prompt="p")])
    assert [] == await _noted(app)


async def test_an_entry_that_cannot_be_written_undoes_nothing(app, caplog):
    """The change stands, and the log has the words."""

    class Away:
        async def append(self, entries):
            raise StoreUnavailableError("The database is away.")

    app.store.audit = Away()
    await app.queue_admin.pause("lunch")
    assert isinstance(app, AuditedApp)
    assert "not in the audit log: pause_queue of 'queue' by cli:" in caplog.text
    assert await app.queue_admin.resume()


async def test_a_store_without_an_audit_log(tmp_path):
    """A JSON file keeps none; commands work all the same."""
    environ = bare_environment(
        JJM_HOME=str(tmp_path), JJM_BACKEND="simulator", JJM_STORAGE__BACKEND="json"
    )
    async with open_audited(load_settings(environ)) as app:
        new = NewTask(description="d", repository="octo/sample", branch="main")
        task = await app.tasks.create_task(new)
        assert await app.tasks.send_message(task.id, "go on") == task.id
        assert "json" == app.store.kind
