"""The description of the interface, and that the interface keeps to it whatever it is sent."""

from __future__ import annotations

import importlib.util
import sys
import traceback
from pathlib import Path

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance
from tests.environment import bare_environment
from tests.service_thread import running_service

from jules_job_manager.domain.activity import Activity, ActivityKind
from jules_job_manager.domain.artifact import ChangeSet
from jules_job_manager.domain.event import Event
from jules_job_manager.domain.job import Attempt, Job
from jules_job_manager.domain.plan import Plan
from jules_job_manager.domain.quota import AccountUse
from jules_job_manager.domain.review import CheckResult, Conclusion, Review, Verdict
from jules_job_manager.domain.task import JulesTask, Source
from jules_job_manager.web.schemas import jobs, queue, tasks

pytestmark = [pytest.mark.integration, pytest.mark.slow]
ROOT = Path(__file__).parents[3]
PARTS = 4
"""Tests that share the operations, so that several processes can."""


def test_models_have_the_members_that_are_sent():
    """What our values say of themselves is what the models declare: nothing is cut off on the way."""
    from datetime import UTC, datetime

    now = datetime(2026, 11, 1, tzinfo=UTC)
    check = CheckResult(name="c", conclusion=Conclusion.SUCCESS)
    review = Review(
        job_key="k", mark="m", delivered_commit="d", base_commit="b", verdict=Verdict.ACCEPT
    )
    pairs = [
        (tasks.TaskOut, JulesTask(id="1").to_dict()),
        (tasks.PlanOut, Plan().to_dict()),
        (tasks.ActivityOut, Activity(id="a", task_id="1", kind=ActivityKind.UNKNOWN).to_dict()),
        (tasks.ChangeSetOut, ChangeSet().to_dict()),
        (tasks.SourceOut, Source(name="s").to_dict()),
        (jobs.JobOut, Job(key="k").to_dict()),
        (jobs.AttemptOut, Attempt(mark="m", job_key="k", number=1).to_dict()),
        (jobs.CheckResultOut, check.to_dict()),
        (jobs.ReviewOut, review.to_dict()),
        (queue.EventOut, Event(id=1, type="t", subject="s", at=now).to_dict()),
        (queue.QuotaOut, AccountUse().to_dict(now)),
    ]
    for model, value in pairs:
        assert set(model.model_fields) == set(value), model
        assert model.model_validate(value).model_dump(mode="json") == value


def test_the_client_is_that_of_this_interface():
    """What scripts/generate_client.py writes is what is in the repository."""
    spec = importlib.util.spec_from_file_location(
        "generate_client", ROOT / "scripts" / "generate_client.py"
    )
    module = importlib.util.module_from_spec(spec)
    sys.modules["generate_client"] = module
    spec.loader.exec_module(module)
    for path, text in module.written().items():
        assert path.read_text("utf-8") == text, f"run scripts/generate_client.py: {path.name}"


@pytest.mark.parametrize("part", range(PARTS))
def test_whatever_is_sent_is_answered_as_described(tmp_path, part):
    """Requests made up from the description never meet a server error or an answer it does not name."""
    environ = bare_environment(
        JJM_HOME=str(tmp_path / "home"),
        JJM_BACKEND="simulator",
        JJM_SIMULATOR__SPEED="0",
        JJM_RATE_LIMITS__ENABLED="false",
    )
    with running_service(environ) as there:
        headers = {"Authorization": f"Bearer {there.key}"}
        described = schemathesis.openapi.from_url(f"{there.address}/api/v1/openapi.json")
        described = described.exclude(path_regex="/(stream|ws)$")
        failures: list[str] = []
        operations = sorted(described.get_all_operations(), key=lambda found: found.ok().label)
        assert len(operations) > 10 * PARTS
        for found in operations[part::PARTS]:
            _try(found.ok(), headers, failures)
    assert not failures, "\n\n".join(failures[:5])


def test_what_the_stream_refuses_is_answered_as_described(tmp_path):
    """A stream has no end that a made-up request could wait for; what it refuses has one."""
    refused = [
        {"since": "monday"}, {"until": "9999-12-31T23:00:00-09:00"}, {"since": ""}, {"after": "x"}, {"after": "99"},
        {"after": "1" * 21}, {"named": "perhaps"}, {"type": ["a", "x" * 301]}, {"task": ["1"] * 51},
        {"job": "x" * 301}, {"subject": "y" * 301},
    ]  # fmt: skip
    environ = bare_environment(JJM_HOME=str(tmp_path / "home"), JJM_BACKEND="simulator")
    with running_service(environ) as there:
        described = schemathesis.openapi.from_url(f"{there.address}/api/v1/openapi.json")
        operation = described["/api/v1/events/stream"]["GET"]
        for query in refused:
            case = operation.Case(query=query)
            answer = case.call(headers={"Authorization": f"Bearer {there.key}"}, timeout=60)
            case.validate_response(answer, excluded_checks=[positive_data_acceptance])
            assert 400 == answer.status_code, query
            assert "application/problem+json" == answer.headers["content-type"][0], query
            assert "JJM" == answer.json()["code"][:3], query


def _try(operation, headers: dict[str, str], failures: list[str]) -> None:
    from hypothesis import given

    in_batch = [negative_data_rejection] if operation.path.endswith("/batch") else []

    @settings(
        max_examples=10, deadline=None, derandomize=True, database=None,
        phases=[Phase.explicit, Phase.generate], suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(case=operation.as_strategy())
    def sent(case) -> None:
        # A value of the right form can still be no repository: that is 400, as is described. An item
        # of a batch that has a wrong form is told within an answer of 200.
        excluded = [positive_data_acceptance, *in_batch]
        case.call_and_validate(headers=headers, excluded_checks=excluded, timeout=60)

    try:
        sent()
    except (Exception, BaseExceptionGroup) as exc:  # noqa: BLE001 - all are tried, then told
        failures.append(f"{operation.label}: {''.join(traceback.format_exception(exc))}")
