"""The files a job says it will touch."""

from __future__ import annotations

import re
from dataclasses import dataclass

from jules_job_manager.adapters.documents.statuses import DASHES
from jules_job_manager.domain.job import JobFile

_HEADER = re.compile(r"(?P<noun>[A-Z][A-Z ]*?) TO (?P<verbs>[A-Z/ &]+?)(?:\s*\([^()]*\))?:\s*")
_ITEM = re.compile(r"[ \t]*(?:[-*+]|\d+[.)])[ \t]+(?P<text>.*)")
_REMARK = re.compile(r"\((?P<text>[^()]*)\)[ \t]*$")
_NAMED_PATH = re.compile(r"(?P<name>[^()]*)\((?P<path>[^()\s]+)\)[ \t]*$")
_PATH = re.compile(r"[\w.@+-]*(?:/[\w.@+\[\]-]+)+/?|[\w@+-]*\.?[\w@+-]+\.\w+|\.[\w.-]+")
_LONGEST_PATH = 1000
_ACTIONS = {
    "new": "create", "create": "create", "created": "create", "add": "create",
    "modify": "modify", "modified": "modify", "update": "modify", "change": "modify",
    "edit": "modify", "refactor": "modify",
    "delete": "delete", "deleted": "delete", "remove": "delete",
}  # fmt: skip


@dataclass(frozen=True, kw_only=True, slots=True)
class FileList:
    """Files found, and the numbers (from 0) of list lines that name no path."""

    files: tuple[JobFile, ...] = ()
    not_understood: tuple[int, ...] = ()


def action_of_words(words: str) -> str:
    """Return the one action that `words` (`Create`, `CREATE/MODIFY`) name, or `unknown`."""
    named = {_ACTIONS[w] for w in re.split(r"[^a-z]+", words.casefold()) if w in _ACTIONS}
    return named.pop() if len(named) == 1 else "unknown"


def parse_file(text: str, default: str) -> JobFile | None:
    """Read one list entry: a path, its action (`(NEW)`, `(MODIFY - why)`) and a note."""
    quoted = re.match(r"`([^`\s]+)`", text)
    named = None if quoted or len(text) > 3 * _LONGEST_PATH else _NAMED_PATH.fullmatch(text)
    if quoted:
        path, rest = quoted[1], text[quoted.end() :]
    elif named and _PATH.fullmatch(named["path"]) and named["name"].strip():
        path, rest = named["path"], named["name"]
        if _PATH.fullmatch(rest.strip()):
            path, rest = rest.strip(), f"({named['path']})"
    else:
        path, _, rest = text.strip().partition(" ")
        if len(path) > _LONGEST_PATH or not _PATH.fullmatch(path):
            return None
    return _with_action(path, rest.strip(), default)


def _with_action(path: str, rest: str, default: str) -> JobFile:
    remark = _REMARK.search(rest)
    note = remark["text"].strip() if remark else rest.lstrip("→>: " + DASHES).strip()
    word, _, why = note.partition(" ")
    action = _ACTIONS.get(word.casefold().strip(":,-")) if remark else None
    if action is not None:
        return JobFile(path=path, action=action, note=why.lstrip(": " + DASHES).strip())
    return JobFile(path=path, action=default, note=note)


def files_in_prompt(prompt: str) -> FileList:
    """Read the lists under headers such as `FILES TO CREATE/MODIFY:` of a prompt.

    Under other nouns (`SERVICES TO CREATE:`) entries without a path are not about files.
    A file named twice keeps its first entry.
    """
    files: dict[str, JobFile] = {}
    missed: list[int] = []
    header: re.Match[str] | None = None
    for number, line in enumerate(prompt.split("\n")):
        found = _HEADER.fullmatch(line)
        item = _ITEM.fullmatch(line) if header else None
        if found:
            header = found
        elif item and header:
            file = parse_file(item["text"], action_of_words(header["verbs"]))
            if file is not None:
                files.setdefault(file.path, file)
            elif header["noun"].endswith("FILES"):
                missed.append(number)
        elif line.strip() or not files:
            header = header if not line.strip() else None
    return FileList(files=tuple(files.values()), not_understood=tuple(missed))
