"""The table of bad input in the documents, row by row."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[3]
HERE = "tests/acceptance/cli/test_bad_input.py"
ROW = re.compile(
    r"^\| (?P<what>[^|]+) \| (?P<says>[^|]+) \| (?P<exit>\d) \| `(?P<test>[^`|]+)` \|$"
)
ROWS = {
    found["what"]: found
    for line in (ROOT / "docs/reference/bad-input.md").read_text().splitlines()
    if (found := ROW.match(line))
}
JOB = "### {key}: {key}\n**Dependencies**: {after}\n**Prompt**: Do it\n\n"
CREATE = ["create", "--repo", "octo/sample", "--description", "x"]
AWAY = {
    "JJM_BACKEND": "rest", "JULES_API_KEY": "k", "JULES_API_URL": "http://127.0.0.1:1/v1alpha",
    "JJM_MONITORING__MAX_RETRIES": "1",
}  # fmt: skip
FILES = {
    "binary.md": b"\xff\xfe\x00",
    "circle.md": (
        JOB.format(key="Task 1", after="Task 2") + JOB.format(key="Task 2", after="Task 1")
    ).encode(),
    "missing.md": JOB.format(key="Task 1", after="Task 9").encode(),
    "twice.md": (JOB.format(key="Task 1", after="None") * 2).encode(),
    "prose.md": b"# Notes\n\nNothing to do here.\n",
    "refused.toml": b"[deviations]\nkeys_refused = true\n",
}
CASES: dict[str, tuple[list[str], dict[str, str]]] = {
    "repository of a wrong form": (["create", "--repo", "demo", "--description", "x"], {}),
    "repository that Jules may not work on": (
        ["create", "--repo", "octo/none", "--description", "x"], {},
    ),
    "branch of a wrong form": ([*CREATE, "--branch=a..b"], {}),
    "unknown task id": (["get", "99999"], {}),
    "text that is no task id": (["get", "../etc"], {}),
    "empty prompt": (["create", "--repo", "octo/sample", "--description", " \n"], {}),
    "empty message": (["message", "99999", ""], {}),
    "prompt file that is not there": (
        ["create", "--repo", "octo/sample", "--file", "nowhere.md"], {},
    ),
    "prompt file that is a folder": (["create", "--repo", "octo/sample", "--file", "."], {}),
    "prompt file that is not UTF-8": (
        ["create", "--repo", "octo/sample", "--file", "binary.md"], {},
    ),
    "backlog whose dependencies form a circle": (["queue", "import", "circle.md"], {}),
    "backlog with a missing dependency": (["queue", "import", "missing.md"], {}),
    "backlog with two jobs of one key": (["queue", "import", "twice.md"], {}),
    "backlog without a job": (["queue", "import", "prose.md"], {}),
    "unknown command": (["nonsense"], {}),
    "unknown setting": (["config", "set", "queue.colour", "red"], {}),
    "configuration file that is no TOML": (["list"], {}),
    "nothing configured": (["list"], {"JJM_BACKEND": ""}),
    "Jules that cannot be reached": (["list"], AWAY),
    "key that Jules refuses": (["list"], {"JJM_SIMULATOR__SCENARIO": "refused.toml"}),
    "store that is damaged": (["list"], {}),
}  # fmt: skip


def test_every_row_is_read():
    """The table is read whole, and each of its tests exists."""
    assert 31 == len(ROWS)
    for what, row in ROWS.items():
        path, _, name = row["test"].partition("::")
        assert (ROOT / path).is_file(), what
        if path == HERE:
            assert what in CASES
        else:
            assert f"def {name}(" in (ROOT / path).read_text(), what
    assert set(CASES) <= set(ROWS)


@pytest.mark.parametrize("what", CASES)
def test_the_words_of_the_row(jjm, tmp_path, what):
    """The sentence and the exit code are those of the table; stdout stays clean, nothing is made."""
    for name, content in FILES.items():
        (tmp_path / name).write_bytes(content)
    home = tmp_path / "home"
    home.mkdir()
    if what == "store that is damaged":
        (home / "jjm.db").write_text("a letter, not a database\n" * 50)
    if what == "configuration file that is no TOML":
        (home / "config.toml").write_text("[jules\n")
    words, environ = CASES[what]
    done = jjm(*words, expect=int(ROWS[what]["exit"]), **environ)
    assert ROWS[what]["says"].strip("`") in done.stderr
    assert done.stderr.startswith(("error: ", "warning: ")) or "\nerror: " in done.stderr
    assert "unexpected" not in done.stderr
    assert "Traceback" not in done.stderr
    assert "" == done.stdout
    if words[0] == "queue":
        assert "" == jjm("queue", "list").stdout
