"""What clients are told of errors, and what they are not."""

from __future__ import annotations

import json

import pytest

from jules_job_manager.adapters.storage.sql.failures import away
from jules_job_manager.errors import StoreError
from jules_job_manager.services.health import _probed
from jules_job_manager.web.problems import problem_of

ADDRESS = "postgresql://db.example:5432/jjm"


def test_clients_do_not_learn_where_the_database_is():
    """Nor what its owner could set; the message for its owner has both."""
    error = away(ADDRESS, OSError("Connect call failed ('10.0.0.5', 5432)"))
    assert ADDRESS in error.message
    assert "storage.fallback" in str(error.hint)
    told = problem_of(error, "r1")
    body = json.loads(told.body)
    assert (503, "The database cannot be reached.") == (told.status_code, body["detail"])
    assert "Whoever runs the service finds more in its log." == body["hint"]
    for word in ("db.example", "10.0.0.5", "fallback"):
        assert word not in bytes(told.body).decode()


def test_other_errors_are_told_as_they_are():
    """They name nothing of the kind."""
    body = json.loads(problem_of(StoreError("It is full.", hint="Make room."), "r1").body)
    assert ("It is full.", "Make room.") == (body["detail"], body["hint"])


@pytest.mark.asyncio
async def test_health_does_not_tell_it_either():
    """Its details are for clients, too."""

    async def probe():
        raise away(ADDRESS, OSError("no"))

    assert "The database cannot be reached." == (await _probed(probe)).message
