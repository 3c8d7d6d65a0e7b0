"""Reference pages made from the code agree with the code."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
_SPEC = importlib.util.spec_from_file_location(
    "generate_reference", ROOT / "scripts/generate_reference.py"
)
assert _SPEC is not None
assert _SPEC.loader is not None
generate_reference = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(generate_reference)


@pytest.mark.parametrize("name", generate_reference.GENERATED)
def test_page_is_current(name):
    """A page is what the script would write now."""
    expected = generate_reference.GENERATED[name]()
    assert expected == (ROOT / "docs" / "reference" / name).read_text(encoding="utf-8")
