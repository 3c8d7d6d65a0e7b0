"""The commands, as the tickets and the README show them."""

from __future__ import annotations

import json
import stat

import pytest

from jules_job_manager._version import __version__
from jules_job_manager.cli.table import every_command

pytestmark = pytest.mark.integration


def _create(jjm, *more: str) -> str:
    return jjm(
        "create", "--repo", "octo/sample", "--description", "Add a greeting", *more
    ).stdout.strip()


def test_the_tickets_example_script(jjm):
    """Create, wait for the plan, approve, wait for the end, look: with the id captured on the way."""
    task_id = _create(jjm, "--require-approval")
    jjm("monitor", task_id, "--until", "waiting_approval", "--interval", "0.05")
    assert "1." in jjm("plan", task_id).stdout
    assert f"Plan approved for task {task_id}\n" == jjm("approve", task_id).stdout
    jjm("monitor", task_id, "--until", "completed", "--interval", "0.05")
    shown = jjm("get", task_id[:8]).stdout
    assert f"ID: {task_id}\n" in shown
    assert "Status: completed (COMPLETED)\n" in shown
    assert jjm("patch", task_id).stdout.startswith("diff --git")
    assert "not waiting for approval" in jjm("approve", task_id, expect=1).stderr


def test_json_and_jq(jjm):
    """Lists are one JSON array with the fields asked for; jq filters them."""
    task_id = _create(jjm)
    assert [{"id": task_id}] == json.loads(jjm("list", "--json", "id").stdout)
    assert f"{task_id}\n" == jjm("list", "--json", "id", "--jq", ".[].id").stdout
    assert f"{task_id}\n" == jjm("list", "--ids").stdout
    assert "Fields: id, title" in jjm("list", "--json", expect=1).stderr
    assert "Unknown JSON field 'nope'" in jjm("list", "--json", "nope", expect=1).stderr
    assert "jq expression" in jjm("list", "--jq", "][", expect=1).stderr


def test_message_archive_delete(jjm):
    """What users expect beside the tickets' commands."""
    task_id = _create(jjm)
    jjm("monitor", task_id, "--interval", "0.05")
    assert f"Message sent to task {task_id}\n" == jjm("message", task_id, "-", stdin="Go on").stdout
    assert "user_messaged" in jjm("log", task_id).stdout
    jjm("archive", task_id)
    assert "" == jjm("list", "--ids").stdout
    jjm("archive", task_id, "--undo")
    assert "--yes" in jjm("delete", task_id, expect=1).stderr
    jjm("delete", task_id, "--yes")
    assert "There is no task" in jjm("get", task_id, expect=1).stderr


def test_dry_runs_change_nothing(jjm):
    """A dry run says what would happen and sends nothing."""
    jjm("create", "--repo", "octo/sample", "--description", "x", "--dry-run")
    assert [] == json.loads(jjm("list", "--json", "id").stdout)
    task_id = _create(jjm)
    jjm("delete", task_id, "--dry-run")
    jjm("message", task_id, "x", "--dry-run")
    assert f"{task_id}\n" == jjm("list", "--ids").stdout


def test_stored_tasks_are_shown_when_jules_is_away(jjm):
    """Cached data is shown with its age when the backend cannot be reached."""
    task_id = _create(jjm)
    away = {
        "JJM_BACKEND": "rest",
        "JULES_API_KEY": "k",
        "JULES_API_URL": "http://127.0.0.1:1/v1alpha",
        "JJM_MONITORING__MAX_RETRIES": "1",
    }
    assert f"{task_id}\n" == jjm("list", "--cached", "--ids", **away).stdout
    shown = jjm("get", task_id, **away)
    assert "Jules cannot be reached" in shown.stderr
    assert f"ID: {task_id}\n" in shown.stdout
    assert "cannot be reached" in jjm("list", expect=1, **away).stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["create", "--repo", "bad", "--description", "x"], "not a repository"),
        (["create", "--repo", "octo/none", "--description", "x"], "may not work on"),
        (["create", "--repo", "octo/sample", "--description", "  "], "description is empty"),
        (["create", "--repo", "octo/sample", "--file", "nowhere"], "cannot be read"),
        (
            ["create", "--repo", "octo/sample", "--description", "x", "--branch", "-f"],
            "expected one argument",
        ),
        (
            ["create", "--repo", "octo/sample", "--description", "x", "--branch=a..b"],
            "not a branch name",
        ),
        (["get", "12345"], "There is no task"),
        (["get", "../etc"], "not a task id"),
        (["message", "12345", ""], "message is empty"),
        (["monitor", "12345", "--interval", "-1"], "must not be negative"),
        (["list", "--limit", "0"], "between 1 and 1000"),
        (["nonsense"], "no command"),
        (["queue", "run"], "no jobs"),
        (["queue", "import", "nowhere.md"], "nowhere.md"),
        (["--config", "nowhere.toml", "list"], "no configuration file"),
        (["config", "set", "queue.colour", "red"], "no setting"),
        (["config", "set", "queue.concurrency", "0"], "at least 1"),
    ],
)
def test_bad_input(jjm, words, said):
    """Bad input gets one sentence, no traceback, and exit code 1."""
    done = jjm(*words, expect=1)
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert "" == done.stdout


def test_nothing_configured(jjm):
    """With no way to reach Jules, the sentence says how to get one."""
    done = jjm("list", expect=1, JJM_BACKEND="")
    assert "JULES_API_KEY" in done.stderr
    assert "simulator" in done.stderr


def test_a_bad_key_has_its_own_exit_code(jjm, tmp_path):
    """Wrong settings and damaged stores are told apart from trouble at Jules."""
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "jjm.db").write_text("a letter, not a database\n" * 50)
    assert "damaged" in jjm("list", expect=1).stderr


def test_escape_codes_do_not_get_through(jjm):
    """A title with terminal codes is shown, not obeyed."""
    task_id = _create(jjm, "--title", "\x1b[31mred\x1b]0;owned\x07")
    for words in (["list"], ["get", task_id]):
        assert "\x1b" not in jjm(*words).stdout


def test_config_commands(jjm, tmp_path):
    """Init writes a file that loads, set changes it, show says where each value came from."""
    jjm("config", "init")
    path = tmp_path / "home" / "config.toml"
    assert 0o600 == stat.S_IMODE(path.stat().st_mode)
    jjm("config", "init", expect=1)
    jjm("config", "set", "queue.concurrency", "5")
    jjm("config", "set", "jules.api_key", "-", stdin="secret-key\n")
    assert "# Most tasks at work at once." in path.read_text()
    shown = jjm("config", "show").stdout
    assert f"queue.concurrency\t5\t{path}" in shown
    assert "secret-key" not in shown
    assert "jules.backend\tsimulator\t$JJM_BACKEND" in shown


def test_version_and_help(jjm):
    """The version and every command's help are there."""
    assert f"jjm {__version__}\n" == jjm("--version").stdout
    assert f"jjm {__version__}\n" == jjm("--debug", "--version").stdout
    overview = jjm("--help").stdout
    for group in ("queue", "config", "simulator", "storage", "create", "demo"):
        assert group in overview
    jjm(expect=1)
    assert "import" in jjm("queue", "--help").stdout


def test_doctor(jjm):
    """The doctor names what is wrong and how to mend it."""
    assert "FAIL" not in jjm("doctor").stdout
    assert "->" in jjm("doctor", expect=1, JJM_BACKEND="").stdout
    assert all(row["ok"] for row in json.loads(jjm("doctor", "--json", "check,ok").stdout))


def test_storage_status_sources_and_completion(jjm, tmp_path):
    """Small commands that people look for."""
    assert f"sqlite\t{tmp_path / 'home' / 'jjm.db'}\n" == jjm("storage", "status").stdout
    assert "octo/sample\tmain\t1\n" == jjm("sources").stdout
    assert "_ARGCOMPLETE" in jjm("completion", "bash").stdout
    task_id = _create(jjm)
    assert f"https://jules.google.com/session/{task_id}\n" == jjm("open", task_id, "--print").stdout


def test_every_command_exists_and_helps():
    """Every command of the table loads and declares its options."""
    from importlib import import_module

    from jules_job_manager.cli.dispatch import command_parser

    for name, module, text in every_command():
        loaded = import_module(f"jules_job_manager.cli.commands.{module}")
        assert command_parser(loaded, name).format_help()
        assert text
