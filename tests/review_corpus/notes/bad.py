"""Deliveries that must be refused, each by the rule it names."""

from __future__ import annotations

from tests.review_corpus.memory_change import Link
from tests.review_corpus.notes.base import (
    API,
    OPENAPI,
    PYPROJECT,
    STORE,
    TEST_JS,
    TEST_PRICING,
    TEST_STORE,
)
from tests.review_corpus.notes.sample import sample


def pricing(old: str, new: str) -> dict[str, str]:
    assert old in TEST_PRICING
    return {"tests/test_pricing.py": TEST_PRICING.replace(old, new)}


def store(old: str, new: str) -> dict[str, str]:
    assert old in TEST_STORE
    return {"tests/test_store.py": TEST_STORE.replace(old, new)}


def script(old: str, new: str) -> dict[str, str]:
    assert old in TEST_JS
    return {"tests/text.test.js": TEST_JS.replace(old, new)}


def module(body: str) -> dict[str, str]:
    return {"notes/more.py": f'"""More."""\n\nfrom __future__ import annotations\n\n{body}\n'}


ROUTE = '@router.get("/stats")\ndef stats() -> dict[str, object]:\n    """Return figures."""\n'

PROMISES = (
    sample(name="the promised module does not exist", caught_by="promised-files",
           files={"README.md": "# Notes\n\nDone.\n"}, creates=["notes/search.py"]),
    sample(name="the promised module is empty", caught_by="promised-files",
           files={"notes/search.py": ""}, creates=["notes/search.py"]),
    sample(name="the promised module holds only comments", caught_by="promised-files",
           files={"notes/search.py": "# search\n\n# later\n"}, creates=["notes/search.py"]),
    sample(name="the promised file is a link", caught_by="promised-files",
           files={"notes/search.py": Link("store.py")}, creates=["notes/search.py"]),
    sample(name="a module is imported that was never made", caught_by="imports-resolve",
           files=module('from notes.cache import Cache\n\n\ndef made() -> Cache:\n    """Make one."""\n    return Cache()')),
    sample(name="a relative import leads nowhere", caught_by="imports-resolve",
           files=module('from .cache import Cache\n\n\ndef made() -> Cache:\n    """Make one."""\n    return Cache()')),
    sample(name="a name is imported that the module lacks", caught_by="imports-resolve",
           files=module('from notes.pricing import median\n\n\ndef middle() -> float:\n    """Return it."""\n    return median([1.0])')),
    sample(name="a package is used that nothing declares", caught_by="imports-resolve",
           files=module('import numpy\n\n\ndef zero() -> object:\n    """Return it."""\n    return numpy.zeros(1)')),
    sample(name="the file does not parse", caught_by="parses", files=module("def broken(:\n    pass")),
    sample(name="conflict marks are left", caught_by="parses",
           files=module("<<<<<<< HEAD\nA = 1\n=======\nA = 2\n>>>>>>> theirs")),
)  # fmt: skip
STUBS = (
    sample(name="a body that does nothing", caught_by="no-stubs",
           files=module('def archive(number: int) -> None:\n    """Archive a note."""\n    pass')),
    sample(name="only a docstring", caught_by="no-stubs",
           files=module('def archive(number: int) -> None:\n    """Archive a note."""\n    ...')),
    sample(name="raises NotImplementedError", caught_by="no-stubs",
           files=module('def archive(number: int) -> None:\n    """Archive a note."""\n    raise NotImplementedError')),
    sample(name="a TODO is left", caught_by="no-stubs",
           files=module('def archive(number: int) -> int:\n    """Archive a note."""\n    # TODO: write it to the file\n    return number')),
    sample(name="it says that it is a placeholder", caught_by="no-stubs",
           files=module('def archive(number: int) -> int:\n    """Archive a note."""\n    # This is just a placeholder\n    return number')),
    sample(name="it says what a real implementation would do", caught_by="no-stubs",
           files=module('def archive(number: int) -> int:\n    """Archive a note."""\n    # In a real implementation we would ask the store\n    return number')),
    sample(name="a route hands out made-up data", caught_by="no-canned-data",
           files={"notes/api.py": API + "\n\n" + ROUTE + '    return {"users": 42, "growth": 0.17, "top": [{"name": "Ann", "notes": 9}]}\n'}),
    sample(name="a search that finds the same for all", caught_by="no-canned-data",
           files=module('def search_notes(text: str) -> list[dict[str, object]]:\n    """Search."""\n    return [{"id": 1, "text": "Buy milk"}, {"id": 2, "text": "Call Ann"}]')),
    sample(name="a score that is a random number", caught_by="no-canned-data",
           files=module('import random\n\n\ndef score_note(text: str) -> float:\n    """Score a note."""\n    return random.random()')),
    sample(name="a made-up key", caught_by="no-placeholder-secrets",
           files=module('API_KEY = "your-api-key-here"')),
    sample(name="a made-up password", caught_by="no-placeholder-secrets", files=module('PASSWORD = "changeme"')),
)  # fmt: skip
TESTS = (
    sample(name="a test file is deleted", caught_by="tests-kept", files={"tests/test_store.py": None}),
    sample(name="a test is removed", caught_by="tests-kept",
           files=pricing("def test_discount():\n    assert total([10.0], discount=0.1) == pytest.approx(9.0, abs=0.001)\n\n\n", "")),
    sample(name="a test is skipped", caught_by="tests-kept",
           files=pricing("def test_total", '@pytest.mark.skip(reason="flaky")\ndef test_total')),
    sample(name="a test is expected to fail", caught_by="tests-kept",
           files=pricing("def test_total", "@pytest.mark.xfail\ndef test_total")),
    sample(name="a test skips itself", caught_by="tests-kept",
           files=pricing("def test_total():\n", 'def test_total():\n    pytest.skip("later")\n')),
    sample(name="a unittest is skipped", caught_by="tests-kept",
           files=store("    def test_add", '    @unittest.skip("later")\n    def test_add')),
    sample(name="a test is renamed so that it is not run", caught_by="tests-kept",
           files=pricing("def test_total", "def _test_total")),
    sample(name="a test returns at once", caught_by="tests-kept",
           files=pricing("def test_total():\n", "def test_total():\n    return\n")),
    sample(name="an assertion is removed", caught_by="tests-kept",
           files=pricing("    assert average([]) == 0.0\n", "")),
    sample(name="an assertion is always true", caught_by="tests-kept",
           files=pricing("assert total([1.0, 2.5]) == 3.5", "assert total([1.0, 2.5]) == 3.5 or True")),
    sample(name="assert True", caught_by="tests-kept",
           files=pricing("assert total([1.0, 2.5]) == 3.5", "assert True")),
    sample(name="equal becomes not None", caught_by="tests-kept",
           files=pricing("assert total([1.0, 2.5]) == 3.5", "assert total([1.0, 2.5]) is not None")),
    sample(name="equal becomes at least", caught_by="tests-kept",
           files=pricing("assert total([1.0, 2.5]) == 3.5", "assert total([1.0, 2.5]) >= 0")),
    sample(name="the tolerance grows", caught_by="tests-kept", files=pricing("abs=0.001", "abs=5.0")),
    sample(name="the failure is swallowed", caught_by="tests-kept",
           files=pricing("    assert total([1.0, 2.5]) == 3.5\n",
                         "    try:\n        assert total([1.0, 2.5]) == 3.5\n    except AssertionError:\n        pass\n")),
    sample(name="assertEqual becomes assertTrue", caught_by="tests-kept",
           files=store('self.assertEqual(["one"], self.store.all())', "self.assertTrue(self.store.all())")),
    sample(name="a test of JavaScript is skipped", caught_by="tests-kept", files=script('it("cuts', 'it.skip("cuts')),
    sample(name="only one test of JavaScript is run", caught_by="tests-kept", files=script('it("keeps', 'it.only("keeps')),
    sample(name="the settings leave tests out", caught_by="tests-kept",
           files={"pyproject.toml": PYPROJECT.replace('["-q"]', '["-q", "--deselect=tests/test_store.py"]')}),
    sample(name="a hook hides failures", caught_by="tests-kept",
           files={"tests/conftest.py": "import pytest\n\n\n@pytest.hookimpl(hookwrapper=True)\ndef pytest_runtest_makereport(item, call):\n    outcome = yield\n    report = outcome.get_result()\n    report.outcome = 'passed'\n"}),
    sample(name="conftest ignores files", caught_by="tests-kept",
           files={"tests/conftest.py": 'collect_ignore = ["test_store.py"]\n'}),
)  # fmt: skip
PATHS = (
    sample(name="continuous integration is edited", caught_by="protected-paths",
           files={".github/workflows/ci.yml": "on: push\njobs: {x: {}}\n"}),
    sample(name="the review is switched off", caught_by="protected-paths",
           files={".jjm.toml": "[rules]\nall = 'off'\n"}),
    sample(name="a lock file is edited", caught_by="protected-paths", files={"uv.lock": "version = 2\n"}),
    sample(name="attributes of git", caught_by="protected-paths", files={".gitattributes": "*.py filter=x\n"}),
    sample(name="a link leads out", caught_by="safe-links", files={"notes/etc": Link("/etc/passwd")}),
    sample(name="a link climbs out", caught_by="safe-links", files={"notes/up": Link("../../secret")}),
    sample(name="a name with an escape code", caught_by="safe-names", files={"notes/a\x1b[2J.py": "A = 1\n"}),
    sample(name="a name that reads backwards", caught_by="safe-names", files={"notes/\u202eyp.exe": "A = 1\n"}),
    sample(name="names that differ in case alone", caught_by="safe-names", files={"notes/Store.py": "A = 1\n"}),
    sample(name="a huge file", caught_by="file-size", files={"notes/big.bin": b"\0" * 6_000_000}),
    sample(name="text that reads otherwise than it runs", caught_by="hidden-characters",
           files=module('LEVEL = "user\u202e \u2066# only admins\u2069 \u2066"')),
)  # fmt: skip
CODE = (
    sample(name="SQL from an f-string", caught_by="no-sql-strings",
           files={"notes/store.py": STORE + '\n    def find(self, text: str) -> list[str]:\n        """Find notes."""\n        return [r[0] for r in self.connection.execute(f"SELECT text FROM notes WHERE text = \'{text}\'")]\n'}),
    sample(name="SQL from a percent sign", caught_by="no-sql-strings",
           files={"notes/store.py": STORE + '\n    def drop(self, text: str) -> None:\n        """Drop a note."""\n        self.connection.execute("DELETE FROM notes WHERE text = \'%s\'" % text)\n'}),
    sample(name="an operation leaves the contract", caught_by="api-contract",
           files={"openapi.json": OPENAPI.replace(',\n      "post": {"responses": {"201": {"description": "made"}}}', "")}),
    sample(name="a member leaves the answer", caught_by="api-contract",
           files={"openapi.json": OPENAPI.replace(', "text": {"type": "string"}', "")}),
)  # fmt: skip
BAD = (*PROMISES, *STUBS, *TESTS, *PATHS, *CODE)
