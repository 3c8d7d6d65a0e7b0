"""What deliveries are checked by: the settings, and the file on the base branch."""

from __future__ import annotations

import tomllib

import pytest

from jules_job_manager.domain.review_plan import CommandCheck, ReviewPlan, with_file
from jules_job_manager.domain.reviewer import ReviewerSpec
from jules_job_manager.errors import ConfigurationError

RULES = ("no-stubs", "type-hints")
FILE = """
[review]
setup = ["pip install -e ."]
setup_network = true
allowed_paths = ["docs/*"]
route_lines = 40

[[checks]]
name = "tests"
command = "pytest -q"
retries = 1
timeout_seconds = 60
proves = ["All tests pass"]

[[checks]]
command = "ruff check ."
required = false

[rules]
all = "advisory"
no-stubs = "required"
"""


def read(text: str, plan: ReviewPlan | None = None) -> ReviewPlan:
    return with_file(plan or ReviewPlan(), tomllib.loads(text), known_rules=RULES)


def test_the_file_adds_to_the_settings():
    """Commands of both are run; a rule is as the file says, `all` for the others."""
    plan = read(FILE, ReviewPlan(checks=(CommandCheck(command="make test"),), rules={"x": "off"}))
    assert ["make test", "tests", "ruff check ."] == [check.title for check in plan.checks]
    assert [True, True, False] == [check.required for check in plan.checks]
    assert ("required", "advisory", "off") == (
        plan.use_of("no-stubs", "advisory"), plan.use_of("type-hints", "required"),
        plan.use_of("x", "required"),
    )  # fmt: skip
    assert "required" == ReviewPlan().use_of("no-stubs", "required")
    assert (("pip install -e .",), True, ("docs/*",), 40) == (
        plan.setup, plan.setup_network, plan.allowed_paths, plan.route_lines,
    )  # fmt: skip


def test_the_digest_tells_plans_apart():
    """The same file gives the same one, whatever the order of its rules."""
    other = FILE.replace(
        'all = "advisory"\nno-stubs = "required"', 'no-stubs = "required"\nall = "advisory"'
    )
    assert read(FILE).digest == read(other).digest
    assert len({read(FILE).digest, read("").digest, read('[rules]\nall = "off"').digest}) == 3


def test_reviewers_are_added_to_a_persons_own():
    """Only the members that a repository may set; without a word they are advisory."""
    own = ReviewerSpec(name="own", command="x", sandbox=False)
    text = "[[reviewers]]\nname = 'a'\nmcp = 'x y'\ntool = 't'\nmay_prove = ['*']\nnetwork = true\n"
    text += "after_failure = true\ntimeout_seconds = 5\n"
    plan = with_file(ReviewPlan(reviewers=(own,)), tomllib.loads(text), known_rules=[])
    added = ReviewerSpec(
        name="a", mcp="x y", tool="t", may_prove=("*",), network=True, after_failure=True,
        timeout_seconds=5.0,
    )  # fmt: skip
    assert (own, added) == plan.reviewers
    assert (False, True, ()) == (added.required, added.sandbox, added.environment)
    assert plan.digest != ReviewPlan(reviewers=(own,)).digest


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("checks = 1", r"written as \[\[checks\]\]"),
        ("[[checks]]\nname = 'x'", r"\[\[checks\]\] 1 command must be a text"),
        ("[[checks]]\ncommand = 'x'\nretries = 9", "retries must be 5 or less"),
        ("[[checks]]\ncommand = 'x'\ntimeout_seconds = 0", "whole number of 1 or more"),
        ("[[checks]]\ncommand = 'x'\nnetwork = true", "unknown members: network"),
        ("[[checks]]\ncommand = 'x'\n[[checks]]\ncommand = 'x'", "two checks are called 'x'"),
        ("[rules]\nno-such = 'off'", "there is no rule 'no-such'"),
        ("[rules]\nno-stubs = 'maybe'", "must be one of required, advisory, off"),
        ("[review]\nsetup = 'x'", "setup must be a list of texts"),
        ("review = 3", r"\[review\] must be a table"),
        ("[reviews]", "it has unknown members: reviews"),
        ("[[checks]]\ncommand = 'x'\nrequired = 'no'", "required must be true or false"),
        ("[[reviewers]]\ncommand = 'x'", r"\[\[reviewers\]\] 1 name must be a text"),
        ("[[reviewers]]\nname = 'a\u202e'\ncommand = 'x'", "1 needs a name"),
        ("[[reviewers]]\nname = 'a'", "1 needs either a command or an MCP server"),
        ("[[reviewers]]\nname = 'a'\ncommand = 'x'\nmcp = 'y'\ntool = 'z'", "needs either a command"),
        ("[[reviewers]]\nname = 'a'\nmcp = 'x'", "1 needs mcp and tool together"),
        ("[[reviewers]]\nname = 'a'\ncommand = 'x'\ntool = 'z'", "needs mcp and tool together"),
        ("[[reviewers]]\nname = 'a'\nmcp = '\"x'\ntool = 'z'", "has an mcp that cannot be read"),
        ("[[reviewers]]\nname = 'a'\ncommand = 'x'\nretries = 6", "retries that are not from 0 to 5"),
        ("[[reviewers]]\nname = 'a'\ncommand = 'x'\nsandbox = false", "unknown members: sandbox"),
        ("[[reviewers]]\nname = 'a'\ncommand = 'x'\nenvironment = ['K']", "unknown members: environment"),
        ("[[reviewers]]\nname = 'a'\ncommand = 'x'\n" * 2, "two reviewers are called 'a'"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_said(text, said):
    """Nothing is guessed: a misspelt check would let everything pass."""
    with pytest.raises(ConfigurationError, match=said):
        read(text)
