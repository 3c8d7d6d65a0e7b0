"""Settings that only say where their secret is kept."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jules_job_manager.domain.secret_reference import (
    SCHEMES,
    SecretReference,
    is_reference,
    reference_from,
)


@pytest.mark.parametrize(
    ("text", "scheme", "name", "field"),
    [
        ("env:JULES_KEY", "env", "JULES_KEY", ""),
        ("file:/run/secrets/jules key", "file", "/run/secrets/jules key", ""),
        ("file:~/key#1", "file", "~/key#1", ""),
        ("keyring:jjm/jules-key", "keyring", "jjm/jules-key", ""),
        ("vault:teams/apps/jjm#jules", "vault", "teams/apps/jjm", "jules"),
        ("aws:prod/jjm", "aws", "prod/jjm", ""),
        ("aws:arn:aws:secretsmanager:eu-west-1:1:secret:jjm-AbC#key", "aws",
         "arn:aws:secretsmanager:eu-west-1:1:secret:jjm-AbC", "key"),
    ],
)  # fmt: skip
def test_references(text, scheme, name, field):
    """Each scheme, there and back."""
    reference = reference_from(text)
    assert SecretReference(scheme=scheme, name=name, field=field) == reference
    assert text == str(reference)


@pytest.mark.parametrize(
    "text",
    [
        "env:", "env:A B", "env:1A", "env:$(id)", "file:relative", "file:", "file:///x\n", "keyring:name",
        "keyring:/name", "vault:path", "vault:../x#f", "vault:a/../b#f", "vault:a/..#f", "vault:/a#f",
        "vault:a?x=1#f", "vault:a#", "vault:a//b#f", "aws:", "aws:a b", "aws:a#", "file:/a\nb",
    ],
)  # fmt: skip
def test_what_is_written_like_none_is_refused_and_not_repeated(text):
    """It may be a secret that happens to begin like a reference."""
    assert is_reference(text)
    rest = text.partition(":")[2].strip()
    with pytest.raises(ValueError, match=r"write it as") as caught:
        reference_from(text if text != "file:///x\n" else "file:\n/x")
    assert not rest or len(rest) < 4 or rest not in str(caught.value)


@pytest.mark.parametrize(
    "text",
    ["", "AIzaSyKey", "postgresql://a:b@c/d", "slack://A/B/C", "environment:x", "env", "ENV:A"],
)
def test_secrets_themselves(text):
    """Everything else is the secret itself."""
    assert not is_reference(text)


@given(st.sampled_from(sorted(SCHEMES)), st.text())
def test_any_text(scheme, rest):
    """It is a reference that reads back as itself, or refused."""
    try:
        reference = reference_from(f"{scheme}:{rest}")
    except ValueError as exc:
        assert str(exc).startswith("write it as")
    else:
        assert reference == reference_from(str(reference))
        assert not set(reference.name) & set("\n\r\0")
