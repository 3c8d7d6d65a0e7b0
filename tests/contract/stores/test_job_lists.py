"""Lists of jobs, attempts and reviews: filters, every order, and pages that meet without a gap."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import get_args

import pytest
import sqlalchemy as sa

from jules_job_manager.adapters.storage.paging import EPOCH
from jules_job_manager.adapters.storage.sql import migrate
from jules_job_manager.adapters.storage.sql.engine import transaction
from jules_job_manager.adapters.storage.sql.job_lists import attempts_select, reviews_select
from jules_job_manager.domain.job import Attempt, AttemptState, Job, JobStatus, Priority
from jules_job_manager.domain.review import CheckResult, Conclusion, Review, Verdict
from jules_job_manager.errors import InvalidInputError
from jules_job_manager.ports.job_store import (
    AttemptQuery,
    AttemptSort,
    BacklogQuery,
    BacklogSort,
    BacklogStanding,
    JobQuery,
    JobSort,
    ReviewQuery,
    ReviewSort,
)

pytestmark = pytest.mark.integration
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


def _at(number: int) -> datetime | None:
    """Return a time that others have too, or none."""
    return None if number % 4 == 0 else NOON + timedelta(minutes=number * 7 % 3)


JOBS = [
    Job(
        key=f"K{n:02}", title="Größe" if n == 5 else "t", prompt="50%_", backlog=f"/{n // 6}.md",
        position=n % 3, repository="o/a" if n % 2 else "o/b", queued_at=_at(n), finished_at=_at(n + 1),
        priority=Priority.HIGH if n == 7 else Priority.LOW,
        status=JobStatus.DONE if n == 9 else JobStatus.READY,
    )
    for n in range(17)
]  # fmt: skip
ATTEMPTS = [
    Attempt(
        mark=f"m{n * 7 % 11:02}", job_key=f"K{n // 2:02}", number=n % 2 + 1, created_at=_at(n),
        task_id=f"9{n}", account="spare" if n % 3 else "default",
        state=AttemptState.LIVE if n == 7 else AttemptState.FAILED,
        delivered_commit="a" * 40 if n > 5 else "",
    )
    for n in range(11)
]  # fmt: skip
REVIEWS = [
    Review(
        job_key=f"K{n // 3:02}", mark="m", delivered_commit=f"{n}" * 40, base_commit="b" * 40,
        verdict=Verdict.ACCEPT if n % 2 else Verdict.REJECT, at=_at(n),
        checks=(CheckResult(name="tests", conclusion=Conclusion.FAILURE, output=f"Größe {n}"),),
    )
    for n in range(9)
]  # fmt: skip


@pytest.fixture
async def full(sql_store):
    """Return a store that holds all of them."""
    await sql_store.jobs.save_jobs(JOBS)
    for attempt in ATTEMPTS:
        await sql_store.jobs.save_attempt(attempt)
    for review in REVIEWS:
        await sql_store.jobs.save_review(review)
    return sql_store.jobs


async def _all(page, query) -> list:
    """Return what the pages hold together."""
    found = await page(query)
    seen = list(found.items)
    while found.next_cursor is not None:
        assert query.limit == len(found.items)
        found = await page(replace(query, after=found.next_cursor))
        seen += found.items
    return seen


@pytest.mark.parametrize("limit", [1, 4, 17, 100])
async def test_every_order_in_pages(full, limit):
    """Together the pages are the whole list as it is sorted in memory, in both directions."""

    def moment(when):
        return when or EPOCH

    job_keys = {
        "place": lambda job: (job.backlog, job.position, job.key),
        "key": lambda job: job.key,
        "queued": lambda job: (moment(job.queued_at), job.key),
        "finished": lambda job: (moment(job.finished_at), job.key),
    }
    attempt_keys = {
        "job": lambda one: (one.job_key, one.number),
        "created": lambda one: (moment(one.created_at), one.mark),
    }
    review_keys = {"at": lambda one: (moment(one.at), one.job_key, one.delivered_commit)}
    for sorts, keys, items, page, query in (
        (JobSort, job_keys, JOBS, full.page_jobs, JobQuery),
        (AttemptSort, attempt_keys, ATTEMPTS, full.page_attempts, AttemptQuery),
        (ReviewSort, review_keys, REVIEWS, full.page_reviews, ReviewQuery),
    ):
        assert {*keys, *(f"-{name}" for name in keys)} == set(get_args(sorts))
        for sort in get_args(sorts):
            key = keys[sort.lstrip("-")]
            expected = sorted(items, key=key, reverse=sort.startswith("-"))
            assert expected == await _all(page, query(sort=sort, limit=limit)), sort
    assert sorted(JOBS, key=job_keys["place"]) == list(await full.list_jobs())
    assert sorted(ATTEMPTS, key=attempt_keys["job"]) == list(await full.list_attempts())


@pytest.mark.parametrize("limit", [1, 2, 100, None])
async def test_backlogs_are_counted(full, limit):
    """As the jobs counted in memory, in every order, in pages; narrowed by a text in the name."""
    await full.save_jobs([Job(key="Z0", backlog="/%_Shop.md"), Job(key="Z1")])
    jobs = await full.list_jobs()
    counted = [
        BacklogStanding(
            name=name, jobs=sum(job.backlog == name for job in jobs),
            counts=Counter(job.status for job in jobs if job.backlog == name),
        )
        for name in {job.backlog for job in jobs}
    ]  # fmt: skip
    assert 5 == len(counted)
    keys = {"name": lambda one: one.name, "jobs": lambda one: (one.jobs, one.name)}
    for sort in get_args(BacklogSort):
        expected = sorted(counted, key=keys[sort.lstrip("-")], reverse=sort.startswith("-"))
        assert expected == await _all(full.page_backlogs, BacklogQuery(sort=sort, limit=limit))
    for text, names in {
        "SHOP": ["/%_Shop.md"], "%_": ["/%_Shop.md"], ".md": ["/%_Shop.md", "/0.md", "/1.md", "/2.md"],
        "nothing": [], "\0": [],
    }.items():  # fmt: skip
        found = await _all(full.page_backlogs, BacklogQuery(search=text, limit=limit))
        assert names == [one.name for one in found], text
    with pytest.raises(InvalidInputError):
        await full.page_backlogs(BacklogQuery(after='["-name", "/0.md"]'))


async def test_jobs_are_narrowed(full):
    """By what they are, and by a text."""

    async def keys(**query):
        return [job.key for job in await full.list_jobs(JobQuery(**query))]

    assert ["K07"] == await keys(priority=Priority.HIGH)
    assert ["K09"] == await keys(status=JobStatus.DONE)
    assert 8 == len(await keys(repository="o/a"))
    assert ["K05"] == await keys(search="größe".replace("g", "G"))
    assert ["K12"] == await keys(search="k12")
    assert 17 == len(await keys(search="50%_"))
    assert [] == await keys(search="5%_")


async def test_attempts_are_narrowed(full):
    """By what they are, by a text, and by when they were made."""

    async def found(**query):
        return await _all(full.page_attempts, AttemptQuery(**query, limit=2))

    assert [a for a in ATTEMPTS if a.account == "spare"] == await found(account="spare")
    assert [ATTEMPTS[7]] == await found(live_only=True)
    assert [ATTEMPTS[7]] == await found(state=AttemptState.LIVE)
    assert ATTEMPTS[6:] == await found(delivered_only=True)
    assert ATTEMPTS[4:6] == await found(job_key="K02")
    assert ATTEMPTS[4:6] == await found(search="k02")
    assert [ATTEMPTS[10]] == await found(search="910")
    late = NOON + timedelta(minutes=1)
    assert [a for a in ATTEMPTS if (a.created_at or EPOCH) >= late] == await found(
        created_since=late
    )
    assert [a for a in ATTEMPTS if (a.created_at or EPOCH) < late] == await found(
        created_before=late
    )


async def test_reviews_are_narrowed(full):
    """By their verdict, a text in what they found, and by when they were."""

    async def found(**query):
        items = await _all(full.page_reviews, ReviewQuery(**query, limit=2))
        return sorted(items, key=lambda review: review.delivered_commit)

    assert REVIEWS[1::2] == await found(verdict=Verdict.ACCEPT)
    assert REVIEWS[3:6] == await found(job_key="K01")
    assert [REVIEWS[7]] == await found(search="größe 7".replace("g", "G"))
    assert REVIEWS[3:6] == await found(search="k01")
    late = NOON + timedelta(minutes=1)
    assert [r for r in REVIEWS if (r.at or EPOCH) >= late] == await found(since=late)
    assert [r for r in REVIEWS if (r.at or EPOCH) < late] == await found(before=late)


async def test_a_review_that_changes_its_verdict(full):
    """The list goes by the new one."""
    await full.save_review(replace(REVIEWS[1], verdict=Verdict.ESCALATE, at=NOON))
    found = await full.page_reviews(ReviewQuery(verdict=Verdict.ESCALATE))
    assert ["1" * 40] == [review.delivered_commit for review in found.items]


@pytest.mark.parametrize("cursor", [
    "", "x", "[]", "3", "null", '["place"]', '["place", "/a.md", "1", "K"]', '["place", "/a.md", true, "K"]',
    '["key", "K"]', '["-place", "/a.md", 1, "K"]', '{"place": 1}', "[" * 1500,
    f'["place", "/a.md", {2**31}, "K"]', f'["place", "/a.md", {10**400}, "K"]',
])  # fmt: skip
async def test_what_is_no_cursor_of_the_list(full, cursor):
    """One of another order, or none at all, is refused in words."""
    with pytest.raises(InvalidInputError, match="not one of this list"):
        await full.page_jobs(JobQuery(limit=1, after=cursor))
    with pytest.raises(InvalidInputError, match="not one of this list"):
        await full.page_attempts(AttemptQuery(sort="created", after='["created", "noon", "m"]'))


async def test_a_limit_of_none(full):
    """Is refused."""
    with pytest.raises(InvalidInputError, match="1 or more"):
        await full.page_reviews(ReviewQuery(limit=0))


@pytest.mark.parametrize("sort", ["created", "-created"])
async def test_newest_attempts_and_reviews_are_read_in_order(full, sql_store, sort):
    """By an index: no list is sorted, however long it is."""
    statements = [
        attempts_select(AttemptQuery(sort=sort, limit=5))[0],
        attempts_select(AttemptQuery(sort=sort.replace("created", "job"), limit=5))[0],
        reviews_select(ReviewQuery(sort=sort.replace("created", "at"), limit=5))[0],
        reviews_select(
            ReviewQuery(sort=sort.replace("created", "at"), limit=5, verdict=Verdict.ACCEPT)
        )[0],
    ]
    async with transaction(sql_store.engine, writes=False) as connection:
        if connection.dialect.name == "postgresql":
            await connection.execute(sa.text("SET LOCAL enable_seqscan = off"))
            await connection.execute(sa.text("SET LOCAL enable_bitmapscan = off"))
        for statement in statements:
            text = str(
                statement.compile(
                    dialect=connection.dialect, compile_kwargs={"literal_binds": True}
                )
            )
            explain = "EXPLAIN" if connection.dialect.name == "postgresql" else "EXPLAIN QUERY PLAN"
            plan = str((await connection.execute(sa.text(f"{explain} {text}"))).all()).upper()
            assert "INDEX" in plan, plan
            assert "TEMP B-TREE" not in plan, plan
            assert "SORT KEY" not in plan, plan


async def test_what_an_older_version_wrote_is_listed_too(full, sql_store):
    """The times and verdicts that lists go by are filled in when the store is brought up."""
    reviewed = replace(
        REVIEWS[2], delivered_commit="c" * 40, at=NOON, verdict=Verdict.ESCALATE,
        checks=(
            CheckResult(
                name="odd", conclusion=Conclusion.FAILURE, output='\0\ud800 {"verdict":"accept"}'
            ),
        ),
    )  # fmt: skip
    await full.save_review(reviewed)
    await migrate.downgrade(sql_store.engine, "0007")
    await migrate.upgrade(sql_store.engine)
    expected = sorted(ATTEMPTS, key=lambda one: (one.created_at or EPOCH, one.mark))
    assert expected == await _all(full.page_attempts, AttemptQuery(sort="created", limit=3))
    found = await _all(full.page_reviews, ReviewQuery(verdict=Verdict.ACCEPT))
    assert {review.delivered_commit for review in REVIEWS[1::2]} == {
        review.delivered_commit for review in found
    }
    newest = (await full.page_reviews(ReviewQuery(sort="-at", since=NOON))).items
    assert "c" * 40 in {review.delivered_commit for review in newest}
