"""A review file proposed from what a repository has."""

from __future__ import annotations

import tomllib

import pytest

from jules_job_manager.domain.review_plan import ReviewPlan, with_file
from jules_job_manager.services.review_file import proposals, review_file


@pytest.mark.parametrize(
    ("files", "has_tests", "commands"),
    [
        ({}, False, []),
        ({"Makefile": "test: x\n\tgo\nlint:\nTEST := 1\n"}, True, ["make test", "make lint"]),
        (
            {"pyproject.toml": "[tool.pytest.ini_options]\n[tool.ruff]\n[tool.mypy]\n"}, True,
            ["python3 -m pytest -q --junit-xml=.jjm-tests.xml", "ruff check .", "mypy ."],
        ),
        ({"requirements.txt": "flask\n"}, True, ["python3 -m unittest discover -s tests -t ."]),
        ({"pyproject.toml": "not [ toml", "alembic.ini": ""}, False,
         ["alembic upgrade head && alembic downgrade base"]),
        ({"package.json": '{"scripts": {"test": "vitest", "build": "vite build", "lint": 3}}'}, False,
         ["npm run test", "npm run build"]),
        ({"package.json": '{"scripts": {"test": "echo \\"Error: no test specified\\""}}'}, False, []),
        ({"package.json": "[]", "Cargo.toml": ""}, False, ["cargo test --offline"]),
        ({"package.json": "{", "go.mod": ""}, False, ["go test ./..."]),
    ],
)  # fmt: skip
def test_the_checks_that_fit(files, has_tests, commands):
    """Whatever is proposed is a file that can be read; nothing is proposed twice."""
    found = proposals(files, has_tests=has_tests)
    assert commands == [proposal.command for proposal in found]
    plan = with_file(ReviewPlan(), tomllib.loads(review_file(found)), known_rules=())
    assert commands == [check.command for check in plan.checks]
