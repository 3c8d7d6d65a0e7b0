"""The examples of docs/reference/api.md, run with curl against a real service."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from tests.environment import bare_environment
from tests.service_thread import running_service

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed"),
]
PAGE = Path(__file__).parents[3] / "docs" / "reference" / "api.md"
EXAMPLE = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def test_the_examples_work(tmp_path):
    """Each ends well, and its answer is what the text around it says."""
    bare = tmp_path / "shop.git"
    for words in (
        ["init", "-q", "--bare", "-b", "main", bare],
        ["clone", "-q", bare, tmp_path / "c"],
    ):
        subprocess.run(["git", *words], check=True, capture_output=True)
    person = ["-c", "user.name=T", "-c", "user.email=t@example.com"]
    for words in (
        ["commit", "-q", "--allow-empty", "-m", "root"],
        ["push", "-q", "origin", "HEAD:main"],
    ):
        subprocess.run(
            ["git", "-C", tmp_path / "c", *person, *words], check=True, capture_output=True
        )
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "config.toml").write_text(f'[remotes]\n"octo/shop" = "{bare}"\n')
    environ = bare_environment(
        JJM_HOME=str(tmp_path / "home"), JJM_BACKEND="simulator", JJM_SIMULATOR__SPEED="2000"
    )
    examples = EXAMPLE.findall(PAGE.read_text("utf-8"))
    answers = []
    with running_service(environ) as there:
        own = bare_environment(JJM_SERVER=there.address, JJM_SERVER_KEY=there.key)
        for example in examples:
            done = subprocess.run(
                ["sh", "-ec", example], env=own, capture_output=True, text=True, timeout=60,
                check=False,
            )  # fmt: skip
            assert 0 == done.returncode, example + done.stdout + done.stderr
            answers.append(done.stdout)
    who, missing, made, batch, page, *lists, changed, task, events, stream, webhook = answers
    assert "admin" == json.loads(who)["role"]
    assert ("JJM011", 404) == tuple(json.loads(missing)[name] for name in ("code", "status"))
    assert "SHOP-1" == json.loads(made)["key"]
    assert [201, 400] == [one["status"] for one in json.loads(batch)["results"]]
    assert json.loads(page)["next_cursor"]
    assert [[], [], []] == [json.loads(answer)["items"] for answer in lists]
    assert "high" == json.loads(changed)["priority"]
    assert json.loads(task)["id"]
    assert "job:SHOP-1" == json.loads(events)["items"][0]["subject"]
    assert "data: " in stream
    assert json.loads(webhook)["secret"].startswith("whsec_")
