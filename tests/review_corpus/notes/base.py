"""The project that the deliveries are made to: a small service with tests."""

from __future__ import annotations

STORE = '''"""Keeps notes."""

from __future__ import annotations

import sqlite3


class NoteStore:
    """Notes in a SQLite file."""

    def __init__(self, path: str) -> None:
        """Open the file."""
        self.connection = sqlite3.connect(path)

    def add(self, text: str) -> int:
        """Keep a note and return its number."""
        cursor = self.connection.execute("INSERT INTO notes (text) VALUES (?)", (text,))
        return int(cursor.lastrowid or 0)

    def all(self) -> list[str]:
        """Return every note."""
        return [row[0] for row in self.connection.execute("SELECT text FROM notes")]
'''
API = '''"""The web API."""

from __future__ import annotations

from fastapi import APIRouter, HTTPException

from notes.pricing import total
from notes.store import NoteStore

router = APIRouter()
store = NoteStore("notes.db")


@router.get("/notes")
def list_notes() -> list[str]:
    """Return every note."""
    return store.all()


@router.post("/notes")
def add_note(text: str) -> dict[str, int]:
    """Keep a note."""
    if not text.strip():
        raise HTTPException(422, "A note needs a text.")
    return {"id": store.add(text)}


@router.get("/total")
def total_of(prices: str) -> dict[str, float]:
    """Return the sum of the prices."""
    return {"total": total([float(price) for price in prices.split(",")])}
'''
PRICING = '''"""Prices."""

from __future__ import annotations


def total(prices: list[float], *, discount: float = 0.0) -> float:
    """Return the sum, a share of it taken off."""
    if not 0 <= discount <= 1:
        raise ValueError("discount is a share")
    return round(sum(prices) * (1 - discount), 2)


def average(prices: list[float]) -> float:
    """Return the mean price; 0 when there is none."""
    return total(prices) / len(prices) if prices else 0.0
'''
TEST_PRICING = '''"""Prices."""

import pytest

from notes.pricing import average, total


def test_total():
    assert total([1.0, 2.5]) == 3.5


def test_discount():
    assert total([10.0], discount=0.1) == pytest.approx(9.0, abs=0.001)


def test_a_discount_is_a_share():
    with pytest.raises(ValueError, match="share"):
        total([1.0], discount=2.0)


def test_average():
    assert average([1.0, 3.0]) == 2.0
    assert average([]) == 0.0
'''
TEST_STORE = '''"""Notes."""

import unittest

from notes.store import NoteStore


class StoreTest(unittest.TestCase):
    def setUp(self):
        self.store = NoteStore(":memory:")
        self.store.connection.execute("CREATE TABLE notes (text TEXT)")

    def test_add(self):
        self.store.add("one")
        self.assertEqual(["one"], self.store.all())

    def test_numbers_go_up(self):
        first = self.store.add("one")
        self.assertEqual(first + 1, self.store.add("two"))
'''
TEST_JS = """import { describe, expect, it } from "vitest";
import { shorten } from "../web/text.js";

describe("shorten", () => {
  it("keeps short texts", () => {
    expect(shorten("abc", 5)).toBe("abc");
  });

  it("cuts long ones", () => {
    expect(shorten("abcdef", 3)).toBe("ab…");
  });
});
"""
PYPROJECT = """[project]
name = "notes"
version = "1.0"
dependencies = ["fastapi>=0.110", "requests"]

[project.optional-dependencies]
test = ["pytest", "pyyaml"]

[tool.pytest.ini_options]
addopts = ["-q"]
"""
OPENAPI = """{
  "openapi": "3.1.0",
  "info": {"title": "Notes", "version": "1"},
  "paths": {
    "/notes": {
      "get": {"responses": {"200": {"description": "ok", "content": {"application/json": {
        "schema": {"type": "object", "properties": {"id": {"type": "integer"}, "text": {"type": "string"}}}
      }}}}},
      "post": {"responses": {"201": {"description": "made"}}}
    }
  }
}
"""
BASE = {
    "README.md": "# Notes\n\nKeeps notes.\n",
    "pyproject.toml": PYPROJECT,
    "notes/__init__.py": '"""Notes."""\n',
    "notes/store.py": STORE,
    "notes/api.py": API,
    "notes/pricing.py": PRICING,
    "tests/__init__.py": "",
    "tests/test_pricing.py": TEST_PRICING,
    "tests/test_store.py": TEST_STORE,
    "web/text.js": "export function shorten(text, length) {\n  return text.length <= length ? text : text.slice(0, length - 1) + '…';\n}\n",
    "tests/text.test.js": TEST_JS,
    "openapi.json": OPENAPI,
    ".github/workflows/ci.yml": "on: push\njobs: {}\n",
    ".jjm.toml": "[[checks]]\ncommand = 'pytest -q'\n",
    "uv.lock": "version = 1\n",
}
