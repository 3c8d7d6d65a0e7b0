"""Links between the documents lead somewhere: the file is there, and so is the heading."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from urllib.parse import unquote

import pytest

ROOT = Path(__file__).parents[3]
_FENCE = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"(`+)(?!`).*?\1", re.DOTALL)
_LINK = re.compile(r"!?\[(?:[^\[\]]|\[[^\]]*\])*\]\(<?([^()\s>]+(?:\([^()\s]*\)[^()\s>]*)*)>?\)")
_HEADING = re.compile(r"^#{1,6} +(.*?)(?: +#+)?$", re.MULTILINE)


def _documents() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    names = [name for name in listed.stdout.splitlines() if not name.startswith("tests/")]
    return [ROOT / name for name in names if (ROOT / name).is_file()]


def links_in(text: str) -> list[str]:
    """Return where the links of a Markdown document lead; those in code are none."""
    return _LINK.findall(_CODE.sub("code", _FENCE.sub("", text)))


def anchors_in(text: str) -> set[str]:
    """Return the anchors of the headings, as code hosts make them."""
    found: dict[str, int] = {}
    anchors = set()
    for heading in _HEADING.findall(_FENCE.sub("", text)):
        words = re.sub(r"\]\([^)]*\)", "", heading).lower()
        anchor = re.sub(r"[^\w\- ]", "", words).replace(" ", "-")
        count = found.get(anchor, 0)
        found[anchor] = count + 1
        anchors.add(f"{anchor}-{count}" if count else anchor)
    return anchors


DOCUMENTS = _documents()


def _faults(document: Path) -> list[str]:
    faults = []
    for link in links_in(document.read_text("utf-8")):
        if re.match(r"[a-z][a-z0-9+.\-]*:", link):
            continue
        path, _, anchor = unquote(link).partition("#")
        target = (document.parent / path).resolve() if path else document
        if not target.is_relative_to(ROOT) or not target.exists():
            faults.append(f"{link}: there is no such file")
        elif anchor and anchor not in anchors_in(target.read_text("utf-8")):
            faults.append(f"{link}: there is no such heading")
    return faults


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_leads_somewhere(document):
    """Within the repository; addresses of others are not asked for."""
    assert [] == _faults(document)


def test_links_are_found():
    """In sentences, lists, tables and images; not in code."""
    text = "[a](b.md#c), ![d [e]](f.svg) | [`g`](<h.md>) | `[i](j.md)`\n```\n[k](l.md)\n```\n"
    assert ["b.md#c", "f.svg", "h.md"] == links_in(text)
    assert len(DOCUMENTS) >= 30
    assert sum(len(links_in(path.read_text("utf-8"))) for path in DOCUMENTS) >= 100


def test_headings_make_anchors():
    """Marks are left out, and one that comes again has a number."""
    text = "# One: `two`, three\n## Again\n## Again\n```\n# no heading\n```\n"
    assert {"one-two-three", "again", "again-1"} == anchors_in(text)


def test_a_broken_link_is_seen(tmp_path, monkeypatch):
    """A file that is gone, a heading that was renamed, a way out of the repository."""
    monkeypatch.setattr("tests.unit.docs.test_links.ROOT", tmp_path)
    (tmp_path / "there.md").write_text("# There\n")
    page = tmp_path / "page.md"
    page.write_text("[1](there.md#there) [2](gone.md) [3](there.md#gone) [4](../x.md)\n")
    assert ["gone.md", "there.md#gone", "../x.md"] == [f.partition(": ")[0] for f in _faults(page)]
