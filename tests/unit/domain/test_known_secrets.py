"""What is known to be secret is shown nowhere, also after it was replaced."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from jules_job_manager.domain.masking import MASK, KnownSecrets


def test_old_and_new():
    """A secret that was replaced stays masked."""
    known = KnownSecrets(["first-secret"])
    known.add(["second-secret"])
    assert f"{MASK} {MASK}" == known.masked("first-secret second-secret")


def test_forms():
    """As it stands in an address, and each long line of a private key."""
    key = "-----BEGIN KEY-----\nMIIEvQIBADANBgkqhkiG\nshort\n-----END KEY-----\n"
    known = KnownSecrets(["p@ss/word", key])
    assert f"user:{MASK} and {MASK}" == known.masked("user:p%40ss%2Fword and p@ss/word")
    assert f"{MASK} short -----BEGIN KEY-----" == known.masked(
        "MIIEvQIBADANBgkqhkiG short -----BEGIN KEY-----"
    )


def test_short_ones_are_left():
    """Masking every `1` would hide more than it saves."""
    assert "a 1" == KnownSecrets(["1", ""]).masked("a 1")


@given(st.lists(st.text(min_size=4, max_size=12)), st.text(max_size=20), st.text(max_size=20))
def test_none_is_left(secrets, before, after):
    """Wherever one stands, it is gone; longer ones go first."""
    known = KnownSecrets(secrets)
    for secret in secrets:
        text = known.masked(before + secret + after)
        assert secret not in text or secret in MASK or MASK in secret
