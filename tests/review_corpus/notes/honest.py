"""Deliveries that must be accepted."""

from __future__ import annotations

from tests.review_corpus.memory_change import Link
from tests.review_corpus.notes.bad import module, pricing, script, store
from tests.review_corpus.notes.base import API, OPENAPI, PRICING, PYPROJECT, STORE, TEST_PRICING
from tests.review_corpus.notes.sample import sample

SEARCH = '''"""Finds notes."""

from __future__ import annotations

from notes.store import NoteStore


def search(store: NoteStore, word: str) -> list[str]:
    """Return the notes with the word."""
    return [text for text in store.all() if word.casefold() in text.casefold()]
'''
TEST_SEARCH = '''"""Search."""

import pytest

from notes.search import search


class FakeStore:
    def all(self):
        return ["Buy milk", "Call Ann"]

    def close(self):
        pass


@pytest.mark.parametrize(("word", "found"), [("MILK", ["Buy milk"]), ("x", [])])
def test_search(word, found):
    assert search(FakeStore(), word) == found
'''
HONEST = (
    sample(name="a new module with tests", files={"notes/search.py": SEARCH, "tests/test_search.py": TEST_SEARCH},
           creates=["notes/search.py", "tests/test_search.py"]),
    sample(name="documents only", files={"README.md": "# Notes\n\nKeeps notes. TODO lists, too.\n"}),
    sample(name="a new document", files={"docs/guide.md": "# Guide\n\nUse it.\n"}, creates=["docs/guide.md"]),
    sample(name="a function renamed with its users",
           files={"notes/pricing.py": PRICING.replace("average", "mean"), "tests/test_pricing.py": TEST_PRICING.replace("average", "mean")}),
    sample(name="a module moved with its users", moved={"notes/pricing.py": "notes/prices.py"},
           files={"notes/api.py": API.replace("notes.pricing", "notes.prices"),
                  "tests/test_pricing.py": TEST_PRICING.replace("notes.pricing", "notes.prices")}),
    sample(name="a test file moved", moved={"tests/test_store.py": "tests/unit/test_store.py"}),
    sample(name="a test added", files=pricing("def test_discount", "def test_nothing():\n    assert total([]) == 0.0\n\n\ndef test_discount")),
    sample(name="an assertion added", files=pricing("    assert average([]) == 0.0\n", "    assert average([]) == 0.0\n    assert average([2.0]) == 2.0\n")),
    sample(name="a test made stricter", files=pricing("abs=0.001", "abs=0.0001")),
    sample(name="tests turned into a table", files=pricing(
        "def test_average():\n    assert average([1.0, 3.0]) == 2.0\n    assert average([]) == 0.0\n",
        '@pytest.mark.parametrize(("prices", "mean"), [([1.0, 3.0], 2.0), ([], 0.0)])\ndef test_average(prices, mean):\n    assert average(prices) == mean\n')),
    sample(name="a test skipped where it cannot run", files=store(
        "    def test_add", '    @unittest.skipUnless(hasattr(__import__("os"), "fork"), "no fork")\n    def test_add_forked(self):\n        self.store.add("one")\n        self.assertEqual(["one"], self.store.all())\n\n    def test_add')),
    sample(name="a test of JavaScript added", files=script('  it("cuts', '  it("keeps nothing", () => {\n    expect(shorten("", 3)).toBe("");\n  });\n\n  it("cuts')),
    sample(name="fixtures in conftest", files={"tests/conftest.py": "import pytest\n\n\n@pytest.fixture\ndef prices():\n    return [1.0, 2.0]\n"}),
    sample(name="an abstract class", files=module(
        'from abc import ABC, abstractmethod\n\n\nclass Backend(ABC):\n    """Keeps notes."""\n\n    @abstractmethod\n    def save(self, text: str) -> None:\n        """Keep a note."""\n\n    @abstractmethod\n    def load(self) -> list[str]:\n        """Return every note."""\n        raise NotImplementedError')),
    sample(name="a protocol", files=module(
        'from typing import Protocol\n\n\nclass Clock(Protocol):\n    """Tells the time."""\n\n    def now(self) -> float:\n        """Return seconds."""\n        ...')),
    sample(name="overloads", files=module(
        'from typing import overload\n\n\n@overload\ndef half(value: int) -> int: ...\n@overload\ndef half(value: float) -> float: ...\ndef half(value):\n    """Return half of it."""\n    return value / 2')),
    sample(name="an own exception", files=module('class NoteError(Exception):\n    """Something about a note is wrong."""')),
    sample(name="an exception that is ignored on purpose", files=module(
        'import contextlib\nfrom pathlib import Path\n\n\ndef remove(path: Path) -> None:\n    """Remove the file if it is there."""\n    with contextlib.suppress(FileNotFoundError):\n        path.unlink()')),
    sample(name="a hook that does nothing by default", files=module(
        'class Plugin:\n    """Something to extend."""\n\n    def on_start(self) -> None:\n        """Called at the start; subclasses override it."""\n\n    def run(self) -> None:\n        """Run it."""\n        self.on_start()')),
    sample(name="an enumeration", files=module('from enum import Enum\n\n\nclass Colour(Enum):\n    """Colours of notes."""\n\n    RED = "red"\n    BLUE = "blue"')),
    sample(name="constants", files=module('LIMITS = {"notes": 100, "size": 2000}\nNAMES = ("a", "b")')),
    sample(name="an optional dependency", files=module(
        'try:\n    import orjson\nexcept ImportError:\n    orjson = None\n\n\ndef is_fast() -> bool:\n    """Return whether it is there."""\n    return orjson is not None')),
    sample(name="types imported for checking alone", files=module(
        'from typing import TYPE_CHECKING\n\nif TYPE_CHECKING:\n    from notes.store import NoteStore\n\n\ndef count(store: NoteStore) -> int:\n    """Count."""\n    return len(store.all())')),
    sample(name="a dependency declared with its use", files={
        "pyproject.toml": PYPROJECT.replace('"requests"', '"requests", "numpy"'),
        **module('import numpy\n\n\ndef zeros(n: int) -> object:\n    """Return n zeros."""\n    return numpy.zeros(n)')}),
    sample(name="a package whose import has another name", files=module(
        'import yaml\n\n\ndef parsed(text: str) -> object:\n    """Read YAML."""\n    return yaml.safe_load(text)')),
    sample(name="standard library", files=module(
        'import importlib.metadata\nimport tomllib\nfrom xml.etree import ElementTree\n\n\ndef version() -> str:\n    """Return ours."""\n    ElementTree.fromstring("<a/>")\n    return importlib.metadata.version(str(tomllib.loads("")))')),
    sample(name="a route added", files={"notes/api.py": API + '\n\n@router.get("/notes/count")\ndef count_notes() -> dict[str, int]:\n    """Count the notes."""\n    return {"count": len(store.all())}\n'}),
    sample(name="a health route", files={"notes/api.py": API + '\n\n@router.get("/health")\ndef health() -> dict[str, str]:\n    """Say that it runs."""\n    return {"status": "ok"}\n'}),
    sample(name="a route that lists what there is to choose", files={"notes/api.py": API + '\n\n@router.get("/options")\ndef options() -> list[dict[str, str]]:\n    """Return the sort orders."""\n    return [{"id": "age", "label": "By age"}, {"id": "name", "label": "By name"}]\n'}),
    sample(name="parameters in SQL", files={"notes/store.py": STORE + '\n    def find(self, text: str) -> list[str]:\n        """Find notes."""\n        rows = self.connection.execute("SELECT text FROM notes WHERE text LIKE ?", (f"%{text}%",))\n        return [row[0] for row in rows]\n'}),
    sample(name="SQL in a constant", files=module('QUERY = (\n    "SELECT text FROM notes "\n    "WHERE id = ?"\n)')),
    sample(name="an f-string that is no SQL", files=module('def greeting(name: str) -> str:\n    """Greet."""\n    return f"Select {name} from the list"')),
    sample(name="secrets from the environment", files=module('import os\n\n\ndef api_key() -> str:\n    """Return the key."""\n    return os.environ["API_KEY"]')),
    sample(name="a password in a test", files={"tests/test_login.py": 'def test_login():\n    password = "changeme"\n    assert len(password) == 8\n'}),
    sample(name="an example of the environment", files={".env.example": "API_KEY=your-api-key-here\n"}),
    sample(name="continuous integration, as asked", files={".github/workflows/ci.yml": "on: push\njobs: {x: {}}\n"},
           modifies=[".github/workflows/ci.yml"]),
    sample(name="a lock file with its project file", files={
        "pyproject.toml": PYPROJECT.replace('"requests"', '"requests", "httpx"'), "uv.lock": "version = 1\nx = 1\n"},
           modifies=["pyproject.toml"]),
    sample(name="a link inside", files={"docs/readme.md": Link("../README.md")}),
    sample(name="names in other languages", files={"docs/über-uns.md": "# Über uns\n", "docs/日本語.md": "# 日本語\n"}),
    sample(name="dead code deleted", files={"notes/pricing.py": PRICING[: PRICING.index("def average")].rstrip() + "\n",
           "tests/test_pricing.py": TEST_PRICING[: TEST_PRICING.index("def test_average")].rstrip().replace("average, total", "total") + "\n"},
           prompt="Remove the function average and its test, nobody uses it.", modifies=["tests/test_pricing.py"]),
    sample(name="the contract grows", files={"openapi.json": OPENAPI.replace('"paths": {', '"paths": {\n    "/health": {"get": {"responses": {"200": {"description": "ok"}}}},')}),
    sample(name="a picture", files={"docs/logo.png": b"\x89PNG\r\n\x1a\n" + bytes(range(256))}),
    sample(name="JavaScript", files={"web/sum.js": "export function sum(numbers) {\n  return numbers.reduce((all, one) => all + one, 0);\n}\n"}),
    sample(name="a migration", files={"migrations/versions/0002_age.py": '"""Add an age."""\n\nimport sqlalchemy as sa\nfrom alembic import op\n\nrevision = "0002"\ndown_revision = "0001"\n\n\ndef upgrade() -> None:\n    """Go up."""\n    op.add_column("notes", sa.Column("age", sa.Integer()))\n\n\ndef downgrade() -> None:\n    """Go down."""\n    op.drop_column("notes", "age")\n',
           "pyproject.toml": PYPROJECT.replace('"requests"', '"requests", "sqlalchemy", "alembic"')}),
    sample(name="a bug mended with its test", files={
        "notes/pricing.py": PRICING.replace("round(sum(prices) * (1 - discount), 2)", "round(sum(prices) * (1 - discount) + 0.0, 2)"),
        **pricing("def test_discount", "def test_cents():\n    assert total([0.1, 0.2]) == 0.3\n\n\ndef test_discount")}),
    sample(
        name="a helper that the test runner is to leave alone",
        files={
            "tests/helpers/test_data.py": '__test__ = False\n\n\ndef test_note():\n    return "a note"\n'
        },
    ),
    sample(name="nothing at all"),
)  # fmt: skip
