"""Where things live on disk. Imports only what is nearly free: instant commands use it."""

from __future__ import annotations

import os
from collections.abc import Mapping


def home_folder(environ: Mapping[str, str]) -> str:
    """Return the data and configuration folder: `JJM_HOME`, else `~/.jjm`."""
    return os.path.abspath(os.path.expanduser(environ.get("JJM_HOME") or "~/.jjm"))


def config_file(environ: Mapping[str, str], flag: str | None = None) -> str | None:
    """Return the configuration file to read, or None when there is none.

    `flag` (`--config`) or `JJM_CONFIG` names one, which must then exist (the loader says so);
    otherwise `config.toml`, then `config.json`, in the home folder.
    """
    named = flag or environ.get("JJM_CONFIG")
    if named:
        return os.path.abspath(os.path.expanduser(named))
    for name in ("config.toml", "config.json"):
        candidate = os.path.join(home_folder(environ), name)
        if os.path.exists(candidate):
            return candidate
    return None


def default_data_path(environ: Mapping[str, str], backend: str) -> str:
    """Return where the store lives when `storage.data_path` is not set."""
    return os.path.join(home_folder(environ), "tasks.json" if backend == "json" else "jjm.db")
