"""Keyring, Vault and AWS Secrets Manager, as their own libraries speak to them."""

from __future__ import annotations

import keyring
import keyring.backend
import keyring.backends.fail
import keyring.backends.null
import pytest
from tests.integration.secrets.conftest import SECRET

from jules_job_manager.adapters.secrets.aws import AwsSecrets
from jules_job_manager.adapters.secrets.keyring import KeyringSecrets
from jules_job_manager.adapters.secrets.vault import VaultSecrets
from jules_job_manager.domain.secret_reference import reference_from
from jules_job_manager.errors import ConfigurationError, MissingExtraError

pytestmark = pytest.mark.integration


class MemoryKeyring(keyring.backend.KeyringBackend):
    """Keeps passwords in memory, as the library's own documentation shows."""

    priority = 1

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[tuple[str, str], str] = {}

    def set_password(self, service, username, password):
        self.kept[service, username] = password

    def get_password(self, service, username):
        return self.kept.get((service, username))


@pytest.fixture
def use_keyring():
    """Return a function that puts a keyring in the place of the machine's own."""
    before = keyring.get_keyring()
    yield keyring.set_keyring
    keyring.set_keyring(before)


KEPT = reference_from("keyring:jjm/team/key")


def test_a_keyring(use_keyring):
    """Written, read, replaced."""
    use_keyring(MemoryKeyring())
    with pytest.raises(ConfigurationError, match="has no jjm/team/key") as caught:
        KeyringSecrets().read(KEPT)
    assert "Run: jjm secret set jjm/team/key" == caught.value.hint
    for secret in (SECRET, "another"):
        KeyringSecrets().write(KEPT, secret)
        assert secret == KeyringSecrets().read(KEPT)


def test_a_keyring_that_keeps_nothing(use_keyring):
    """It says yes to everything; we look."""
    use_keyring(keyring.backends.null.Keyring())
    with pytest.raises(ConfigurationError, match="keeps nothing"):
        KeyringSecrets().write(KEPT, SECRET)
    with pytest.raises(ConfigurationError, match="has no"):
        KeyringSecrets().read(KEPT)


def test_a_machine_without_a_keyring(use_keyring):
    """As servers are."""
    use_keyring(keyring.backends.fail.Keyring())
    for use in (KeyringSecrets().read, lambda ref: KeyringSecrets().write(ref, SECRET)):
        with pytest.raises(ConfigurationError, match=r"cannot be used \(NoKeyringError\)"):
            use(KEPT)


def _vault(url, *, token="vault-token", timeout=5.0) -> VaultSecrets:
    return VaultSecrets(url=url, token=token, mount="secret", namespace="", timeout_seconds=timeout)


FIELD = reference_from("vault:apps/jjm#jules")


def test_vault(vault):
    """One request for all fields of a path."""
    vault.secrets["apps/jjm"] = {"jules": SECRET, "github": "g", "number": 1}
    source = _vault(vault.url)
    assert SECRET == source.read(FIELD)
    assert "g" == source.read(reference_from("vault:apps/jjm#github"))
    assert ["/v1/secret/data/apps/jjm"] == [request["path"] for request in vault.requests]
    for field in ("none", "number"):
        with pytest.raises(ConfigurationError, match=f"has no text {field}"):
            source.read(reference_from(f"vault:apps/jjm#{field}"))


def test_vault_says_no(vault):
    """Wrong path, wrong token, sealed, away: each is told apart."""
    with pytest.raises(ConfigurationError, match="has no secret apps/jjm under secret"):
        _vault(vault.url).read(FIELD)
    with pytest.raises(ConfigurationError, match="does not let this token") as caught:
        _vault(vault.url, token="wrong-token").read(FIELD)
    assert "wrong-token" not in repr(caught.value)
    vault.secrets["apps/jjm"] = "sealed"
    with pytest.raises(ConfigurationError, match=r"does not answer \(VaultDown\)"):
        _vault(vault.url).read(FIELD)
    with pytest.raises(ConfigurationError, match="does not answer"):
        _vault("http://127.0.0.1:1").read(FIELD)


@pytest.mark.parametrize(
    ("url", "token", "why"),
    [
        ("", "t", "secrets.vault_url"),
        ("https://vault.example.org", "", "secrets.vault_token"),
        ("http://vault.example.org", "t", "unencrypted"),
        ("vault", "t", "not an address of Vault"),
    ],
)
def test_vault_is_set_up_wrong(url, token, why):
    """Told before anything is sent; a token never goes over the network in the open."""
    with pytest.raises(ConfigurationError, match=why):
        _vault(url, token=token)


def _aws(url) -> AwsSecrets:
    return AwsSecrets(region="eu-west-1", endpoint_url=url, timeout_seconds=5)


def test_aws(aws):
    """A whole secret, or a member; one request each."""
    aws.secrets = {"plain": SECRET, "team/jjm": f'{{"jules": "{SECRET}", "n": 1}}'}
    source = _aws(aws.url)
    assert SECRET == source.read(reference_from("aws:plain"))
    assert SECRET == source.read(reference_from("aws:team/jjm#jules"))
    with pytest.raises(ConfigurationError, match="has no text n"):
        source.read(reference_from("aws:team/jjm#n"))
    assert ["plain", "team/jjm"] == [request["id"] for request in aws.requests]
    assert aws.requests[0]["Authorization"].startswith("AWS4-HMAC-SHA256 Credential=AKIAEXAMPLE/")


def test_aws_says_no(aws):
    """Missing, refused, no JSON: told apart, and never shown."""
    aws.secrets = {"closed": "denied", "plain": SECRET}
    with pytest.raises(ConfigurationError, match="has no secret gone"):
        _aws(aws.url).read(reference_from("aws:gone"))
    with pytest.raises(ConfigurationError, match="does not let us read closed"):
        _aws(aws.url).read(reference_from("aws:closed"))
    with pytest.raises(ConfigurationError, match="is no JSON object") as caught:
        _aws(aws.url).read(reference_from("aws:plain#x"))
    assert caught.value.__cause__ is None


def test_aws_without_a_region_or_an_answer(aws, monkeypatch):
    """Both are told in a sentence."""
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")
    with pytest.raises(ConfigurationError, match="cannot be used"):
        AwsSecrets(region="", endpoint_url="", timeout_seconds=1)
    with pytest.raises(ConfigurationError, match="does not answer"):
        _aws("http://127.0.0.1:1").read(reference_from("aws:x"))


@pytest.mark.parametrize(
    ("module", "use"),
    [
        ("keyring", lambda: KeyringSecrets().read(KEPT)),
        ("hvac", lambda: _vault("https://vault.example.org")),
        ("boto3", lambda: _aws("")),
    ],
)
def test_an_extra_that_is_missing(module, use, monkeypatch):
    """Says what to install."""
    monkeypatch.setitem(__import__("sys").modules, module, None)
    with pytest.raises(MissingExtraError, match="is not installed"):
        use()
