"""Accounts and rules in the configuration file: read as written, refused in words."""

from __future__ import annotations

import json
import tomllib

import pytest

from jules_job_manager.domain.decision_rules import AnswerRule, PlanRule
from jules_job_manager.domain.reviewer import ReviewerSpec
from jules_job_manager.errors import ConfigurationError
from jules_job_manager.settings.load import load_settings
from jules_job_manager.settings.model import AccountSettings
from jules_job_manager.settings.write import commented_example


def _load(tmp_path, text):
    (tmp_path / "config.toml").write_text(text)
    return load_settings({"JJM_HOME": str(tmp_path)})


WHOLE = """
[accounts.work]
api_key = "k"
api_url = "http://127.0.0.1:1/v1alpha"
plan = "pro"
tasks_per_day = 40
tasks_at_once = 5

[[plan_rules]]
name = "docs"
decision = "approve"
max_steps = 6
words = "readme"
paths = ["docs/*", "*.md"]
priorities = ["low"]
jobs = ["DOC-*"]

[[plan_rules]]
decision = "ask"

[[answer_rules]]
words = ["python"]
text = "3.11"

[[answer_rules]]
name = "rest"
command = "answers 'a b'"
"""


def test_they_are_read_as_written(tmp_path):
    """In order; a rule without a name is called by its number; one text stands for a list of one."""
    settings = _load(tmp_path, WHOLE)
    account = AccountSettings(
        api_key="k", api_url="http://127.0.0.1:1/v1alpha", plan="pro", tasks_per_day=40,
        tasks_at_once=5,
    )  # fmt: skip
    assert {"work": account} == settings.accounts
    docs = PlanRule(
        name="docs", decision="approve", max_steps=6, words=("readme",),
        paths=("docs/*", "*.md"), priorities=("low",), jobs=("DOC-*",),
    )  # fmt: skip
    assert (docs, PlanRule(name="2", decision="ask")) == settings.plan_rules
    assert (
        AnswerRule(name="1", words=("python",), text="3.11"),
        AnswerRule(name="rest", command="answers 'a b'"),
    ) == settings.answer_rules


def test_reviewers_of_a_person(tmp_path):
    """They may leave the sandbox and be given variables."""
    settings = _load(
        tmp_path,
        "[reviewers.desk]\ncommand = 'x'\nsandbox = false\n"
        "[reviewers.style]\ncommand = 'y'\nrequired = true\ntimeout_seconds = 1.5\n"
        "environment = ['A_KEY']\n",
    )
    assert (
        ReviewerSpec(name="desk", command="x", sandbox=False),
        ReviewerSpec(
            name="style", command="y", required=True, timeout_seconds=1.5, environment=("A_KEY",)
        ),
    ) == settings.reviewers


def test_json_means_the_same(tmp_path):
    """The other form of the file has the same parts."""
    (tmp_path / "c.json").write_text(json.dumps(tomllib.loads(WHOLE)))
    environ = {"JJM_HOME": str(tmp_path)}
    read = load_settings(environ, config=str(tmp_path / "c.json"))
    written = _load(tmp_path, WHOLE)
    assert (written.accounts, written.plan_rules, written.answer_rules) == (
        read.accounts, read.plan_rules, read.answer_rules,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("accounts = 3", r"\[accounts\] must hold tables like \[accounts.work\]"),
        ("[accounts]\nwork = 'key'", r"\[accounts.work\] must be a table"),
        ("[accounts.default]\napi_key = 'k'", r"\[accounts.default\] is \[jules\] itself"),
        ("[accounts.work]", r"\[accounts.work\] has no api_key"),
        ("[accounts.work]\napi_key = ' '", r"\[accounts.work\] has no api_key"),
        ("[accounts.work]\napi_key = 3", "api_key must be a text"),
        ("[accounts.work]\napi_key = 'k'\nplan = 'gold'", "plan must be one of auto, free, pro"),
        ("[accounts.work]\napi_key = 'k'\ntasks_per_day = -1", "tasks_per_day must be 0 or more"),
        ("[accounts.work]\napi_key = 'k'\ntasks_at_once = true", "must be a whole number"),
        ("[accounts.work]\napi_key = 'k'\ntasks_at_once = 1.5", "must be a whole number"),
        ("[accounts.work]\napi_key = 'k'\ncolour = 1", "unknown member 'colour'"),
        ("reviewers = 3", r"\[reviewers\] must hold tables like \[reviewers.style\]"),
        ("[reviewers]\na = 3", r"\[reviewers.a\] must be a table"),
        ("[reviewers.a]", r"\[reviewers.a\] needs either a command or an MCP server"),
        ("[reviewers.a]\nname = 'b'\ncommand = 'x'", "unknown member 'name'"),
        ("[reviewers.a]\ncommand = 'x'\nsandbox = 'no'", "sandbox must be true or false"),
        ("[reviewers.a]\ncommand = 'x'\ntimeout_seconds = 0", "must be a number above 0"),
        ("[reviewers.a]\ncommand = 'x'\ntimeout_seconds = true", "must be a number above 0"),
        ("[reviewers.a]\ncommand = 'x'\nenvironment = ['A B']", "names no variables"),
        ("plan_rules = 'ask'", r"Rules are written as \[\[plan_rules\]\]"),
        ("[plan_rules]\ndecision = 'ask'", r"Rules are written as \[\[plan_rules\]\]"),
        ("plan_rules = [3]", r"\[\[plan_rules\]\] number 1 must be a table"),
        ("[[plan_rules]]\nname = 'x'", "number 1 has no decision: approve or ask"),
        ("[[plan_rules]]\ndecision = 'deny'", "decision must be one of approve, ask, not 'deny'"),
        ("[[plan_rules]]\ndecision = 'ask'\npriorities = ['urgent']", "one of critical, high"),
        ("[[plan_rules]]\ndecision = 'ask'\nwords = [1]", "words must be a list of texts"),
        ("[[plan_rules]]\ndecision = 'ask'\nwords = ['']", "words must be a list of texts"),
        (
            "[[plan_rules]]\ndecision = 'ask'\nmax_steps = 'many'",
            "max_steps must be a whole number",
        ),
        ("[[plan_rules]]\ndecision = 'ask'\n[[plan_rules]]\nx = 1", "number 2 has no decision"),
        ("answer_rules = 3", r"Rules are written as \[\[answer_rules\]\]"),
        ("[[answer_rules]]\nwords = ['a']", "needs either a text or a command"),
        ("[[answer_rules]]\ntext = 'a'\ncommand = 'b'", "needs either a text or a command"),
        ("[[answer_rules]]\ncommand = '  '", "needs either a text or a command"),
        ('[[answer_rules]]\ncommand = "say \'it"', "command cannot be read: No closing quotation"),
        ("[[answer_rules]]\nanswer = 'a'", "unknown member 'answer'"),
    ],
)
def test_what_cannot_be_used_is_refused_in_words(tmp_path, text, words):
    """The sentence names the part, what it may have, and the file."""
    with pytest.raises(ConfigurationError, match=words) as caught:
        _load(tmp_path, text + "\n")
    assert "config.toml" in str(caught.value)


def test_a_key_is_not_repeated_in_a_refusal(tmp_path):
    """What goes to the terminal has no secret in it."""
    with pytest.raises(ConfigurationError) as caught:
        _load(tmp_path, "[accounts.work]\napi_key = 'secret'\nplan = 'gold'\n")
    assert "secret" not in f"{caught.value} {caught.value.hint}"


def _without_comment_marks() -> str:
    """Return the commented example with every `#` that hides a setting taken away."""
    lines = commented_example().splitlines()
    return "\n".join(
        line[1:] if line.startswith("#") and line[1:2] != " " else line for line in lines
    )


def test_the_commented_example_can_be_used_with_every_comment_taken_away(tmp_path):
    """It offers every setting, accounts and rules, and all of it loads."""
    settings = _load(tmp_path, _without_comment_marks())
    assert ["work"] == list(settings.accounts)
    assert ["ask", "approve"] == [rule.decision for rule in settings.plan_rules]
    assert [True, False] == [bool(rule.text) for rule in settings.answer_rules]
    assert settings.remotes


def test_the_commented_example_changes_nothing(tmp_path):
    """As it is written, everything has its default."""
    assert {} == _load(tmp_path, commented_example()).sources
