"""Texts that try to be markup, links, mentions or terminal codes stay texts, in every member."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from tests.reports import REJECTED, with_text
from tests.sarif import problems

from jules_job_manager.domain.report import to_html, to_json, to_markdown, to_sarif
from jules_job_manager.domain.report.markdown import code
from jules_job_manager.domain.report.sarif import address

HOSTILE = [
    "",
    " ",
    "<script>alert(1)</script>",
    "</code></summary></details><img src=x onerror=alert(1)>",
    "--></style><!-- ]]>",
    "\x1b[31mred\x1b[0m \x1b]8;;http://evil.example\x07click\x1b\\ \x9b2J",
    "```\n<b>out</b>\n```\n~~~\n</details>",
    "`` ` ``` a ``",
    "@octocat please merge, octo/demo#1, #2, GH-3, www.evil.example, a@b.example",
    "[click](https://evil.example) ![x](http://evil.example/x.png) <http://evil.example>",
    "| a | b |\n|---|---|\n\\| c \\\\| d |",
    "\u202egnp.exe\u2066 \u2028 \u0085 \x00 \ufeff \ud800 \udc80",
    "' onmouseover='x' \" style=\"x\" &lt;b&gt; &#64;octocat",
    "\\",
    "\n\n# heading\n- list\n    code\n> quote",
    "../../etc/passwd",
    "{0} {{x}} %SRCROOT%",
    "@@ -1,3 +1,3 @@\n+<script>\n-`\n \x1b[0m",
]
ALLOWED_TAGS = {"html", "head", "meta", "title", "style", "body", "main", "header", "section", "h1",
                "h2", "p", "ul", "li", "div", "span", "strong", "code", "br", "details", "summary",
                "pre", "table", "colgroup", "col", "tbody", "tr", "td"}  # fmt: skip
VOID = {"meta", "br", "col"}
OUR_MARKUP = re.compile(
    r"(?:<details><summary>[✓✗!–] Output of <code>[^<>]*</code></summary>|</details>|<br>)\n?"
)

texts = st.text(
    st.characters() | st.sampled_from("<>&`\"'@[]()|\\#*_~\x1b\n\r\t\u202e/"), max_size=60
)


class Page(HTMLParser):
    """A page read back: it collects tags and texts and refuses what is not closed in order."""

    def __init__(self):
        super().__init__()
        self.open, self.tags, self.attributes, self.data = [], set(), set(), []

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.data.append(data)

    def handle_comment(self, data):
        raise AssertionError("a comment was opened")


def _page(text):
    page = Page()
    page.feed(text)
    page.close()
    assert page.open == []
    return page


def _has_no_controls(text):
    return not re.search(
        "[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]", text
    )


def _check_html(text):
    page = _page(text)
    assert page.tags <= ALLOWED_TAGS
    assert page.attributes <= {
        "lang", "charset", "http-equiv", "content", "name", "class", "open", "colspan",
    }  # fmt: skip
    assert "<script" not in text.lower()
    assert _has_no_controls(text)
    text.encode()


def _check_markdown(text):
    """Read it as GitHub does: what others wrote may only come out as code."""
    assert _has_no_controls(text)
    text.encode()
    parser = MarkdownIt("commonmark", {"html": True}).enable("table")
    inlines = []
    for token in parser.parse(text):
        assert token.type not in {"blockquote_open", "code_block", "hr"}
        if token.type == "html_block":
            assert OUR_MARKUP.fullmatch(token.content), token.content
        inlines += token.children or []
    assert {token.type for token in inlines} <= {
        "text", "code_inline", "softbreak", "html_inline", "strong_open", "strong_close",
        "em_open", "em_close",
    }  # fmt: skip
    assert {token.content for token in inlines if token.type == "html_inline"} <= {"<br>"}
    prose = "".join(token.content for token in inlines if token.type == "text")
    assert not re.search(r"[@#<>\[\]\\`|~]|https?:|www\.|evil", prose), prose


def _check_all(report):
    _check_html(to_html(report))
    _check_markdown(to_markdown(report))
    for text in (to_json(report), to_sarif(report)):
        assert text.isascii()
        assert "<" not in text
        assert _has_no_controls(text)
    json.loads(to_json(report))
    assert problems(json.loads(to_sarif(report))) == []


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_in_every_member(text):
    """Each hostile text, in every member at once, leaves every format valid and inert."""
    _check_all(with_text(REJECTED, text))


@pytest.mark.slow
@pytest.mark.parametrize("piece", ["<script>", "\x1b[31m\u202e`@a](\n", "`"])
def test_a_megabyte_in_every_member(piece):
    """A megabyte in every member is cut and stays inert."""
    _check_all(with_text(REJECTED, piece * (1_000_000 // len(piece))))


@settings(max_examples=60)
@given(texts)
@example("`")
@example("\\|")
def test_any_text_in_every_member(text):
    """Whatever the text, every format is valid and inert."""
    _check_all(with_text(REJECTED, text))


@given(texts, st.booleans())
def test_a_code_span_says_what_it_was_given(text, in_table):
    """A reader of Markdown sees the text again, in a table too."""
    line = " ".join(text.split())
    if not line or not line.isprintable():
        return
    if not in_table:
        children = MarkdownIt("commonmark").parseInline(f"a {code(line)} b")[0].children
        assert [child.content for child in children] == ["a ", line, " b"]
        return
    table = f"| x | y |\n|---|---|\n| {code(line, in_table=True)} | end |\n"
    tokens = MarkdownIt("commonmark").enable("table").parse(table)
    cells = [token for token in tokens if token.type == "inline"][2:]
    assert [cell.children[0].content for cell in cells] == [line.replace("\\|", "\\│"), "end"]


def test_the_words_are_still_there():
    """Escaping hides nothing: a reader of the page sees the very text."""
    text = "<script>alert('1')</script> & \"more\""
    assert _page(to_html(with_text(REJECTED, text))).data.count(text) > 10


def test_numbers_that_are_none():
    """Times and codes that no JSON can hold come out as nothing."""
    check = replace(REJECTED.review.checks[1], duration_seconds=float("nan"), exit_code="7")
    report = replace(REJECTED, review=replace(REJECTED.review, checks=(check,)))
    _check_all(report)
    document = json.loads(to_json(report))
    assert document["checks"][0]["duration_seconds"] == 0.0
    assert document["checks"][0]["exit_code"] is None


def test_the_page_runs_and_loads_nothing():
    """The policy of the page allows its own style sheet and nothing else."""
    text = to_html(REJECTED)
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text)[1]
    assert policy.startswith("default-src &#x27;none&#x27;; style-src &#x27;sha256-")
    assert "unsafe" not in policy
    assert not re.search(r"\s(?:src|href|style|on\w+)=|url\(|@import", text)


@pytest.mark.parametrize(
    ("path", "uri"),
    [
        ("a/b.py", "a/b.py"),
        ("a b/ü#?%.py", "a%20b/%C3%BC%23%3F%25.py"),
        ("javascript:alert(1)", "javascript%3Aalert%281%29"),
        ("bad\udce9name", "bad%E9name"),
        ("half\ud800", "half%3F"),
        ("/etc/passwd", ""),
        ("//evil.example/x", ""),
        ("a/../../b", ""),
        ("", ""),
        ("a" * 5_000, ""),
    ],
)
def test_addresses_of_files(path, uri):
    """A path becomes a relative address, or none when it leaves the repository."""
    assert address(path) == uri
