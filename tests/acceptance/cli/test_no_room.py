"""Full disks, limits and read-only folders: one sentence, exit code 1, and nothing kept is lost."""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.warm_program import run_jjm

pytestmark = pytest.mark.integration

LIMITED = """
import resource, sys

sys.dont_write_bytecode = True  # a compiled file cut at the limit would break every later run
most = int(sys.argv.pop(1))
resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
from jules_job_manager.cli.main import program

program()
"""
"""The program, with a limit on the size of a file as `ulimit -f` sets it, in bytes."""
KINDS = pytest.mark.parametrize("kind", ["sqlite", "json"])


def _environment(home: Path, kind: str) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    logs = str(home.parent / "logs" / "jjm.log")  # not in the folder that is full
    return {**kept, "JJM_HOME": str(home), "JJM_BACKEND": "simulator", "JJM_SIMULATOR__SPEED": "0",
            "JJM_SIMULATOR__STATE": str(home.parent / "simulator.db"),
            "JJM_STORAGE__BACKEND": kind, "JJM_LOG__PATH": logs}  # fmt: skip


def _jjm(
    home: Path, kind: str, *words: str, before: tuple[str, ...] = (), limit: int | None = None
):
    env = _environment(home, kind)
    if limit is not None:
        return run_jjm((str(limit), *words), env=env, cwd=home.parent, code=LIMITED)
    if not before:
        return run_jjm(words, env=env, cwd=home.parent)
    return subprocess.run(
        [*before, sys.executable, "-m", "jules_job_manager", *words],
        env=env, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip


def _create(home: Path, kind: str, text: str = "Add it", **options):
    words = ("create", "--repo", "octo/sample", "--description", text)
    return _jjm(home, kind, *words, **options)


def _said_once(done: subprocess.CompletedProcess[str], *said: str) -> None:
    assert 1 == done.returncode, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert 1 == done.stderr.count("error: ")
    for words in said:
        assert words in done.stderr


def _prepared(home: Path, kind: str) -> str:
    done = _create(home, kind)
    assert 0 == done.returncode, done.stderr
    return done.stdout.strip()


@KINDS
def test_a_limit_on_file_sizes(tmp_path, kind):
    """A write beyond `ulimit -f` is one sentence that names the limit; the source is unharmed."""
    home = tmp_path / "home"
    task_id = _prepared(home, "sqlite")
    words = (
        "storage",
        "migrate",
        "--from",
        "sqlite",
        "--to",
        f"{kind}:{home / 'new'}",
        "--leave-audit",
    )
    _said_once(_jjm(home, "sqlite", *words, limit=100), "limit")
    assert f"{task_id}\n" == _jjm(home, "sqlite", "list", "--cached", "--ids").stdout
    assert 0 == _jjm(home, "sqlite", *words).returncode


@contextlib.contextmanager
def _small_disk(folder: Path) -> Iterator[None]:
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m,mode=0700", "tmpfs", folder],
        check=False, capture_output=True,
    )  # fmt: skip
    if mounted.returncode:
        pytest.skip("a small disk can only be mounted by root")
    try:
        yield
    finally:
        subprocess.run(["umount", folder], check=True)


@KINDS
def test_a_full_disk(tmp_path, kind):
    """With no byte left the command fails in one sentence; with room again it goes on."""
    home = tmp_path / "home"
    with _small_disk(home):
        task_id = _prepared(home, kind)
        filler = home / "filler"
        with contextlib.suppress(OSError), filler.open("wb", buffering=0) as stream:
            while True:
                stream.write(b"x" * 4096)
        _said_once(_create(home, kind, "Too much " * 5000), "room", "Free some space")
        assert f"{task_id}\n" == _jjm(home, kind, "list", "--cached", "--ids").stdout
        filler.unlink()
        assert 0 == _create(home, kind).returncode
        leftovers = [path.name for path in home.iterdir() if path.name.startswith(".")]
        assert [] == leftovers


def _without_override() -> tuple[str, ...]:
    """Return a command that takes root's right to write everywhere away; nothing for others."""
    if os.geteuid() != 0:
        return ()
    if shutil.which("setpriv") is None:
        pytest.skip("root writes everywhere, and setpriv is not here to prevent it")
    rights = "-dac_override,-dac_read_search"
    return ("setpriv", f"--bounding-set={rights}", f"--inh-caps={rights}")


@KINDS
def test_a_read_only_folder(tmp_path, kind):
    """A home that cannot be written is one sentence, whether it is new or holds a store."""
    before = _without_override()
    home = tmp_path / "home"
    home.mkdir()
    home.chmod(0o500)
    try:
        _said_once(_create(home, kind, before=before), "cannot be", "JJM_HOME")
    finally:
        home.chmod(0o700)
    _prepared(home, kind)
    home.chmod(0o500)
    try:
        _said_once(_create(home, kind, before=before), "cannot be", "hint: ")
        if kind == "sqlite":
            read = _jjm(home, kind, "list", "--cached", "--ids", before=before)
            assert 0 == read.returncode, read.stderr
    finally:
        home.chmod(0o700)
    assert 0 == _create(home, kind).returncode


@KINDS
def test_a_wide_open_store_is_narrowed(tmp_path, kind):
    """A store that others could read is its owner's alone after the next command that writes."""
    home = tmp_path / "home"
    _prepared(home, kind)
    store = home / ("jjm.db" if kind == "sqlite" else "tasks.json")
    store.chmod(0o664)
    _prepared(home, kind)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in home.glob(f"{store.name}*")}
    assert {0o600} == set(modes.values()), modes


def test_a_damaged_store_is_told_and_left(tmp_path):
    """SQLite's damaged file stays where it is; the JSON one is kept aside."""
    home = tmp_path / "home"
    home.mkdir()
    (home / "jjm.db").write_bytes(b"no database" * 100)
    _said_once(_jjm(home, "sqlite", "list", "--cached"), "damaged")
    assert b"no database" * 100 == (home / "jjm.db").read_bytes()
    (home / "tasks.json").write_text("{")
    _said_once(_jjm(home, "json", "list", "--cached"), "damaged", "kept as")
    assert "No tasks." in _jjm(home, "json", "list", "--cached").stderr
