"""No text of a delivery makes a rule fall over."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.review_corpus.case import job
from tests.review_corpus.memory_change import Link, make_change
from tests.review_corpus.shop.base import BASE

from jules_job_manager.domain.rules import RuleOptions, built_in_rules, findings_of

RULES = built_in_rules(RuleOptions(allowed_paths=("[",), largest_file_bytes=100, route_lines=1))
PATHS = [
    "a.py", "tests/test_a.py", "tests/conftest.py", "pyproject.toml", "setup.cfg", "requirements.txt",
    "openapi.json", "package.json", "x.test.ts", ".env", "Makefile", "noext", "shop/services/prices.py",
    "tests/test_prices.py", "frontend/src/price.test.ts", "poetry.lock",
]  # fmt: skip
PIECES = [
    "def f(x):", "    pass", "class A(B):", "@app.get('/x')", "    return [{'a': 1, 'b': 2}]", "import x.y", "from . import z",
    "assert True", "# TODO", "[tool.pytest.ini_options]", "addopts = 3", "{", "}", '{"paths": {"/a": {"get": 3}}}', "\u202e",
    "db.execute(f'SELECT * FROM t WHERE a = {x}')", "try:", "except:", "async def g(self): ...", "it.skip('x')", "\0", "\\", "match x:",
]  # fmt: skip
LINES = st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=20)), max_size=12).map(
    "\n".join
)
CONTENT = st.one_of(
    LINES, st.text(max_size=80), st.binary(max_size=80), st.text(max_size=10).map(Link)
)
TREES = st.dictionaries(
    st.one_of(st.sampled_from(PATHS), st.text(min_size=1, max_size=12)), CONTENT, max_size=4
)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
@given(
    base=TREES, head=TREES, prompt=st.one_of(LINES, st.text(max_size=80)), path=st.text(max_size=12)
)
def test_any_delivery_is_judged(rule, base, head, prompt, path):
    """Whatever stands in the files, the names and the prompt."""
    change = make_change(base, head, job(prompt, create=path))
    assert all(found.rule == rule.id for found in findings_of(rule, change))


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
@given(data=st.data())
def test_any_cut_of_a_real_project_is_judged(rule, data):
    """A real file cut anywhere, put anywhere."""
    texts = [text for text in BASE.values() if isinstance(text, str) and text]
    text = data.draw(st.sampled_from(texts))
    cut = data.draw(st.integers(0, len(text)))
    path = data.draw(st.sampled_from(sorted(BASE)))
    change = make_change(BASE, {**BASE, path: text[cut:] + text[:cut]}, job(text))
    assert all(found.rule == rule.id for found in findings_of(rule, change))


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
@pytest.mark.parametrize(
    "text",
    [
        "(" * 5000,
        "x = " + "1+" * 20000 + "1",
        "a." * 30000 + "b",
        "[" * 90 + "]" * 90,
        "if x:\n" * 50,
    ],
)
def test_deep_nesting_is_judged(rule, text):
    """A file made to exhaust a parser is reported, not fatal."""
    change = make_change(
        {}, {"a.py": text, "b.json": "[" * 100_000, "tests/test_a.py": text}, job()
    )
    found = findings_of(rule, change)
    assert all(finding.rule == rule.id for finding in found)
    assert found or rule.id != "parses"
