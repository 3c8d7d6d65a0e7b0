"""Limits of requests: in memory, in Redis, and while Redis is away."""

from __future__ import annotations

import pytest
from tests.clocks import FakeClock
from tests.servers import NO_REDIS, RedisServer, private_redis
from tests.web_access import world

from jules_job_manager.domain.access import Role
from jules_job_manager.domain.health import HealthStatus
from jules_job_manager.errors import ConfigurationError, RateLimitedError
from jules_job_manager.web.rate_limits import LimitRules, RateLimits, endpoint_limits

pytestmark = pytest.mark.integration
FEW = {
    "JJM_RATE_LIMITS__PER_MINUTE": "3", "JJM_RATE_LIMITS__ANONYMOUS_PER_MINUTE": "2",
    "JJM_RATE_LIMITS__FAILED_SIGN_INS_PER_MINUTE": "2",
}  # fmt: skip


@pytest.fixture
def clock():
    return FakeClock()


async def test_one_key_too_often(tmp_path, clock):
    """The headers count down; then 429 with when to come again; another key is not touched."""
    async with world(tmp_path, clock, **FEW) as there:
        async with there.client(**{"X-API-Key": await there.key()}) as client:
            answers = [await client.get("/api/v1/tasks") for _ in range(4)]
        async with there.client(**{"X-API-Key": await there.key(name="other")}) as client:
            assert 200 == (await client.get("/api/v1/tasks")).status_code
    assert [200, 200, 200, 429] == [answer.status_code for answer in answers]
    assert ["2", "1", "0", "0"] == [answer.headers["x-ratelimit-remaining"] for answer in answers]
    assert {"3"} == {answer.headers["x-ratelimit-limit"] for answer in answers}
    last = answers[-1].headers
    assert '"default";q=3;w=60' == last["ratelimit-policy"]
    assert f'"default";r=0;t={last["retry-after"]}' == last["ratelimit"]
    assert 0 < int(last["retry-after"]) <= 60
    assert int(last["x-ratelimit-reset"]) > 1_700_000_000


async def test_admins_are_exempt_unless_they_are_not(tmp_path, clock):
    """By the setting."""
    for exempt, statuses in (("true", {200}), ("false", {200, 429})):
        folder = tmp_path / exempt
        folder.mkdir()
        more = {**FEW, "JJM_RATE_LIMITS__EXEMPT_ADMINS": exempt}
        async with world(folder, clock, **more) as there:
            client = there.client(**{"X-API-Key": await there.key(Role.ADMIN)})
            found = {(await client.get("/api/v1/tasks")).status_code for _ in range(5)}
        assert statuses == found


async def test_an_endpoint_of_its_own(tmp_path, clock):
    """Counted besides the limit of all, for whatever stands in its path."""
    more = {"JJM_RATE_LIMITS__ENDPOINTS": "POST /api/v1/tasks/{task}=1"}
    async with world(tmp_path, clock, **more) as there:
        client = there.client(**{"X-API-Key": await there.key()})
        first, second = [await client.post(f"/api/v1/tasks/{n}") for n in range(2)]
        assert 200 == (await client.get("/api/v1/tasks")).status_code
    assert (201, 429) == (first.status_code, second.status_code)
    assert '"POST /api/v1/tasks/{task}";q=1;w=60' == second.headers["ratelimit-policy"]


async def test_an_address_without_a_key(tmp_path, clock):
    """Pages for everybody are counted by address, of IPv6 by its network; others are not touched."""
    async with world(tmp_path, clock, **FEW) as there:
        statuses = []
        for address in ("2001:db8::1", "2001:db8::2", "2001:db8::3", "2001:db8:0:1::1"):
            async with there.client(address=address) as client:
                statuses.append((await client.get("/api/v1/open")).status_code)
    assert [200, 200, 429, 200] == statuses


async def test_guessing_keys(tmp_path, clock):
    """Soon refused without more entries in the log; a good key of the same address still works."""
    async with world(tmp_path, clock, **FEW) as there:
        good = await there.key()
        async with there.client() as client:
            tried = [
                await client.get("/api/v1/tasks", headers={"X-API-Key": str(n)}) for n in range(9)
            ]
            fine = await client.get("/api/v1/tasks", headers={"X-API-Key": good})
        assert [401] * 2 + [429] * 7 == [answer.status_code for answer in tried]
        assert 200 == fine.status_code
        assert 2 == len([entry for entry in await there.said() if entry[2] == "refused"])


async def test_no_limits(tmp_path, clock):
    """Where they are turned off nothing is counted or said."""
    async with world(tmp_path, clock, JJM_RATE_LIMITS__ENABLED="false") as there:
        client = there.client(**{"X-API-Key": await there.key()})
        assert "x-ratelimit-limit" not in (await client.get("/api/v1/tasks")).headers


@pytest.fixture
def redis():
    with private_redis() as server:
        if server is None:
            pytest.skip(NO_REDIS)
        yield server


async def _taken(limits: RateLimits, times: int) -> int:
    count = 0
    for _ in range(times):
        try:
            await limits.hit("default", 5, "ada")
        except RateLimitedError:
            continue
        count += 1
    return count


async def test_two_servers_count_together(redis, clock):
    """In Redis; each for itself while it is away; and together again when it is back."""
    rules = LimitRules()
    one, two = [RateLimits(rules, clock=clock, storage=redis.address) for _ in range(2)]
    assert 5 == await _taken(one, 3) + await _taken(two, 4)
    redis.stop()
    assert 5 == await _taken(one, 9)
    assert (True, False) == (one.is_degraded, two.is_degraded)
    redis.start()
    clock.advance(4)
    assert 0 == await _taken(one, 1)
    clock.advance(2)
    assert not one.is_degraded
    assert 5 == await _taken(one, 2) + await _taken(two, 4)
    for limits in (one, two):
        await limits.aclose()


async def test_health_looks_for_itself(redis, clock):
    """That Redis went away, and came back, is found out although nobody's request is counted."""
    limits = RateLimits(LimitRules(), clock=clock, storage=redis.address)
    assert HealthStatus.HEALTHY is (await limits.look()).status
    redis.stop()
    assert HealthStatus.DEGRADED is (await limits.look()).status
    redis.start()
    assert HealthStatus.DEGRADED is (await limits.look()).status  # it rests
    clock.advance(6)
    assert HealthStatus.HEALTHY is (await limits.look()).status
    await limits.aclose()


async def test_redis_that_does_not_answer(redis, clock):
    """A server that stands still holds nobody up for long."""
    limits = RateLimits(LimitRules(), clock=clock, storage=redis.address)
    assert 1 == await _taken(limits, 1)
    with redis.silent():
        assert 1 == await _taken(limits, 1)
        assert limits.is_degraded
    await limits.aclose()


async def test_two_servers_count_together_by_sentinel(redis, clock, tmp_path):
    """The same address as for news, with the number of a database behind the service."""
    config = tmp_path / "sentinel.conf"
    config.write_text(f"sentinel monitor mymaster 127.0.0.1 {redis.port} 1\n")
    sentinel = RedisServer(redis._binary, tmp_path)
    sentinel.start_sentinel(config)
    try:
        places = f"127.0.0.1:{sentinel.port},localhost:{sentinel.port}"
        address = f"redis+sentinel://{places}/mymaster/3"
        one, two = [RateLimits(LimitRules(), clock=clock, storage=address) for _ in range(2)]
        assert 5 == await _taken(one, 3) + await _taken(two, 4)
        assert not one.is_degraded
        assert "Requests are counted in Redis." == (await two.look()).message
        for limits in (one, two):
            await limits.aclose()
    finally:
        sentinel.stop()


@pytest.mark.parametrize("scheme", ["unix", "redis+unix"])
async def test_a_socket_of_this_machine(redis, clock, tmp_path, scheme):
    """As for news."""
    path = tmp_path / "redis.sock"
    redis.stop()
    redis.start("--unixsocket", str(path))
    limits = RateLimits(LimitRules(), clock=clock, storage=f"{scheme}://{path}")
    assert 5 == await _taken(limits, 6)
    assert not limits.is_degraded
    await limits.aclose()


@pytest.mark.parametrize(
    ("storage", "where"), [("", "Redis"), ("memory", "in memory"), ("unix:///x", "Redis")]
)
async def test_where_requests_are_counted_unless_it_is_said(tmp_path, clock, storage, where):
    """Where news go through, so that several servers count together; memory when that is said."""
    more = {"REDIS_URL": "redis://127.0.0.1:1/0", "JJM_RATE_LIMITS__STORAGE": storage}
    async with world(tmp_path, clock, **more) as there:
        assert where in (await there.gate.limits.look()).message
        await there.gate.aclose()
    (tmp_path / "alone").mkdir()
    async with world(tmp_path / "alone", clock) as there:
        assert "in memory" in (await there.gate.limits.look()).message


@pytest.mark.parametrize(
    "address",
    ["x", "http://x", "memcached://h", "redis://user:pa55@h:port/0", "redis+sentinel://user:pa55@h",
     "redis+sentinel://h/s/x"],
)  # fmt: skip
def test_addresses_that_are_none(address, clock):
    """Said in words, without the password."""
    with pytest.raises(ConfigurationError, match=r"^rate_limits\.storage ") as caught:
        RateLimits(LimitRules(), clock=clock, storage=address)
    assert "pa55" not in str(caught.value)


@pytest.mark.parametrize(
    "text", ["", "POST /x", "POST=1", "POST x=1", "POST /x=0", "POST /x=-1", "POST /x=²"]
)
def test_endpoints_that_cannot_be_read(text):
    """A limit that would never count is an error."""
    with pytest.raises(ConfigurationError, match="endpoints"):
        endpoint_limits([text])


def test_endpoints():
    """Method and path, with room around them."""
    assert {("POST", "/a=b"): 20} == endpoint_limits([" post /a=b = 20"])
