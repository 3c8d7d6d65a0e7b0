"""The key of a service goes to the address that it was given for, and to no other."""

from __future__ import annotations

import pytest

from jules_job_manager.client.app import open_remote
from jules_job_manager.errors import ConfigurationError
from jules_job_manager.settings.load import load_settings
from jules_job_manager.settings.secrets import check, known_secrets
from jules_job_manager.settings.server_keys import is_same
from jules_job_manager.settings.shown import rows

A, B = "https://a.example", "https://b.example:8443"
FILE = f'[client]\nserver = "{A}"\napi_key = "key-of-file"\n'
KEPT = f'[servers."{B}"]\napi_key = "key-of-b"\n'


def _client(tmp_path, file="", dotenv="", server=None, **environ):
    (tmp_path / "config.toml").write_text(file)
    (tmp_path / ".env").write_text(dotenv)
    flags = {} if server is None else {"client.server": server}
    return load_settings({"JJM_HOME": str(tmp_path), **environ}, flags=flags)


@pytest.mark.parametrize(
    ("given", "key", "origin"),
    [
        ({"file": FILE}, "key-of-file", "config.toml"),
        ({"file": FILE, "server": A + ":443/"}, "key-of-file", "config.toml"),
        ({"file": FILE, "JJM_SERVER": A}, "key-of-file", "config.toml"),
        ({"file": FILE, "JJM_SERVER_KEY": "mine"}, "mine", "$JJM_SERVER_KEY"),
        ({"JJM_SERVER": B, "JJM_SERVER_KEY": "mine"}, "mine", "$JJM_SERVER_KEY"),
        ({"file": FILE, "JJM_SERVER": B, "JJM_SERVER_KEY": "mine"}, "mine", "$JJM_SERVER_KEY"),
        ({"server": B, "JJM_SERVER_KEY": "mine"}, "mine", "$JJM_SERVER_KEY"),
        ({"server": A, "file": FILE, "JJM_SERVER": B, "JJM_SERVER_KEY": "x"}, "key-of-file", "config.toml"),
        ({"server": B, "file": FILE + KEPT}, "key-of-b", f'[servers."{B}"]'),
        ({"server": B, "file": FILE + KEPT, "JJM_SERVER_KEY": "x"}, "key-of-b", f'[servers."{B}"]'),
        ({"server": B, "dotenv": f"JJM_SERVER={B}\nJJM_SERVER_KEY=d\n"}, "d", "$JJM_SERVER_KEY"),
    ],
)  # fmt: skip
def test_the_key_that_is_for_the_address(tmp_path, given, key, origin):
    """Beside it, under it, or kept for it; a trailing slash and the usual port are the same address."""
    settings = _client(tmp_path, **given)
    assert key == settings.client.api_key
    assert settings.sources["client.api_key"].endswith(origin)
    assert not settings.withheld_key


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"server": B, "file": FILE}, f"is for {A}"),
        ({"server": "http://127.0.0.1", "file": FILE}, f"is for {A}"),
        ({"server": A + ":8443", "file": FILE}, f"is for {A}"),
        ({"JJM_SERVER": B, "file": FILE}, f"is for {A}"),
        ({"server": B, "file": FILE, "JJM_SERVER_KEY": "x"}, f"$JJM_SERVER_KEY is for {A}"),
        ({"server": B, "JJM_SERVER": A, "JJM_SERVER_KEY": "x"}, f"$JJM_SERVER_KEY is for {A}"),
        ({"server": B, "file": '[client]\napi_key = "k"\n'}, "has no address beside it"),
        ({"JJM_SERVER": B, "file": f'[client]\nserver = "{B}"\n',
          "dotenv": f"JJM_SERVER={A}\nJJM_SERVER_KEY=d\n"}, f"is for {A}"),
    ],
)  # fmt: skip
async def test_a_key_for_another_address_is_not_sent(tmp_path, given, said):
    """No connection is made; the sentence says whose key it is and how to give one."""
    settings = _client(tmp_path, **given)
    assert "" == settings.client.api_key
    with pytest.raises(ConfigurationError, match="does not get it") as refused:
        async with open_remote(settings):
            pass
    assert said in str(refused.value)
    assert "Set JJM_SERVER and JJM_SERVER_KEY together" in str(refused.value.hint)


async def test_without_any_key_the_service_says_what_it_wants(tmp_path):
    """Nothing is withheld when there is nothing."""
    settings = _client(tmp_path, server=B)
    assert not settings.withheld_key
    async with open_remote(settings) as app:
        assert B == app.store.location


def test_only_the_key_in_use_is_read(tmp_path):
    """A reference of another service may lead nowhere; `secret check` says so, and nothing is shown."""
    file = KEPT + '[servers."https://c.example"]\napi_key = "file:/not/there"\n'
    settings = _client(tmp_path, file=file, server=B)
    assert "key-of-b" == settings.client.api_key
    assert "key-of-b" not in known_secrets(settings).masked("it is key-of-b")
    shown = {row["name"]: row["value"] for row in rows(settings)}
    assert "key-of-b" not in str(shown)
    assert "/not/there" in shown["servers.https://c.example"]
    (state,) = check(settings, {})
    assert "servers.https://c.example.api_key" == state.setting
    with pytest.raises(ConfigurationError, match=r"client\.api_key is kept in"):
        _client(tmp_path, file=file, server="https://c.example")


@pytest.mark.parametrize(
    ("file", "said"),
    [
        ("servers = 7", "must hold tables like"),
        ('[servers.home]\napi_key = "k"', "is under no address"),
        (f'[servers."{B}"]\n', "has no api_key"),
        (f'[servers."{B}"]\nkey = "k"', "unknown member 'key'"),
    ],
)
def test_refused(tmp_path, file, said):
    """What is written wrong is said in one sentence."""
    with pytest.raises(ConfigurationError, match="servers") as refused:
        _client(tmp_path, file=file)
    assert said in str(refused.value)


def test_the_same_address():
    """Scheme, host and port count; what is no address is like nothing."""
    assert is_same("https://A.example/x", "https://a.example:443")
    assert is_same("http://127.0.0.1", "http://127.0.0.1:80/")
    assert not is_same("http://127.0.0.1:1", "http://localhost:1")
    assert not is_same("https://a.example:99999", "https://a.example:99999")
    assert not is_same("", "")
