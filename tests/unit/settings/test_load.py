"""Settings: flag > environment > file > default."""

from __future__ import annotations

import pytest

from jules_job_manager.errors import ConfigurationError
from jules_job_manager.settings.load import load_settings, setting_fields
from jules_job_manager.settings.locate import config_file, default_data_path


@pytest.fixture
def home(tmp_path):
    return {"JJM_HOME": str(tmp_path)}


def test_precedence(home, tmp_path):
    """A flag beats a variable, which beats the file, which beats the default; sources say so."""
    (tmp_path / "config.toml").write_text(
        "[queue]\nconcurrency = 4\nmax_attempts = 5\nbase_branch = 'dev'\n"
    )
    environ = {**home, "JJM_QUEUE__CONCURRENCY": "7", "JJM_QUEUE__MAX_ATTEMPTS": "6"}
    settings = load_settings(environ, flags={"queue.concurrency": 9, "queue.answer": None})
    assert (9, 6, "dev", "ask") == (
        settings.queue.concurrency,
        settings.queue.max_attempts,
        settings.queue.base_branch,
        settings.queue.approve,
    )
    assert "command line" == settings.sources["queue.concurrency"]
    assert "$JJM_QUEUE__MAX_ATTEMPTS" == settings.sources["queue.max_attempts"]
    assert str(tmp_path / "config.toml") == settings.sources["queue.base_branch"]
    assert "queue.approve" not in settings.sources


def test_json_file_of_the_tickets(home, tmp_path):
    """The tickets' config.json is read."""
    (tmp_path / "config.json").write_text(
        '{"mcp_server": {"node_path": "node20"}, "monitoring": {"max_retries": 5}}'
    )
    settings = load_settings(home)
    assert ("node20", 5) == (settings.mcp_server.node_path, settings.monitoring.max_retries)


def test_dotenv_in_home_is_under_the_environment(home, tmp_path):
    """`.env` in the home folder is read, and the environment wins over it."""
    (tmp_path / ".env").write_text(
        "JULES_API_KEY=from-file\nJULES_API_URL=http://127.0.0.1:1/v1alpha\n"
    )
    settings = load_settings({**home, "JULES_API_KEY": "from-environment"})
    assert ("from-environment", "http://127.0.0.1:1/v1alpha") == (
        settings.jules.api_key,
        settings.jules.api_url,
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[queue]\nconcurrency = -1\n", "at least 0"),
        ("[queue]\nconcurrency = 'many'\n", "a whole number"),
        ("[queue]\nconcurrency = 1.5\n", "a whole number"),
        ("[queue]\nconcurrency = true\n", "a whole number"),
        ("[queue]\nwrite_back = 'maybe'\n", "true or false"),
        ("[queue]\npoll_interval_seconds = nan\n", "a number"),
        ("[review]\nchecks = [1]\n", "a list of texts"),
        ("[jules]\nbackend = 'carrier-pigeon'\n", "one of"),
        ("[jules]\napi_key = ['x']\n", "a text"),
        ("[queue]\ncolour = 1\n", "no setting queue.colour"),
        ("[kitchen]\nsink = 1\n", "no section"),
        ("queue = 3\n", "no section"),
        ("[remotes]\n'a/b' = 3\n", "remotes"),
        ("[queue\n", "cannot be read"),
    ],
)
def test_bad_files_are_refused_in_words(home, tmp_path, text, words):
    """A wrong file names the setting and what it takes."""
    (tmp_path / "config.toml").write_text(text)
    with pytest.raises(ConfigurationError, match=words):
        load_settings(home)


def test_named_file_must_exist(home):
    """A configuration file that was asked for must be there."""
    with pytest.raises(ConfigurationError, match="no configuration file"):
        load_settings(home, config="/nonexistent/config.toml")


def test_json_must_hold_sections(home, tmp_path):
    """A configuration that is a list is refused."""
    (tmp_path / "c.json").write_text("[]")
    with pytest.raises(ConfigurationError, match="sections"):
        load_settings(home, config=str(tmp_path / "c.json"))


def test_lists_and_remotes(home, tmp_path):
    """Lists take one text or several; remotes keep their names."""
    (tmp_path / "config.toml").write_text(
        '[review]\nchecks = "make test"\n[remotes]\n"octo/demo" = "/srv/demo.git"\n'
    )
    settings = load_settings(home)
    assert (("make test",), {"octo/demo": "/srv/demo.git"}) == (
        settings.review.checks,
        settings.remotes,
    )


def test_every_setting_has_a_meaning():
    """No setting is without its line of help."""
    assert all(field.metadata["help"].endswith(".") for _, _, field in setting_fields())


def test_locations(tmp_path):
    """Paths follow JJM_HOME and JJM_CONFIG."""
    environ = {"JJM_HOME": str(tmp_path)}
    assert config_file(environ) is None
    assert config_file({**environ, "JJM_CONFIG": "/x.toml"}) == "/x.toml"
    assert default_data_path(environ, "json") == str(tmp_path / "tasks.json")
    assert default_data_path(environ, "sqlite") == str(tmp_path / "jjm.db")
