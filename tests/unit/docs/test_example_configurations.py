"""Every example configuration in the documents loads as it is printed."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from jules_job_manager.bootstrap.queue import digest_policy, queue_policy, review_plan
from jules_job_manager.domain.review_plan import ReviewPlan, with_file
from jules_job_manager.domain.scans import rule_ids
from jules_job_manager.settings.load import load_settings

ROOT = Path(__file__).parents[3]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
REVIEWS = ROOT / "docs" / "reference" / "review.md"
REVIEWERS = ROOT / "docs" / "reference" / "reviewers.md"


def blocks(page: Path) -> list[str]:
    """Return the TOML of a page."""
    return re.findall(r"^```toml\n(.*?)^```", page.read_text("utf-8"), re.MULTILINE | re.DOTALL)


EXAMPLES = [
    pytest.param(text, id=f"{page.relative_to(ROOT)}-{number}")
    for page in PAGES
    # Examples of scenarios are tested with the simulator; those of .jjm.toml below.
    if page.name not in {"simulator.md", REVIEWS.name, REVIEWERS.name}
    for number, text in enumerate(blocks(page), 1)
]


@pytest.mark.parametrize("text", EXAMPLES)
def test_it_loads(text, tmp_path):
    """No unknown name, no value that is refused, also not by what is built from it."""
    (tmp_path / "config.toml").write_text(text, "utf-8")
    # The page of secrets keeps one in a variable.
    settings = load_settings({"JJM_HOME": str(tmp_path), "WORK_JULES_KEY": "k"})
    assert settings.sources or settings.accounts
    queue_policy(settings)
    digest_policy(settings)


def test_the_review_file_of_the_reference_can_be_used():
    """Every member that the page shows is read."""
    (text,) = blocks(REVIEWS)
    plan = with_file(ReviewPlan(), tomllib.loads(text), known_rules=rule_ids())
    assert "tests" == plan.checks[0].name


def test_the_reviewers_of_the_reference_can_be_used(tmp_path):
    """Those of a repository, and those of a person."""
    shared, own = blocks(REVIEWERS)
    plan = with_file(ReviewPlan(), tomllib.loads(shared), known_rules=rule_ids())
    assert ["documents", "security model"] == [reviewer.name for reviewer in plan.reviewers]
    (tmp_path / "config.toml").write_text(own, "utf-8")
    settings = load_settings({"JJM_HOME": str(tmp_path)})
    assert ["style", "desk"] == [reviewer.name for reviewer in settings.reviewers]
    assert settings.reviewers == review_plan(settings).reviewers


def test_the_how_tos_have_examples():
    """The pattern finds them."""
    assert len(EXAMPLES) >= 7


def test_every_variable_of_the_example_environment_is_a_setting(tmp_path):
    """`.env.example` with its comments taken away loads, and each line means something."""
    lines = (ROOT / ".env.example").read_text("utf-8").splitlines()
    given = [line[1:] for line in lines if re.match(r"#[A-Z_]+=\S", line)]
    names = [line.partition("=")[0] for line in given]
    assert len(names) > 8
    environ = dict(line.split("=", 1) for line in given)
    environ |= {"JJM_HOME": str(tmp_path), "JJM_CONFIG": ""}
    used = set(load_settings(environ).sources.values())
    assert set() == {f"${name}" for name in names} - used - {"$JJM_HOME", "$JJM_CONFIG"}
