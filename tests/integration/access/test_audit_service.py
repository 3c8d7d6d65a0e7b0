"""Verifying and pruning the audit log."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa
from tests.clocks import FakeClock
from tests.memory_access import opened

from jules_job_manager.adapters.storage.sql.engine import transaction
from jules_job_manager.domain.audit import Caller
from jules_job_manager.errors import DamagedStoreError, InvalidInputError
from jules_job_manager.services import audit as module
from jules_job_manager.services.access import SYSTEM
from jules_job_manager.services.audit import AuditService

US = Caller(principal=SYSTEM)


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
async def store(tmp_path, clock):
    async with opened(tmp_path, clock) as found:
        yield found


@pytest.fixture
def audit(store, clock):
    return AuditService(log=store.audit, clock=clock, retention=timedelta(days=10))


async def test_a_long_log_is_read_in_pages(audit, monkeypatch):
    """Whole, oldest first."""
    monkeypatch.setattr(module, "PAGE", 3)
    for number in range(8):
        await audit.record(US, "x.y", resource=str(number))
    assert [str(n) for n in range(8)] == [entry.resource async for entry in audit.entries()]
    found = await audit.verify()
    assert (8, ()) == (found.count, found.problems)


async def test_heads(audit):
    """With its number or without; what is none is refused."""
    entry = await audit.record(US, "x.y")
    for head in (entry.hash, f"1:{entry.hash}", f" 1:{entry.hash}\n"):
        assert () == (await audit.verify(expected_head=head)).problems
    assert 1 == len((await audit.verify(expected_head="1:" + "0" * 64)).problems)
    for head in ("x", "0" * 63, f"x:{entry.hash}", f":{entry.hash}", entry.hash.upper()):
        with pytest.raises(InvalidInputError):
            await audit.verify(expected_head=head)


async def test_pruning(audit, clock):
    """What is too old goes, once there is something; an old head is then told apart from a cut."""
    old = [await audit.record(US, "x.y") for _ in range(3)]
    assert await audit.prune(US) is None
    clock.advance(10 * 86400 + 1)
    new = await audit.record(US, "x.y")
    anchor = await audit.prune(US)
    assert ("jjm", 3) == (anchor.actor, anchor.removed_through)
    for head in (new.hash, anchor.hash, old[-1].hash):
        assert () == (await audit.verify(expected_head=head)).problems
    found = await audit.verify(expected_head=f"1:{old[0].hash}")
    assert ((), True) == (found.problems, found.is_head_too_old)
    assert await audit.prune(US) is None


async def test_evidence_is_not_pruned(audit, store, clock):
    """A log that was changed stays as it is."""
    await audit.record(US, "x.y")
    async with transaction(store.engine, writes=True) as connection:
        await connection.execute(sa.text("DROP TRIGGER audit_log_no_update"))
        await connection.execute(sa.text("UPDATE audit_log SET actor = 'eve'"))
    clock.advance(11 * 86400)
    with pytest.raises(DamagedStoreError, match="was changed"):
        await audit.prune(US)
    assert 1 == len(await store.audit.read())


async def test_for_ever(store, clock):
    """Without a retention nothing goes."""
    audit = AuditService(log=store.audit, clock=clock)
    await audit.record(US, "x.y")
    clock.advance(10**9)
    assert await audit.prune(US) is None
