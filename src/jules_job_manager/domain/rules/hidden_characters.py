"""Rule `hidden-characters`: text that reads otherwise than it runs.

Source: Boucher and Anderson, "Trojan Source: Invisible Vulnerabilities" (2021), trojansource.codes.
"""

from __future__ import annotations

import ast
import re
import unicodedata
from collections.abc import Iterator

from jules_job_manager.domain.change import Change
from jules_job_manager.domain.finding import Finding, Level
from jules_job_manager.domain.rules.python_code import PythonFile, python_files
from jules_job_manager.domain.rules.sources import (
    CODE,
    added_text,
    is_data,
    is_in_tests,
    present,
    suffix,
)

_BIDI = re.compile("[\u202a-\u202e\u2066-\u2069]")
_ZERO_WIDTH = re.compile("[\u200b\u2060-\u2064\u180e\ufeff\U000e0000-\U000e007f]")
_CONTROL = re.compile("[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")
_RUNS_AS_WRITTEN = CODE | {"yml", "yaml", "toml", "json", "cfg", "ini", "mk", "gradle", "tf"}
_TRANSLATION = re.compile(
    r"(?:^|/)(?:locales?|i18n|lang|translations?|messages)(?:/|$)", re.IGNORECASE
)


def invisible_in(text: str) -> bool:
    """Return whether a direction or zero-width character is in the text."""
    return bool(_BIDI.search(text) or _ZERO_WIDTH.search(text))


def hidden_characters(change: Change) -> Iterator[Finding]:
    """Yield added lines with characters that hide or reorder text, and names of mixed scripts."""
    for file in present(change):
        is_code = suffix(file.path) in _RUNS_AS_WRITTEN or "." not in file.path.rpartition("/")[2]
        is_code = is_code and not _TRANSLATION.search(file.path) and not is_data(file.path)
        is_code = is_code and not (is_in_tests(file.path) and suffix(file.path) not in CODE)
        for number, line in added_text(change, file):
            if number == 1:
                line = line.removeprefix("\ufeff")  # noqa: PLW2901 - a byte order mark hides nothing
            if _BIDI.search(line):
                message, level = "A character here changes the direction of reading.", Level.ERROR
            elif is_code and _ZERO_WIDTH.search(line):
                message, level = "An invisible character stands here.", Level.WARNING
            elif is_code and _CONTROL.search(line):
                message, level = "A control character stands here.", Level.WARNING
            else:
                continue
            level = level if is_code else Level.WARNING
            yield Finding(
                rule="hidden-characters", message=message, path=file.path, line=number, level=level
            )
    for python in python_files(change):
        yield from _mixed_names(python)


def _mixed_names(file: PythonFile) -> Iterator[Finding]:
    seen: set[str] = set()
    for node in ast.walk(file.module):
        name = (
            getattr(node, "id", None) or getattr(node, "attr", None) or getattr(node, "name", None)
        )
        name = name or getattr(node, "arg", None)
        if (
            not isinstance(name, str)
            or name.isascii()
            or name in seen
            or not file.starts_added(node)
        ):
            continue
        seen.add(name)
        if len(_scripts(name)) > 1:
            message = f"The name {name!r} mixes letters of alphabets that look alike."
            yield Finding(
                rule="hidden-characters",
                message=message,
                path=file.path,
                line=getattr(node, "lineno", 0),
            )


def _scripts(name: str) -> set[str]:
    words = {unicodedata.name(c, "").partition(" ")[0] for c in name if c.isalpha()}
    return words & {"LATIN", "CYRILLIC", "GREEK"}
