"""The rules that only point things out."""

from __future__ import annotations

import pytest
from tests.review_corpus.case import job
from tests.review_corpus.memory_change import make_change
from tests.review_corpus.shop.base import BASE

from jules_job_manager.domain.rules import Need, RuleOptions, built_in_rules, findings_of


def lines(rule_id, code, path="shop/new.py", options=None, **more):
    rule = next(rule for rule in built_in_rules(options) if rule.id == rule_id)
    change = make_change(BASE, {**BASE, path: code, **more}, job())
    return [finding.line for finding in findings_of(rule, change)]


ROUTE = "@app.get('/x')\ndef x(db: Session) -> int:\n    '''X.'''\n"

FOUND = [
    ("type-hints", "def f(x): return x\n", [1]),
    ("type-hints", "class A:\n    def f(self, x: int): return x\n", [2]),
    ("type-hints", "def _f(x): return x\n", []),
    ("type-hints", "def f(x: int) -> int:\n    def g(y): return y\n    return g(x)\n", []),
    ("error-handling", "try:\n    f()\nexcept:\n    g = 1\n", [3]),
    ("error-handling", "try:\n    f()\nexcept Exception:\n    pass\n", [3]),
    ("error-handling", "try:\n    f()\nexcept (ValueError, BaseException):\n    continue_ = 1\n", [3]),
    ("error-handling", "try:\n    f()\nexcept Exception:\n    log.exception('x')\n", []),
    ("error-handling", "try:\n    f()\nexcept Exception:\n    raise\n", []),
    ("error-handling", "try:\n    f()\nexcept KeyError:\n    pass\n", []),
    ("no-n-plus-one", "for item in items:\n    db.execute(q, item)\n", [2]),
    ("no-n-plus-one", "x = [session.get(Item, i) for i in ids]\n", [1]),
    ("no-n-plus-one", "for item in db.execute(q):\n    print(item)\n", []),
    ("no-n-plus-one", "for u in urls:\n    session.get(u)\n", []),
    ("no-hard-coded", "URL = 'https://api.shop.io/v1'\n", [1]),
    ("no-hard-coded", "PATH = '/home/me/data'\n", [1]),
    ("no-hard-coded", "run(port=8080)\n", [1]),
    ("no-hard-coded", "token = 'abcdef1234567890'\n", [1]),
    ("no-hard-coded", "KEY = 'AKIAABCDEFGHIJKLMNOP'\n", [1]),
    ("no-hard-coded", "'''See https://api.shop.io.'''\nURL = 'https://example.com'\nV = '1.2.3'\n", []),
    ("session-handling", "from sqlalchemy.orm import Session\ndef f():\n    s = Session(e)\n    s.add(1)\n", [3]),
    ("session-handling", "from sqlalchemy.orm import Session\ndef f():\n    s = Session(e)\n    s.close()\n", []),
    ("session-handling", "from sqlalchemy.orm import Session\ndef f():\n    s = Session(e)\n    with s:\n        pass\n", []),
    ("session-handling", "from sqlalchemy.orm import Session\ndef f():\n    s = Session(e)\n    yield s\n", []),
    ("async-misuse", "import time\nasync def f():\n    time.sleep(1)\n", [3]),
    ("async-misuse", "async def f(): ...\nasync def g():\n    f()\n", [3]),
    ("async-misuse", "class A:\n    async def f(self): ...\n    async def g(self):\n        self.f()\n", [4]),
    ("async-misuse", "async def f(): ...\nasync def g():\n    await f()\n", []),
    ("async-misuse", "import time\ndef f():\n    time.sleep(1)\n", []),
    ("docs-touched", "def f() -> int:\n    return 1\n", [0]),
    ("docs-touched", "def f() -> int:\n    '''Return it.'''\n    return 1\n", []),
    ("route-size", ROUTE + "    a = 1\n" * 31, [2]),
    ("route-size", ROUTE + "    a = 1\n" * 30, []),
    ("no-queries-in-routes", ROUTE + "    return db.query(Item).count()\n", [4]),
    ("no-queries-in-routes", "def x(db):\n    return db.query(Item).count()\n", []),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "code", "expected"), FOUND)
def test_lines_are_found(rule, code, expected):
    """The rule points at exactly these lines of a new file."""
    assert lines(rule, code) == expected


def test_a_touched_document_is_enough():
    """What is described in a document needs no docstring."""
    assert lines("docs-touched", "def f() -> int:\n    return 1\n", **{"docs/f.md": "f\n"}) == []


def test_the_length_of_routes_is_set():
    """A project may ask for twenty lines."""
    options = RuleOptions(route_lines=20)
    assert lines("route-size", ROUTE + "    a = 1\n" * 21, options=options) == [2]


def test_old_code_is_left_alone():
    """What stood there before is not blamed on the delivery."""
    old = "def f(x): return x\ntry:\n    f(1)\nexcept:\n    g = 1\n"
    base = {"a.py": old}
    change = make_change(base, {"a.py": old + "A = 1\n"}, job())
    for rule in built_in_rules():
        if rule.need is Need.ADVISORY:
            assert findings_of(rule, change) == ()


def test_ids_are_unique_and_explained():
    """Each rule has an id of its own and one sentence."""
    rules = built_in_rules()
    assert len({rule.id for rule in rules}) == len(rules)
    assert all(rule.explanation.endswith(".") and rule.title for rule in rules)


def test_leave_by_configuration():
    """A glob of the configuration lets a protected file be changed."""
    for allowed, expected in (((), 1), ((".github/*",), 0)):
        rules = built_in_rules(RuleOptions(allowed_paths=allowed))
        rule = next(rule for rule in rules if rule.id == "protected-paths")
        change = make_change(BASE, {**BASE, ".github/workflows/ci.yml": "on: push\n"}, job())
        assert len(findings_of(rule, change)) == expected
