"""Exporting one of several backlogs, by each name that it may be given."""

from __future__ import annotations

import json

import httpx2
import pytest
from tests.environment import bare_environment
from tests.service_thread import running_service
from tests.warm_program import run_jjm

pytestmark = [pytest.mark.integration, pytest.mark.slow]


def _document(key: str) -> str:
    return f"### {key}: First\n**Status**: 📋 Ready\n**Prompt**: Add a greeting\n"


@pytest.fixture(scope="module")
def jjm(tmp_path_factory):
    """Return a function that runs a command beside the store or through a service of it.

    The queue has two documents that were sent, a file, and a job in no document.
    """
    base = tmp_path_factory.mktemp("export")
    home = {"JJM_HOME": str(base / "home"), "JJM_BACKEND": "simulator"}
    with running_service(bare_environment(**home)) as there:
        far = {
            "JJM_HOME": str(base / "far"),
            "JJM_SERVER": there.address,
            "JJM_SERVER_KEY": there.key,
        }

        def run(way: str, *words: str, expect: int = 0) -> str:
            env = bare_environment(**(far if way == "service" else home))
            done = run_jjm(words, env=env, cwd=base)
            assert expect == done.returncode, done.stdout + done.stderr
            return done.stdout + done.stderr

        for way, name, key in (
            ("service", "a.md", "DOC-1"), ("service", "b.md", "DOC-2"), ("here", "c.md", "DOC-3"),
        ):  # fmt: skip
            (base / name).write_text(_document(key))
            run(way, "queue", "import", name, "--repo", "octo/demo")
        httpx2.post(
            f"{there.address}/api/v1/jobs", json={"key": "D", "prompt": "Do it"},
            headers={"Authorization": f"Bearer {there.key}"},
        ).raise_for_status()  # fmt: skip
        yield run


@pytest.mark.parametrize("way", ["here", "service"])
def test_each_name_that_is_offered_works(jjm, way):
    """What the hint says can be given as it stands."""
    said = jjm(way, "queue", "export", expect=1)
    names = said.split("Name one of ")[1].split(", or use")[0].split(", ")
    assert ["none", "c.md", "a.md", "b.md"] == [name.rpartition("/")[2] for name in names]
    for name, key in zip(names, ("D", "DOC-3", "DOC-1", "DOC-2"), strict=True):
        text = jjm(way, "queue", "export", name)
        assert f"### {key}: " in text
        assert 1 == text.count("### ")
        (job,) = json.loads(jjm(way, "queue", "export", name, "--format", "json"))
        assert key == job["key"]
        if name != "none":
            assert _document(key) == text


@pytest.mark.parametrize("way", ["here", "service"])
def test_shorter_names(jjm, way):
    """A file as it was sent, or what only one of them ends with; a job's key comes first."""
    for name in ("b.md", "./b.md"):
        assert _document("DOC-2") == jjm(way, "queue", "export", name)
    assert "### D: D" in jjm(way, "queue", "export", "d")
    assert "There is no job 'e.md'" in jjm(way, "queue", "export", "e.md", expect=1)
