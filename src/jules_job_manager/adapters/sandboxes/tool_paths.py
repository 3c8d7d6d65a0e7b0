"""Which folders a command needs to find the programs that PATH names.

A folder of programs outside the system (`~/.pyenv/shims`, a virtual environment) is of little use
without what stands beside it, but what stands beside it can also be a person's secrets. So only
folders with the names that installations use are shown, never a home folder or one around it.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
_PARTS = (
    "bin", "sbin", "shims", "lib", "lib32", "lib64", "libexec", "include", "share", "plugins",
    "versions", "version", "installs", "pyvenv.cfg",
)  # fmt: skip
_SHARED_BY_ALL = ".local"
"""`~/.local/share` holds keyrings and the data of every program."""


def tool_paths(path: str, *, home: Path) -> list[Path]:
    """Return what is to be readable for the programs on `path`, without the system's folders.

    Args:
        path: A PATH variable; entries that are relative or missing are left out.
        home: The home folder, of which only installations are shown.
    """
    found: dict[Path, None] = {}
    for entry in path.split(":"):
        folder = Path(entry)
        if folder.is_absolute() and folder.is_dir() and not _is_system(folder):
            for part in _installation(folder, home):
                found[part] = None
            for target in _link_targets(folder):
                for part in _installation(target.parent, home):
                    found[part] = None
    return list(found)


def usable_path(path: str) -> str:
    """Return the absolute entries of a PATH variable that exist."""
    return ":".join(e for e in path.split(":") if e.startswith("/") and Path(e).is_dir())


def _is_system(path: Path) -> bool:
    return any(path.is_relative_to(root) for root in SYSTEM)


def _installation(folder: Path, home: Path) -> Iterable[Path]:
    """Return the folder, and the parts of the installation whose programs it holds."""
    if _is_system(folder) or _holds(folder, home):
        return []
    parts = [folder]
    root = folder.parent
    if folder.name in {"bin", "sbin", "shims"} and not _holds(root, home):
        names = [n for n in _PARTS if root.name != _SHARED_BY_ALL or n != "share"]
        parts += [root / name for name in names if (root / name).exists()]
    return parts


def _holds(folder: Path, home: Path) -> bool:
    """Whether it is the home folder or one around it."""
    resolved = folder.resolve()
    return home.resolve().is_relative_to(resolved)


def _link_targets(folder: Path) -> Iterable[Path]:
    """Return where links in the folder lead, if outside of it: a virtual environment's Python."""
    targets = set()
    for link in folder.iterdir():
        if link.is_symlink():
            target = link.resolve()
            if target.is_file() and target.parent != folder:
                targets.add(target)
    return sorted(targets)
