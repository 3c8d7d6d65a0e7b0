"""Rule `promised-names`: what the prompt announces as to be created is somewhere in the code.

Only plain announcements count: an entry of a list under `ENDPOINTS TO CREATE:`, or a sentence
that creates, adds or implements one named thing. Whatever is doubtful is no promise.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from jules_job_manager.domain.change import Change, Tree
from jules_job_manager.domain.finding import Finding
from jules_job_manager.domain.rules.sources import CODE, suffix, text_of

_MOST_FILES = 4000
_VERB = r"(?:create|add|implement|build|expose|define|introduce)"
_HEADER = re.compile(
    rf"^\W*(?:new\s+)?(?P<noun>endpoints?|routes?|apis?|classes|services?|functions?|methods?|models?|tables?)\s+to\s+{_VERB}\b[^:]*:\W*$",
    re.IGNORECASE,
)
_STEP = re.compile(rf"^\d+[.)]\s+{_VERB}\b", re.IGNORECASE)
"""A numbered step; endpoints in the list under it are announced too."""
_ITEM = re.compile(r"^\s*(?:[-*+•]|\d+[.)])\s+(?P<text>.+)$")
_ENDPOINT = re.compile(r"`?\b(?P<verb>GET|POST|PUT|PATCH|DELETE)\s+(?P<path>/[\w\-/{}:<>.]*)`?")
_NAME = re.compile(r"^[`*]*(?P<name>[A-Za-z_][\w.]*)(?:\(\))?[`*]*(?=\s|$|[:(,—–-])")
_CAMEL = re.compile(
    r"^[A-Z][a-z0-9]+(?:[A-Z][A-Za-z0-9]*)+$|^[A-Z][a-z0-9]+(?:Service|Model|Error)$"
)
_SENTENCE = re.compile(
    rf"\b{_VERB}\s+(?:(?:a|an|the|new|public|async|following|our|REST|API|HTTP)\s+)*"
    r"(?:(?P<noun>class|function|method|endpoint|route|table|model|service)\s+)?"
    r"(?:named\s+|called\s+)?`(?P<name>[^`\s][^`]*)`(?:\s+(?P<after>class|function|method|endpoint|route|table|model|service)\b)?",
    re.IGNORECASE,
)
_BARE_PATH = re.compile(
    rf"\b{_VERB}\s+(?:(?:a|an|the|new)\s+)?`?(?P<path>/[\w\-/{{}}.]{{3,}})`?\s+(?:endpoint|route)\b|"
    rf"\b{_VERB}\s+(?:\w+\s+)?endpoint:?\s+`?(?P<path2>/[\w\-/{{}}.]{{3,}})`?",
    re.IGNORECASE,
)
_NOT = re.compile(
    r"\b(?:not|never|don'?t|without|avoid|instead of|optional(?:ly)?|if|consider|might|e\.g\.|example|existing|like)\b",
    re.IGNORECASE,
)
_IDENTIFIER = re.compile(r"^[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)?(?:\(.*\))?$")


@dataclass(frozen=True, slots=True)
class Promise:
    """One announced thing: an `endpoint` (its path), a `table`, or a `name` of code."""

    kind: str
    name: str


def promised_names(change: Change) -> Iterator[Finding]:
    """Yield announced endpoints, classes, functions and tables that no code of the result knows."""
    promises = list(promises_in(change.job.prompt))
    if not promises:
        return
    paths = [path for path in change.head.paths() if suffix(path) in CODE]
    if not paths or len(paths) > _MOST_FILES:
        return  # nothing that could be searched, or too much
    code = _Code(change.head, paths)
    for promise in promises:
        if not code.knows(promise):
            what = {"endpoint": "endpoint", "table": "table"}.get(promise.kind, "name")
            yield Finding(
                rule="promised-names",
                message=f"The announced {what} `{promise.name}` is nowhere in the code.",
            )


def promises_in(prompt: str) -> list[Promise]:
    """Return what a prompt announces, each once, in order. Code fences are examples."""
    found: list[Promise] = []
    noun = ""
    fenced = False
    for line in prompt.splitlines():
        if line.lstrip().startswith("```"):
            fenced = not fenced
            continue
        if fenced:
            continue
        header = _HEADER.match(line)
        item = _ITEM.match(line)
        if header:
            noun = header["noun"].lower()
        elif _STEP.match(line) and not noun:
            noun = "step"
        elif item and noun:
            found += _listed(item["text"], noun)
        elif line.strip():
            noun = ""
        if not _NOT.search(line):
            found += _said(line)
    return list(dict.fromkeys(found))


def _listed(text: str, noun: str) -> Iterator[Promise]:
    endpoint = _ENDPOINT.match(text)
    if endpoint:
        yield Promise("endpoint", endpoint["path"])
        return
    name = _NAME.match(text)
    if noun.startswith(("endpoint", "route", "api", "step")) or not name or "." in name["name"]:
        return
    plain = name["name"]
    quoted = text.startswith("`") or "()" in text[: name.end() + 2]
    if noun.startswith("table"):
        if quoted or "_" in plain or _CAMEL.match(plain):
            yield Promise("table", plain)
    elif (
        quoted or _CAMEL.match(plain) or ("_" in plain and noun.startswith(("function", "method")))
    ):
        yield Promise("name", plain)


def _said(line: str) -> Iterator[Promise]:
    for found in _SENTENCE.finditer(line):
        noun = (found["noun"] or found["after"] or "").lower()
        name = found["name"].strip()
        endpoint = _ENDPOINT.fullmatch(name)
        if endpoint:
            yield Promise("endpoint", endpoint["path"])
        elif name.startswith("/") and noun in {"endpoint", "route"}:
            yield Promise("endpoint", name)
        elif noun and _IDENTIFIER.match(name):
            plain = name.partition("(")[0].rpartition(".")[2]
            yield Promise("table" if noun == "table" else "name", plain)
    for found in _BARE_PATH.finditer(line):
        yield Promise("endpoint", (found["path"] or found["path2"]).rstrip(".,"))


class _Code:
    """The code of a tree, searched as text: a word in it is enough."""

    def __init__(self, tree: Tree, paths: list[str]) -> None:
        texts = [text_of(tree, path) or "" for path in paths]
        self._text = "\n".join(texts)
        self._paths = "\n".join(re.sub(r"\[([^\]/]*)\]", "{}", path) for path in paths)
        self._literals: set[tuple[str, ...]] | None = None

    def knows(self, promise: Promise) -> bool:
        """Return whether the promised thing may be there."""
        if promise.kind == "endpoint":
            return self._serves(promise.name)
        if promise.kind == "table":
            plain = promise.name.replace("_", "").lower().removesuffix("s")
            return plain in self._text.replace("_", "").lower()
        return self._defines(promise.name)

    def _defines(self, name: str) -> bool:
        word = re.escape(name)
        pattern = (
            rf"\b(?:class|def|function|func|fn|interface|type|struct|const|let|var|enum|trait|export)\s+\*?{word}\b"
            rf"|^\s*(?:export\s+)?(?:async\s+)?{word}\s*(?:[:=(<]|: \w)|\b{word}\s*=[^=]|\bas\s+{word}\b|[\"']{word}[\"']"
        )
        return re.search(pattern, self._text, re.MULTILINE) is not None

    def _serves(self, path: str) -> bool:
        wanted = _segments(path)
        if not wanted:
            return True
        if self._literals is None:
            self._literals = {
                _segments(text)
                for text in re.findall(r"[\"'`](/?[\w\-/{}:<>.$@]{1,200})[\"'`]", self._text)
            }
            self._literals |= {
                _segments(text)
                for text in re.findall(r"\}(/[\w\-/{}:<>.]{1,200})[\"'`]", self._text)
            }
        if any(wanted[depth:] in self._literals for depth in range(len(wanted))):
            return True
        return "/".join(wanted[-2:]) in self._paths


def _segments(path: str) -> tuple[str, ...]:
    """Return the parts of a path; a parameter of any framework is `{}`."""
    parts = [part for part in path.partition("?")[0].split("/") if part]
    return tuple("{}" if part[0] in "{:<$[" else part.lower() for part in parts)
