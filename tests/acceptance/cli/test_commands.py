"""The commands, as the tickets and the README show them."""

from __future__ import annotations

import json
import sqlite3
import stat
import subprocess
import sys

import pytest
from tests.environment import bare_environment

from jules_job_manager._version import __version__
from jules_job_manager.cli.table import every_command

pytestmark = pytest.mark.integration


def _create(jjm, *more: str) -> str:
    return jjm(
        "create", "--repo", "octo/sample", "--description", "Add a greeting", *more
    ).stdout.strip()


@pytest.mark.both_ways
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


@pytest.mark.both_ways
def test_json_and_jq(jjm):
    """Lists are one JSON array with the fields asked for; jq filters them."""
    task_id = _create(jjm)
    assert [{"id": task_id}] == json.loads(jjm("list", "--json", "id").stdout)
    assert f"{task_id}\n" == jjm("list", "--json", "id", "--jq", ".[].id").stdout
    assert f"{task_id}\n" == jjm("list", "--ids").stdout
    assert "Fields: id, title" in jjm("list", "--json", expect=1).stderr
    assert "Unknown JSON field 'nope'" in jjm("list", "--json", "nope", expect=1).stderr
    assert "jq expression" in jjm("list", "--jq", "][", expect=1).stderr


@pytest.mark.both_ways
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


@pytest.mark.both_ways
def test_dry_runs_change_nothing(jjm):
    """A dry run says what would happen and sends nothing."""
    jjm("create", "--repo", "octo/sample", "--description", "x", "--dry-run")
    assert [] == json.loads(jjm("list", "--json", "id").stdout)
    task_id = _create(jjm)
    jjm("delete", task_id, "--dry-run")
    jjm("message", task_id, "x", "--dry-run")
    assert f"{task_id}\n" == jjm("list", "--ids").stdout


@pytest.mark.both_ways
def test_a_resume_that_jules_would_refuse_is_refused_dry_too(jjm):
    """A dry run of resuming a task that is not paused says so, as the real one does."""
    task_id = _create(jjm, "--require-approval")
    assert "is not paused" in jjm("resume", task_id, "--dry-run", expect=1).stderr


@pytest.mark.both_ways
@pytest.mark.both_ways
@pytest.mark.parametrize(
    "words",
    [
        ["message", "999999", "hi"], ["message", "999999", "hi", "--dry-run"],
        ["archive", "999999"], ["archive", "999999", "--dry-run"],
        ["delete", "999999", "--yes"], ["delete", "999999", "--dry-run"],
        ["plan", "999999"], ["log", "999999"], ["monitor", "999999"],
    ],
)  # fmt: skip
def test_an_unknown_task_is_named_by_every_command(jjm, words):
    """An id that Jules does not know is named, with the next step; nothing counts as deleted."""
    said = jjm(*words, expect=1)
    assert "" == said.stdout
    assert "error: There is no task 999999.\nhint: `jjm list` shows the tasks.\n" == said.stderr


@pytest.mark.both_ways
def test_a_message_of_several_words_needs_no_quotes(jjm):
    """Words that stand for themselves are one message."""
    task_id = _create(jjm)
    jjm("monitor", task_id, "--interval", "0.05")
    jjm("message", task_id, "Go", "on", "please")
    told = jjm("get", task_id, "--json", "chat_history", "--jq", ".chat_history[].content").stdout
    assert "Go on please" in told.splitlines()


@pytest.mark.both_ways
def test_monitor_says_when_the_status_waited_for_did_not_come(jjm):
    """A task that ended otherwise is a failure, with the reason in words."""
    task_id = _create(jjm)
    said = jjm("monitor", task_id, "--until", "paused", "--interval", "0.05", expect=1)
    assert "It ended without being seen as paused." in said.stderr
    assert "\t1 file\t" in said.stdout


def test_the_home_folder_is_private(jjm, tmp_path):
    """The first command makes a home that only its owner can look into."""
    jjm("sources")
    assert 0o700 == stat.S_IMODE((tmp_path / "home").stat().st_mode)


@pytest.mark.both_ways
def test_cached_tasks_are_told_with_their_age(jjm):
    """Without asking Jules, the list says how old it is, on stderr."""
    _create(jjm)
    assert "Stored tasks, as of " in jjm("list", "--cached").stderr
    assert "" == jjm("list", "--cached", "--json", "id").stderr


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
        (["monitor", "12345", "--interval", "-1"], "a number of seconds, 0 or more"),
        (["monitor", "12345", "--interval", "nan"], "a number of seconds, 0 or more"),
        (["log", "12345", "--follow", "--interval", "-1"], "a number of seconds, 0 or more"),
        (["message", "12345", "", "--dry-run"], "message is empty"),
        (["get", "http://["], "not a task id"),
        (["--config"], "needs the name of a file"),
        (["create", "--repo", "octo/sample", "--description", "\udcff"], "Argument 5 is not UTF-8"),
        (["monitor", "1", "--until", "\x1b[31mred"], "\\x1b[31mred"),
        (["list", "--limit", "0"], "between 1 and 1000"),
        (["nonsense"], "no command"),
        (["queue", "run"], "no jobs"),
        (["queue", "import", "nowhere.md"], "nowhere.md"),
        (["--config", "nowhere.toml", "list"], "no configuration file"),
        (["config", "set", "queue.colour", "red"], "no setting"),
        (["config", "set", "queue.concurrency", "-1"], "at least 0"),
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
    """A key that Jules refuses ends with 4, so that scripts can tell it from other trouble."""
    scenario = tmp_path / "scenario.toml"
    scenario.write_text("[deviations]\nkeys_refused = true\n")
    done = jjm("list", expect=4, JJM_SIMULATOR__SCENARIO=str(scenario))
    assert "error: Jules refused the API key." in done.stderr
    assert "settings#api" in done.stderr


@pytest.mark.both_ways
def test_deleting_needs_more_than_a_letter(jjm):
    """What cannot be undone takes six characters of the id at least."""
    task_id = _create(jjm)
    assert "too short" in jjm("delete", task_id[:5], "--yes", expect=1).stderr
    assert f"Task {task_id} deleted\n" == jjm("delete", task_id[:6], "--yes").stdout


@pytest.mark.both_ways
def test_a_message_names_the_whole_id(jjm):
    """A confirmation can be copied: it names the task, not the characters typed."""
    task_id = _create(jjm)
    jjm("monitor", task_id, "--interval", "0.05")
    assert f"Message sent to task {task_id}\n" == jjm("message", task_id[:8], "Go on").stdout


def test_secrets_in_addresses_are_not_shown(jjm, tmp_path):
    """A token in a remote's address is masked where settings are shown."""
    home = tmp_path / "home"
    home.mkdir()
    url = "https://user:t0ken@example.com/x.git"
    (home / "config.toml").write_text(f'[remotes]\n"octo/x" = "{url}"\n')
    shown = jjm("config", "show").stdout
    assert "https://********@example.com/x.git" in shown
    assert "t0ken" not in shown


@pytest.mark.parametrize(
    ("name", "content", "words", "said"),
    [
        (".env", b"JULES_API_KEY=\xff\xfe", ["list"], ".env cannot be read: it is not UTF-8 text."),
        ("config.toml", b"queue = 3\n", ["config", "set", "queue.concurrency", "4"], "as a value"),
    ],
)
def test_files_that_cannot_be_used(jjm, tmp_path, name, content, words, said):
    """A file that cannot be read is named, with what is wrong in it."""
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / name).write_bytes(content)
    done = jjm(*words, expect=1)
    assert said in done.stderr
    assert content == (tmp_path / "home" / name).read_bytes()


def test_a_plain_locale_is_enough(jjm):
    """In a locale that knows ASCII only, other characters are escaped instead of failing."""
    plain = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    task_id = _create(jjm, "--title", "Grüße ✓")
    assert "Gr\\xfc\\xdfe \\u2713" in jjm("get", task_id, **plain).stdout


def test_doctor_sees_a_home_that_is_a_file(jjm, tmp_path):
    """A home folder that cannot be made is not called all right."""
    (tmp_path / "file").write_text("x")
    done = jjm("doctor", expect=1, JJM_HOME=str(tmp_path / "file" / "home"))
    assert "is a file" in done.stdout


@pytest.mark.parametrize("operation", ["create", "message", "approve"])
def test_what_happened_at_jules_is_told_when_the_store_fails(jjm, tmp_path, operation):
    """When the store fails after Jules acted, the error says so, names the task, and warns of repeating."""
    task_id = _create(jjm, "--require-approval")
    jjm("monitor", task_id, "--until", "waiting_approval", "--interval", "0.05")
    store = sqlite3.connect(tmp_path / "home" / "jjm.db")
    table = "tasks" if operation == "create" else "task_events"
    store.execute(
        f"CREATE TRIGGER broken BEFORE INSERT ON {table} WHEN "
        + (
            "NEW.id != '" + task_id + "'"
            if operation == "create"
            else "NEW.type IN ('message_sent', 'plan_approved')"
        )
        + " BEGIN SELECT RAISE(ABORT, 'no'); END"
    )
    store.commit()
    store.close()
    words = {
        "create": ["create", "--repo", "octo/sample", "--description", "More"],
        "message": ["message", task_id, "Go on"],
        "approve": ["approve", task_id, "--yes"],
    }[operation]
    done = jjm(*words, expect=1)
    assert "could not be kept here" in done.stderr
    assert "Do not repeat it" in done.stderr
    if operation != "create":
        assert task_id in done.stderr


def test_a_damaged_store_is_named(jjm, tmp_path):
    """A store that cannot be read is no trouble of Jules'."""
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "jjm.db").write_text("a letter, not a database\n" * 50)
    assert "damaged" in jjm("list", expect=1).stderr


@pytest.mark.both_ways
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
    assert "# Most tasks at work at once" in path.read_text()
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
    said = jjm("doctor").stdout
    assert "FAIL" not in said
    assert "ruff and detect-secrets look for insecure code and secrets" in said
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


def test_the_pretend_mcp_server_ends_when_its_stdin_is_no_pipe(tmp_path):
    """With stdin from /dev/null it ends at once, with nothing of Python's insides in its words."""
    done = subprocess.run(
        [sys.executable, "-m", "jules_job_manager", "simulator", "mcp"], stdin=subprocess.DEVNULL,
        env=bare_environment(JJM_HOME=str(tmp_path)), capture_output=True, text=True, timeout=60,
        check=False,
    )  # fmt: skip
    assert (0, "") == (done.returncode, done.stdout)
    assert "Traceback" not in done.stderr
