"""What a person says to the queue: order, holds, times, pauses; and what it answers."""

from __future__ import annotations

import json

import pytest

pytestmark = [pytest.mark.integration, pytest.mark.slow]
BACKLOG = """### Task 1: First
**Priority**: High
**Prompt**: Add a greeting

### Task 2: Second
**Depends on**: Task 1
**Prompt**: Add another

### Task 3: Third
**Prompt**: Add a third

### Task 4: Fourth
**Status**: ❌ Failed
**Prompt**: Add a fourth

### Task 5: Fifth
**Estimated Effort**: 1 week
"""


@pytest.fixture
def queue(jjm, tmp_path):
    (tmp_path / "b.md").write_text(BACKLOG)
    jjm("queue", "import", "b.md", "--repo", "octo/sample")
    return lambda *words, expect=0, **environ: jjm("queue", *words, expect=expect, **environ)


@pytest.mark.both_ways
def test_why(queue):
    """Each job says why it is not running, when it will, and what helps."""
    assert "Task 1 may start now: jjm queue run\n" == queue("why", "task 1").stdout
    assert "Task 2 waits for Task 1.\n1 job stands before it.\n" == queue("why", "Task 2").stdout
    failed = (
        "Task 4 has failed.\nThe whole story: jjm queue story 'Task 4'\n"
        "Bring it back with: jjm queue retry 'Task 4'\n"
    )
    assert failed == queue("why", "Task 4").stdout
    assert queue("why", "Task 5").stdout.startswith("Task 5 is a draft: it has no prompt yet.\n")
    assert "There is no job 'Task 9'" in queue("why", "Task 9", expect=1).stderr
    told = json.loads(queue("why", "Task 2", "--json", "key,waits_for,reason,ahead").stdout)
    assert {"key": "Task 2", "waits_for": "dependency", "reason": "waits for Task 1",
            "ahead": 1} == told  # fmt: skip


@pytest.mark.both_ways
def test_hold_and_release(queue):
    """A held job says why and how that ends; a dry run knows it."""
    assert (
        "Task 3 is held: after lunch\n" == queue("hold", "Task 3", "--reason", "after lunch").stdout
    )
    assert "The reason is empty" in queue("hold", "Task 3", "--reason", "", expect=1).stderr
    held = "Task 3 is held: after lunch.\n1 job stands before it.\nLet it go on with: jjm queue release 'Task 3'\n"
    assert held == queue("why", "Task 3").stdout
    assert "Task 3\theld: after lunch\n" in queue("run", "--dry-run").stdout
    assert "Task 3 is released.\n" == queue("release", "Task 3").stdout
    assert "not held" in queue("release", "Task 3", expect=1).stderr


@pytest.mark.both_ways
def test_pause_and_resume(queue):
    """A paused queue says so for every job, and a dry run starts nothing."""
    assert "The reason is empty" in queue("pause", "--reason", " ", expect=1).stderr
    queue("pause", "--reason", "freeze")
    said = queue("why", "Task 1").stdout
    assert (
        "Task 1 waits: the queue is paused: freeze.\nLet the queue go on with: jjm queue resume\n"
        == said
    )
    assert "would start" not in queue("run", "--dry-run").stdout
    assert "The queue goes on.\n" == queue("resume").stdout
    assert "The queue was not paused.\n" == queue("resume").stdout
    assert "Task 1\twould start\n" in queue("run", "--dry-run").stdout


def test_a_dry_run_starts_no_more_than_the_quota(queue):
    """Where one task a day is allowed, one would start."""
    done = queue("run", "--dry-run", JJM_JULES__TASKS_PER_DAY="1")
    assert 1 == done.stdout.count("would start")
    assert "Task 3\twaits for Jules' quota" in done.stdout


@pytest.mark.both_ways
def test_move_and_pin(queue):
    """The new order is printed, and the next run keeps it."""
    moved = queue("move", "Task 3", "--top").stdout.splitlines()
    assert ["1\tTask 3", "2\tTask 1"] == moved[:2]
    assert "only jobs that wait have a place" in queue("move", "Task 4", "--top", expect=1).stderr
    assert "Name another job" in queue("move", "Task 3", "--after", "Task 3", expect=1).stderr
    assert "--top" in queue("move", "Task 3", expect=1).stderr
    assert "Task 1 is pinned.\n" == queue("pin", "Task 1").stdout
    first = queue("run", "--dry-run", JJM_QUEUE__CONCURRENCY="1").stdout
    assert "Task 1\twould start\n" in first
    assert "Task 1 is not pinned.\n" == queue("pin", "Task 1", "--off").stdout
    assert (
        "hint: Bring it back with: jjm queue retry 'Task 4'"
        in queue("pin", "Task 4", expect=1).stderr
    )


@pytest.mark.both_ways
def test_skip_and_cancel(queue):
    """What depends on a skipped job goes on; a dry run promises only what can be done."""
    assert "Task 1 is skipped; what depends on it goes on.\n" == queue("skip", "Task 1").stdout
    assert "Task 2\twould start\n" in queue("run", "--dry-run").stdout
    assert "would cancel Task 3\n" == queue("cancel", "Task 3", "--dry-run").stdout
    assert "Task 3 is cancelled.\n" == queue("cancel", "Task 3").stdout
    for more in ([], ["--dry-run"]):
        refused = queue("cancel", "Task 3", *more, expect=1).stderr
        assert "Task 3 is cancelled; there is nothing to change" in refused
    assert "Task 3 is ready again" in queue("retry", "Task 3").stdout


@pytest.mark.both_ways
@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "Nothing is to be changed"),
        (["--at", "tomorrow"], "'tomorrow' is not a time"),
        (["--cron", "61 * * * *"], "'61 * * * *' is not a schedule"),
        (["--cron", ""], "The schedule is empty"),
        (["--cron", "0 3 * * 1", "--once"], "not allowed with"),
        (["--best-of", "11"], "1 to 10"),
        (["--best-of", "x"], "invalid int value"),
    ],
)
def test_times_that_cannot_be_used(queue, words, said):
    """Refused in words, and nothing changes."""
    assert said in queue("schedule", "Task 1", *words, expect=1).stderr
    assert "Task 1 may start now" in queue("why", "Task 1").stdout


@pytest.mark.both_ways
def test_schedule(queue):
    """A time, a schedule, several attempts; each is said back."""
    said = queue("schedule", "Task 1", "--at", "2099-01-01T06:00Z", TZ="UTC").stdout
    assert "Task 1 does not start before 2099-01-01 06:00.\n" == said
    assert "Task 1 starts 2099-01-01 06:00.\n" == queue("why", "Task 1", TZ="UTC").stdout
    weekly = queue("schedule", "Task 1", "--cron", "0 3 * * 1").stdout
    assert "and runs by the schedule 0 3 * * 1 (UTC)" in weekly
    queue("schedule", "Task 1", "--once")
    best = queue("schedule", "Task 1", "--best-of", "3").stdout
    assert "Task 1 gets 3 attempts, of which the best is kept.\n" == best
    assert "Task 1\twould start, several times\n" in queue("run", "--dry-run").stdout
    assert "Task 4 is failed" in queue("schedule", "Task 4", "--at", "2099-01-01", expect=1).stderr


def test_quota(jjm):
    """Counts, limits with how they are known, and the next slot; bad fields are named."""
    jjm("create", "--repo", "octo/sample", "--description", "Add a greeting")
    assert "default\tfree (assumed)\t1 of 15\t" in jjm("quota").stdout
    told = json.loads(jjm("quota", "--json", "used,per_day,provenance,next_slot").stdout)
    assert [{"used": 1, "per_day": 15, "provenance": "assumed", "next_slot": None}] == told
    own = jjm(
        "quota", "--cached", JJM_JULES__TASKS_PER_DAY="1", JJM_JULES__TASKS_AT_ONCE="2"
    ).stdout
    assert "default\town numbers (stated)\t1 of 1\t" in own
    assert "\tnow" not in own
    assert "Unknown JSON field 'colour'" in jjm("quota", "--json", "colour", expect=1).stderr
    assert "must be one of" in jjm("quota", JJM_JULES__PLAN="gold", expect=1).stderr


@pytest.mark.parametrize(
    ("environ", "said"),
    [
        ({}, "No address is configured"),
        ({"URLS": "nonsense://token"}, "Address 1 of notify.urls is none that Apprise knows"),
        ({"URLS": "json://127.0.0.1:1"}, "Address 1 of notify.urls did not take the message"),
        ({"URLS": "json://127.0.0.1:1", "EVENTS": "bogus"}, "has 'bogus', which is no kind of news"),
        ({"URLS": "json://127.0.0.1:1", "QUIET_FROM": "22:00"}, "need both"),
        ({"URLS": "json://127.0.0.1:1", "QUIET_FROM": "25:00", "QUIET_TO": "7"}, "no time of the day"),
        ({"URLS": "json://127.0.0.1:1", "QUIET_FROM": "22:00+02:00", "QUIET_TO": "07:00"},
         "no time of the day"),
    ],
)  # fmt: skip
def test_notify_test_says_what_is_wrong(jjm, environ, said):
    """In one sentence with a next step, and without repeating an address."""
    names = {f"JJM_NOTIFY__{name}": value for name, value in environ.items()}
    stderr = jjm("notify", "test", expect=1, **names).stderr
    assert said in stderr
    assert "hint: " in stderr
    assert "token" not in stderr


def test_config_show_has_accounts_and_rules_and_no_keys(jjm, tmp_path):
    """What decides without a person can be looked at."""
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "config.toml").write_text(
        "[accounts.work]\napi_key = 'k3y-of-work'\nplan = 'pro'\n"
        "[[plan_rules]]\nname = 'docs'\ndecision = 'approve'\npaths = ['docs/*', '*.md']\n"
        "[[answer_rules]]\nwords = ['python']\ntext = '3.11'\n"
    )
    rows = {
        row["name"]: row["value"]
        for row in json.loads(jjm("config", "show", "--json", "name,value").stdout)
    }
    assert "api_key = ********; plan = pro" == rows["accounts.work"]
    assert "name = docs; decision = approve; paths = docs/*, *.md" == rows["plan_rules.1"]
    assert "name = 1; words = python; text = 3.11" == rows["answer_rules.1"]
    assert "k3y-of-work" not in jjm("config", "show").stdout
