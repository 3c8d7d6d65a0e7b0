"""What is built from settings, the hourly tidying, and the audit of requests in trouble."""

from __future__ import annotations

import logging
from typing import Annotated

import pytest
from fastapi import Depends, Request
from tests.clocks import FakeClock
from tests.memory_access import opened
from tests.web_access import ADMIN, world

from jules_job_manager.bootstrap import access as bootstrap
from jules_job_manager.domain.access import Permission, Principal, Role
from jules_job_manager.domain.change_notes import ChangeNote
from jules_job_manager.errors import ConfigurationError, StoreUnavailableError
from jules_job_manager.settings.load import load_settings
from jules_job_manager.web.access import needs
from jules_job_manager.web.auditing import note_change

TasksWriter = Annotated[Principal, Depends(needs(Permission.TASKS_WRITE))]


@pytest.fixture
def clock():
    return FakeClock()


async def test_tidying(tmp_path, clock):
    """What expired is forgotten, old entries of the audit log go, and the rest is still proved."""
    settings = load_settings({"JJM_HOME": str(tmp_path), "JJM_ACCESS__AUDIT_RETENTION_DAYS": "1"})
    async with opened(tmp_path, clock) as store:
        sign_in = bootstrap.sign_in_of(store, settings, clock)
        await sign_in.redeem((await sign_in.link("Ada", Role.VIEWER, caller=ADMIN)).text)
        await sign_in.link("Bob", Role.VIEWER, caller=ADMIN)
        await store.idempotency.claim(
            "ada", "k", fingerprint="f", token="t", lease_seconds=1, keep_seconds=60
        )
        nothing = {"sign_ins": 0, "answers": 0, "audit_entries": 0}
        assert nothing == await bootstrap.tidy(store, settings, clock)
        clock.advance(8 * 86400)
        assert {"sign_ins": 2, "answers": 1, "audit_entries": 3} == await bootstrap.tidy(
            store, settings, clock
        )
        audit = bootstrap.audit_of(store, settings, clock)
        assert () == (await audit.verify()).problems
        assert nothing == await bootstrap.tidy(store, settings, clock)


async def test_a_provider_from_the_settings(tmp_path, clock):
    """Only where people come from it; wrong settings are told when the server starts."""
    good = {
        "JJM_HOME": str(tmp_path), "JJM_ACCESS__OIDC_ISSUER": "https://id.example.org",
        "JJM_ACCESS__OIDC_CLIENT_ID": "jjm",
    }  # fmt: skip
    async with opened(tmp_path, clock) as store:
        settings = load_settings(good)
        assert bootstrap.sign_in_of(store, settings, clock, with_provider=True).has_provider
        assert not bootstrap.sign_in_of(store, settings, clock).has_provider
        wrong = load_settings({**good, "JJM_ACCESS__OIDC_ISSUER": "http://id.example.org"})
        with pytest.raises(ConfigurationError, match="unencrypted"):
            bootstrap.sign_in_of(store, wrong, clock, with_provider=True)


async def test_a_route_may_say_more(tmp_path, clock):
    """What it was before and is now, without the secrets in it."""
    async with world(tmp_path, clock) as there:

        @there.app.put("/thing", operation_id="change_thing")
        async def change(request: Request, who: TasksWriter):
            note_change(
                request,
                ChangeNote(resource="thing:1", before={"token": "x"}, after={"title": "new"}),
            )
            return who.name

        client = there.client(**{"X-API-Key": await there.key()})
        assert 200 == (await client.put("/thing")).status_code
        entry = (await there.store.audit.read())[-1]
    assert ("api.change_thing", "thing:1", {"token": "********"}) == (
        entry.operation, entry.resource, entry.before
    )  # fmt: skip
    assert {"status": 200, "is": {"title": "new"}} == entry.after


async def test_a_request_that_breaks_is_in_the_audit_log(tmp_path, clock):
    """What was done of it nobody knows, so it is said to have failed."""
    async with world(tmp_path, clock) as there:

        @there.app.post("/breaks", operation_id="break_it")
        async def breaks(who: TasksWriter):
            raise RuntimeError(who.name)

        client = there.client(**{"X-API-Key": await there.key()})
        with pytest.raises(RuntimeError):
            await client.post("/breaks")
        assert ("ci", "api.break_it", "failed") == (await there.said())[-1]


async def test_an_audit_log_that_cannot_be_written(tmp_path, clock, caplog):
    """The answer stands, since the work is done; the log file has what the audit lacks."""

    class Away:
        async def append(self, entries):
            raise StoreUnavailableError

    async with world(tmp_path, clock) as there:
        client = there.client(**{"X-API-Key": await there.key()})
        there.gate.audit._log = Away()
        with caplog.at_level(logging.ERROR):
            assert 201 == (await client.post("/api/v1/tasks/1")).status_code
    assert (
        "not in the audit log: change_task of '/api/v1/tasks/1' by ci from 10.0.0.1, done (201)"
        in caplog.text
    )
