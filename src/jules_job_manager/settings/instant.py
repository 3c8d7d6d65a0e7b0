"""The few settings that instant commands need, read without the dear modules of `settings.load`.

What cannot be told for sure this cheaply is left to the whole reading, which also reports what is
wrong. A test holds both equal.
"""

from __future__ import annotations

import os

from jules_job_manager.settings.locate import config_file, default_data_path, home_folder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

_VARIABLES = {
    "storage.backend": ("JJM_STORAGE__BACKEND",),
    "storage.data_path": ("JJM_STORAGE__DATA_PATH",),
    "jules.backend": ("JJM_BACKEND", "JJM_JULES__BACKEND"),
    "jules.api_key": ("JULES_API_KEY", "JJM_JULES__API_KEY"),
    "client.server": ("JJM_SERVER", "JJM_CLIENT__SERVER"),
}
_NAMED = {"JJM_CONFIG", *(name for names in _VARIABLES.values() for name in names)}
_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./~-")


class InstantSettings:
    """Where the SQLite store is, and which backend is in force (empty when that is not sure)."""

    def __init__(self, data_path: str, backend: str) -> None:
        """Hold both."""
        self.data_path = data_path
        self.backend = backend


def instant_settings(environ: Mapping[str, str], config: str | None) -> InstantSettings | None:
    """Return the settings when the store is SQLite and that can be told; None otherwise.

    None also when commands talk to a service.

    Args:
        environ: The environment; `.env` in the home folder is read under it.
        config: Value of `--config`, or None.
    """
    home = home_folder(environ)
    under = _dotenv(os.path.join(home, ".env"))
    if under is None:
        return None
    environ = {**under, **environ}
    path = config_file(environ, config)
    document = {} if path is None else _document(path)
    values = None if document is None else _from_document(document)
    if values is None:
        return None
    for name, variables in _VARIABLES.items():
        for variable in variables:
            values[name] = environ.get(variable) or values[name]
    if values["storage.backend"] not in {"", "sqlite"} or values["client.server"]:
        return None
    data_path = os.path.expanduser(values["storage.data_path"])
    backend = values["jules.backend"] or ("rest" if values["jules.api_key"] else "")
    return InstantSettings(data_path or default_data_path({"JJM_HOME": home}, "sqlite"), backend)


def _from_document(document: dict[str, Any]) -> dict[str, str] | None:
    values = {}
    for name in _VARIABLES:
        section, _, key = name.partition(".")
        members = document.get(section, {})
        value = members.get(key, "") if isinstance(members, dict) else None
        if not isinstance(value, str):
            return None
        values[name] = value
    return values


def _document(path: str) -> dict[str, Any] | None:
    try:
        with open(path, encoding="utf-8") as stream:
            text = stream.read()
        if path.endswith(".json"):
            import json

            data = json.loads(text)
        else:
            import tomllib

            data = tomllib.loads(text)
    except (OSError, ValueError):
        return None
    return data if isinstance(data, dict) else None


def _dotenv(path: str) -> dict[str, str] | None:
    try:
        with open(path, encoding="utf-8") as stream:
            lines = stream.read().splitlines()
    except FileNotFoundError:
        return {}
    except (OSError, ValueError):
        return None
    found = {}
    for line in lines:
        text = line.strip().removeprefix("export ").lstrip()
        if not text or text.startswith("#"):
            continue
        if text.count('"') % 2 or text.count("'") % 2:
            return None  # a value may go on in the next line
        name, _, value = text.partition("=")
        if name.strip().strip("'") in _NAMED:
            if not _PLAIN.issuperset(value.strip()):
                return None
            found[name.strip().strip("'")] = value.strip()
    return found
