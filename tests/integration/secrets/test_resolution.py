"""Settings whose secrets are kept elsewhere: read at start, replaced without a restart, never shown."""

from __future__ import annotations

import asyncio
import logging
import traceback

import pytest
from tests.clocks import HeldClock
from tests.integration.secrets.conftest import SECRET

from jules_job_manager.bootstrap import open_app
from jules_job_manager.bootstrap.settings_watch import SettingsWatch
from jules_job_manager.domain.masking import MASK, KnownSecrets
from jules_job_manager.errors import ConfigurationError
from jules_job_manager.settings.load import load_settings
from jules_job_manager.settings.secrets import check, known_secrets

pytestmark = pytest.mark.integration


@pytest.fixture
def home(tmp_path):
    return tmp_path


@pytest.fixture
def key_file(home):
    path = home / "key"
    path.write_text(SECRET)
    path.chmod(0o600)
    return path


def _configure(home, text: str) -> None:
    (home / "config.toml").write_text(text)


def _load(home, **environ):
    return load_settings({"JJM_HOME": str(home), **environ})


def test_every_kind_of_secret_setting(home, key_file):
    """Single ones, lists, accounts; what is no reference stays; where it came from is shown."""
    _configure(
        home,
        f"""
        [jules]
        api_key = "file:{key_file}"
        [notify]
        urls = ["json://a", "env:HOOK"]
        [accounts.work]
        api_key = "env:WORK_KEY"
        [github]
        token = "ghp_plain"
    """,
    )
    settings = _load(home, HOOK="json://b", WORK_KEY="w")
    assert (SECRET, ("json://a", "json://b"), "w", "ghp_plain") == (
        settings.jules.api_key, settings.notify.urls, settings.accounts["work"].api_key,
        settings.github.token,
    )  # fmt: skip
    assert f"file:{key_file} ({home}/config.toml)" == settings.sources["jules.api_key"]
    assert f"{home}/config.toml" == settings.sources["github.token"]


def test_a_variable_may_hold_a_reference(home, key_file):
    """Also one of `.env`."""
    (home / ".env").write_text("MY_KEY=from-dotenv\n")
    assert SECRET == _load(home, JULES_API_KEY=f"file:{key_file}").jules.api_key
    assert "from-dotenv" == _load(home, JULES_API_KEY="env:MY_KEY").jules.api_key


def test_the_token_of_vault_is_read_first(home, vault):
    """It is kept elsewhere itself."""
    token = home / "token"
    token.write_text("vault-token\n")
    token.chmod(0o600)
    vault.secrets["jjm"] = {"jules": SECRET}
    _configure(
        home,
        f"""
        [secrets]
        vault_url = "{vault.url}"
        vault_token = "file:{token}"
        [jules]
        api_key = "vault:jjm#jules"
    """,
    )
    assert SECRET == _load(home).jules.api_key


def test_a_secret_that_is_missing_is_one_sentence(home):
    """Which setting, where it should be, and why it is not there."""
    with pytest.raises(ConfigurationError) as caught:
        _load(home, JULES_API_KEY="env:NOWHERE")
    assert (
        "jules.api_key is kept in env:NOWHERE: The variable NOWHERE is not set."
        == caught.value.message
    )
    with pytest.raises(
        ConfigurationError, match=r"is none: write it as vault:PATH#FIELD"
    ) as caught:
        _load(home, JULES_API_KEY="vault:my secret text")
    assert "my secret text" not in repr(caught.value)
    with pytest.raises(ConfigurationError, match="cannot be kept in vault itself"):
        _load(home, VAULT_TOKEN="vault:a#b")


def test_all_of_them_can_be_checked(home, key_file):
    """Those that are there and those that are not, without a secret in it."""
    environ = {
        "JJM_HOME": str(home), "JULES_API_KEY": f"file:{key_file}", "GITHUB_TOKEN": "env:GONE",
        "DATABASE_URL": "vault:oops", "VAULT_TOKEN": "file:/nowhere",
    }  # fmt: skip
    found = check(load_settings(environ, read_secrets=False), environ)
    assert [
        ("jules.api_key", f"file:{key_file}", ""),
        ("storage.database_url", "",
         "It begins like a reference to a secret, but is none: write it as vault:PATH#FIELD."),
        ("github.token", "env:GONE", "The variable GONE is not set."),
        ("secrets.vault_token", "file:/nowhere",
         "The file /nowhere cannot be read: No such file or directory."),
    ] == [(state.setting, state.reference, state.error) for state in found]  # fmt: skip
    assert SECRET not in repr(found)


async def test_no_secret_is_ever_written_to_the_log(home, key_file):
    """Not in a message, not in a traceback, not one that was added later."""
    settings = _load(home, JULES_API_KEY=f"file:{key_file}")
    async with open_app(settings) as app:
        app.secrets.add(["later-secret"])
        log = logging.getLogger("jules_job_manager.test")
        try:
            raise RuntimeError(f"it was {SECRET}")
        except RuntimeError as exc:
            log.warning("used %s and later-secret", SECRET, exc_info=exc, extra={"key": SECRET})
        assert f"x {MASK}" == app.secrets.masked(f"x {SECRET}")
    text = (home / "logs" / "jules_manager.log").read_text()
    assert MASK in text
    assert SECRET not in text
    assert "later-secret" not in text


class Watched:
    """A watch on a home folder, and what it told."""

    def __init__(self, home, key_file) -> None:
        self.environ = {"JJM_HOME": str(home), "JULES_API_KEY": f"file:{key_file}"}
        self.clock, self.told, self.said = HeldClock(), [], []
        settings = load_settings(self.environ)
        self.secrets = known_secrets(settings)
        self.watch = SettingsWatch(
            settings=settings, load=lambda: load_settings(self.environ), secrets=self.secrets,
            clock=self.clock, say=self.said.append,
        )  # fmt: skip
        self.heard = asyncio.Event()
        self.watch.subscribe(self._hear)

    async def _hear(self, settings) -> None:
        self.told.append(settings.jules.api_key)
        self.heard.set()

    async def wait_heard(self) -> None:
        async with asyncio.timeout(10):
            await self.heard.wait()
        self.heard.clear()


@pytest.fixture
async def watched(home, key_file):
    made = Watched(home, key_file)
    running = asyncio.ensure_future(made.watch.run())
    await made.clock.settle()
    yield made
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_a_secret_is_replaced_without_a_restart(watched, key_file):
    """On the interval, or at once when woken; old and new are masked."""
    key_file.write_text("second-secret")
    await watched.clock.pass_time(299)
    assert [] == watched.told
    await watched.clock.pass_time(1)
    await watched.wait_heard()
    key_file.write_text("third-secret")
    watched.watch.wake()
    await watched.wait_heard()
    assert ["second-secret", "third-secret"] == watched.told
    masked = watched.secrets.masked(f"{SECRET} second-secret third-secret")
    assert " ".join([MASK] * 3) == masked


async def test_a_secret_that_is_away_for_a_while_is_kept(watched, key_file, caplog):
    """A server goes on with what it has, says so once, and takes the new one when it is there."""
    with caplog.at_level(logging.WARNING):
        key_file.unlink()
        for _ in range(3):
            assert frozenset() == await watched.watch.refresh()
    assert 1 == sum("secrets are kept as they are" in record.message for record in caplog.records)
    assert SECRET == watched.watch.settings.jules.api_key
    assert "cannot be read" in watched.watch.error
    key_file.write_text("second-secret")
    key_file.chmod(0o600)
    assert {"jules.api_key"} == await watched.watch.refresh()
    assert "" == watched.watch.error


async def test_what_a_person_asks_for_is_told(watched, home, key_file):
    """All of it, whether a secret changed or not, with what needs a restart; what cannot be read too."""
    _configure(home, "[queue]\nconcurrency = 3\n[server]\nport = 9000\n[live]\npoll_seconds = 9\n")
    assert frozenset() == await watched.watch.refresh()
    assert ([], []) == (watched.told, watched.said)
    assert frozenset() == await watched.watch.refresh(is_asked=True)
    assert [SECRET] == watched.told
    _configure(home, "[queue]\nconcurrency = 'many'\n")
    await watched.watch.refresh(is_asked=True)
    assert [SECRET] == watched.told
    said = "The configuration was read again. These need a restart: live.poll_seconds, server.port."
    assert said == watched.said[0]
    assert watched.said[1].startswith("warning: the configuration stays as it was: ")


async def test_readings_do_not_overlap(watched, key_file):
    """However often it is woken meanwhile, the next begins when all have been told."""
    inside, most, go_on = 0, 0, asyncio.Event()

    async def slow(settings) -> None:
        nonlocal inside, most
        inside += 1
        most = max(most, inside)
        await go_on.wait()
        inside -= 1

    watched.watch.subscribe(slow)
    for _ in range(5):
        watched.watch.wake()
        await watched.wait_heard() if inside == 0 else None
    go_on.set()
    await watched.wait_heard()
    assert (1, 2) == (most, len(watched.told))


async def test_one_subscriber_that_fails_keeps_it_from_nobody(home, key_file, caplog):
    """Each is told by itself."""
    watched = Watched(home, key_file)
    watched.watch._subscribers.clear()

    async def fail(settings):
        raise RuntimeError(settings.jules.api_key)

    watched.watch.subscribe(fail)
    watched.watch.subscribe(watched._hear)
    key_file.write_text("second-secret")
    await watched.watch.refresh()
    assert 1 == len(watched.told)
    assert "could not be put to use (RuntimeError)" in caplog.text


def test_no_secret_in_tracebacks(home, vault, aws):
    """Whatever a place answers, its errors and their causes show no secret."""
    vault.secrets["jjm"] = {"other": SECRET}
    aws.secrets = {"jjm": SECRET}
    environ = {
        "JJM_HOME": str(home), "VAULT_ADDR": vault.url, "VAULT_TOKEN": "vault-token",
        "AWS_REGION": "eu-west-1", "JJM_SECRETS__AWS_ENDPOINT_URL": aws.url,
    }  # fmt: skip
    for reference in ("vault:jjm#jules", "aws:jjm#jules"):
        with pytest.raises(ConfigurationError) as caught:
            load_settings({**environ, "JULES_API_KEY": reference})
        text = "".join(traceback.format_exception(caught.value))
        assert SECRET not in text
        assert "vault-token" not in text


def test_known_secrets_of_settings(home):
    """All of them, from any section."""
    known = known_secrets(_load(home, JULES_API_KEY="one-secret", GITHUB_TOKEN="two-secret"))
    assert isinstance(known, KnownSecrets)
    assert f"{MASK} {MASK}" == known.masked("one-secret two-secret")


@pytest.mark.parametrize(
    ("address", "is_shown"),
    [
        ("postgresql://db.example:5432/jjm", True),
        ("postgresql://db.example/jjm?password=x1y2", False),
        ("postgresql://ada:x1y2@db.example/jjm", False),
        ("a-password-alone", False),
    ],
)
def test_an_address_without_a_secret_is_none(home, address, is_shown):
    """It is named when the database cannot be reached."""
    known = known_secrets(_load(home, DATABASE_URL=address))
    assert is_shown == (address in known.masked(f"The database {address} cannot be reached."))
    assert "x1y2" not in known.masked(address)
