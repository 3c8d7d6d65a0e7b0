"""Checks of a merged delivery: side by side, reports of tests, new tests, changed lines, flakes."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from tests.review_lab import Lab

from jules_job_manager.adapters.sandboxes.host import HostSandbox
from jules_job_manager.domain.job import Job
from jules_job_manager.domain.review_plan import CommandCheck, ReviewPlan

pytestmark = pytest.mark.integration
PYTEST = "python3 -m pytest -q -p no:cacheprovider --junit-xml=r.xml"
LIGHT = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
"""The plug-ins that are installed for our own tests take most of the time of a small run."""
BASE = {
    "adding.py": "def add(a, b):\n    return a + b\n",
    "tests/test_adding.py": "from adding import add\n\n\ndef test_add():\n    assert add(1, 2) == 3\n",
    "conftest.py": "",
}
TAKING = "def take(a, b):\n    return a - b\n"
TEST_TAKING = "from taking import take\n\n\ndef test_take():\n    assert take(3, 2) == 1\n"


@pytest.fixture
def lab(tmp_path):
    """A small Python project, checked on this machine without the rules."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])

    def made(*checks: CommandCheck, setup=()) -> Lab:
        found = Lab(
            folder=tmp_path / "lab", sandbox=HostSandbox(environment={"PATH": path, **LIGHT}),
            plan=ReviewPlan(setup=setup, checks=checks, rules={"all": "off"}),
        )  # fmt: skip
        found.commit("main", BASE)
        return found

    return made


def words(review):
    return [(check.name, check.conclusion.value) for check in review.checks]


async def test_checks_do_not_meet_what_others_leave_behind(lab):
    """Each has the prepared files, and not what another check wrote."""
    one, two = (
        "test -f ready && ! test -e two && touch one",
        "test -f ready && ! test -e one && touch two",
    )
    checks = [CommandCheck(command=one), CommandCheck(command=two)]
    place = lab(*checks, setup=("touch ready",))
    for at_once in (1, 2):
        place.at_once = at_once
        review = await place.review("b", place.commit("b", {"x": "y"}))
        assert [("set-up: touch ready", "success"), (one, "success"), (two, "success")] == words(
            review
        )


async def test_they_run_side_by_side(lab):
    """Two that wait for each other both pass; each is told as soon as it has ended."""
    meet = "mkdir -p {place} && touch {place}/{me} && until test -e {place}/{other}; do sleep 0.02; done"
    place = lab()
    both = place.folder / "both"
    place.plan = ReviewPlan(
        rules={"all": "off"},
        checks=tuple(
            CommandCheck(name=me, command=meet.format(place=both, me=me, other=other), timeout_seconds=20)
            for me, other in (("one", "two"), ("two", "one"))
        ),
    )  # fmt: skip
    review = await place.review("b", place.commit("b", {"x": "y"}))
    assert [("one", "success"), ("two", "success")] == words(review)
    assert {"one", "two"} == {result.name for result in place.seen}


async def test_failed_tests_are_named(lab):
    """From the report, with where; an exit code of 0 does not hide them, nor a missing report."""
    place = lab(CommandCheck(name="tests", command=PYTEST, junit="r.xml"))
    broken = {"adding.py": "def add(a, b):\n    return a - b\n"}
    review = await place.review("b", place.commit("b", broken))
    assert [("tests", "failure")] == words(review)
    assert "tests.test_adding.test_add: " in review.checks[0].findings[0].message
    place.plan = ReviewPlan(
        rules={"all": "off"},
        checks=(
            CommandCheck(name="hidden", command=f"{PYTEST} || true", junit="r.xml"),
            CommandCheck(name="silent", command="true", junit="r.xml"),
            CommandCheck(name="none", command=f"{PYTEST} -k nothing; true", junit="r.xml"),
        ),
    )
    review = await place.review("b", place.commit("b", broken))
    assert [("hidden", "failure"), ("silent", "failure"), ("none", "failure")] == words(review)
    assert ["1 tests of its report failed", "No r.xml was written", "no test ran"] == [
        next(w for w in ("1 tests of its report failed", "No r.xml was written", "no test ran")
             if w in check.output)
        for check in review.checks
    ]  # fmt: skip


async def test_tests_in_quarantine_do_not_reject(lab):
    """Only while nothing else fails, and they are shown."""
    quarantine = ("tests.test_adding.*",)
    place = lab(CommandCheck(name="tests", command=PYTEST, junit="r.xml", quarantine=quarantine))
    broken = {"adding.py": "def add(a, b):\n    return 5\n"}
    review = await place.review("b", place.commit("b", broken))
    assert ("accept", [("tests", "neutral")]) == (review.verdict.value, words(review))
    assert "Only tests in quarantine failed: tests.test_adding.test_add." in review.checks[0].output
    more = broken | {"tests/test_more.py": "def test_more():\n    assert False\n"}
    review = await place.review("b", place.commit("b", more))
    assert ("reject", [("tests", "failure")]) == (review.verdict.value, words(review))


NEW = "tests: new tests fail without the change"
IDLE = "def test_take():\n    assert True\n"
BOTH = TEST_TAKING + "\n\ndef test_nothing():\n    assert True\n"
CHANGED = {"adding.py": "def add(a, b):\n    return b + a\n"}


@pytest.mark.parametrize(
    ("files", "conclusion", "said"),
    [
        ({"taking.py": TAKING, "tests/test_taking.py": TEST_TAKING}, "success", "as they should"),
        ({"taking.py": TAKING, "tests/test_taking.py": IDLE}, "failure", "every test passes"),
        (CHANGED | {"tests/test_more.py": IDLE, "tests/test_adding.py": BASE["tests/test_adding.py"] + TEST_TAKING,
                    "taking.py": TAKING}, "success", "as they should"),
        ({"taking.py": TAKING}, None, ""),
        ({"tests/test_more.py": IDLE}, None, ""),
        ({"tests/test_adding.py": None, "tests/test_sums.py": BASE["tests/test_adding.py"],
          "taking.py": TAKING}, None, ""),
    ],
)  # fmt: skip
async def test_new_tests_must_fail_without_the_change(lab, files, conclusion, said):
    """They are run on the base; a delivery of nothing but tests, or without any, is left alone."""
    place = lab()
    for required, verdict in (("required", "reject"), ("advisory", "accept")):
        place.plan = ReviewPlan(
            rules={"all": "off"},
            checks=(CommandCheck(name="tests", command=PYTEST, junit="r.xml", new_tests=required),),
        )
        review = await place.review("b", place.commit("b", files))
        wanted = [("tests", "success")] + ([(NEW, conclusion)] if conclusion else [])
        assert wanted == words(review)
        assert (verdict if conclusion == "failure" else "accept") == review.verdict.value
        assert said in review.checks[-1].output


async def test_idle_tests_among_good_ones_are_shown(lab):
    """They are a warning, with their names."""
    place = lab(CommandCheck(name="tests", command=PYTEST, junit="r.xml", new_tests="required"))
    files = CHANGED | {
        "tests/test_idle.py": "def test_nothing():\n    assert True\n",
        "tests/test_taking.py": "def test_take():\n    from taking import take\n\n    assert take(3, 2) == 1\n",
        "taking.py": TAKING,
    }  # fmt: skip
    review = await place.review("b", place.commit("b", files))
    assert [("tests", "success"), (NEW, "success")] == words(review)
    assert "1 of 2 pass without it, too: tests.test_idle.test_nothing" in review.checks[1].output


async def test_without_a_report_the_exit_code_counts(lab):
    """New tests that fail on the base make its run fail."""
    place = lab(CommandCheck(name="tests", command="python3 -m pytest -q", new_tests="required"))
    review = await place.review(
        "b", place.commit("b", {"taking.py": TAKING, "tests/test_taking.py": TEST_TAKING})
    )
    assert [("tests", "success"), (NEW, "success")] == words(review)
    review = await place.review(
        "b", place.commit("b", {"taking.py": TAKING, "tests/test_t.py": IDLE})
    )
    assert [("tests", "success"), (NEW, "failure")] == words(review)


COVER = "python3 -m coverage run -m pytest -q && python3 -m coverage xml -o c.xml"
LINES = "tests: changed lines reached"


async def test_changed_lines_must_be_reached(lab):
    """Only lines that the delivery changed count, and those nobody reaches are named."""
    check = CommandCheck(name="tests", command=COVER, coverage="c.xml", changed_lines=80)
    place = lab(check)
    branches = "def take(a, b):\n    if a > b:\n        return a - b\n    print(a)\n    return 0\n"
    files = {"taking.py": branches, "tests/test_taking.py": TEST_TAKING}
    review = await place.review("b", place.commit("b", files))
    found = {check.name: check for check in review.checks}
    assert "failure" == found[LINES].conclusion.value
    assert (
        "6 of 8 changed lines are reached by tests (75 %; 80 % are wanted)." in found[LINES].output
    )
    assert ("taking.py", 4, "no test reaches lines 4-5") == (
        found[LINES].findings[0].path, found[LINES].findings[0].line, found[LINES].findings[0].message,
    )  # fmt: skip
    place.plan = ReviewPlan(
        rules={"all": "off"},
        checks=(CommandCheck(name="tests", command=COVER, coverage="c.xml", changed_lines=75),
                CommandCheck(name="none", command="true", coverage="c.xml", changed_lines=1)),
    )  # fmt: skip
    review = await place.review("b", place.commit("b", files))
    assert [("tests", "success"), (LINES, "success"), ("none", "success"),
            ("none: changed lines reached", "failure")] == words(review)  # fmt: skip


async def test_a_conflict_is_told_with_what_the_base_did(lab):
    """Which files, what to do, and how the base changed them since the branch began."""
    place = lab()
    commit = place.commit("b", {"adding.py": "def add(a, b):\n    return sum([a, b])\n"})
    place.git("checkout", "-q", "main")
    place.commit("main", {"adding.py": "def add(a, b):\n    return b + a\n", "other.txt": "1\n"})
    review = await place.review("b", commit)
    assert ("reject", [("merges into the base", "failure")]) == (
        review.verdict.value,
        words(review),
    )
    text = review.checks[0].output
    assert text.startswith("Conflicts in:\n- adding.py\nMerge main into your branch")
    assert "+    return b + a" in text
    assert "other.txt" not in text


async def test_a_job_brings_checks_of_its_own(lab):
    """They are required, and what the repository runs anyway is not run twice."""
    place = lab(CommandCheck(name="there", command="test -f adding.py"))
    job = Job(key="J", checks=("test -f adding.py", "test -f promised.txt"))
    review = await place.review("b", place.commit("b", {"x": "y"}), job)
    assert ("reject", [("there", "success"), ("test -f promised.txt", "failure")]) == (
        review.verdict.value, words(review),
    )  # fmt: skip
    plain = await place.review("b", place.commit("b", {"x": "y"}))
    assert plain.check_set != review.check_set
