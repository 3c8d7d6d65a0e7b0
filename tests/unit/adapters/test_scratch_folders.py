"""Scratch folders of killed programs."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile

import pytest

from jules_job_manager.adapters.scratch_folders import ScratchFolder


@pytest.fixture(autouse=True)
def temporary(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_a_folder_of_a_killed_program_is_removed_by_the_next(temporary):
    """And one whose program lives is left alone."""
    living = ScratchFolder("jjm-x-")
    program = (
        "import os, signal, sys, tempfile\n"
        "from jules_job_manager.adapters.scratch_folders import ScratchFolder\n"
        "tempfile.tempdir = sys.argv[1]\n"
        "(ScratchFolder('jjm-x-').path / 'big').write_text('x')\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    subprocess.run([sys.executable, "-c", program, str(temporary)], check=False)
    assert 2 == len(list(temporary.glob("jjm-x-*")))
    mine = ScratchFolder("jjm-x-")
    assert {living.path, mine.path} == set(temporary.iterdir())
    for folder in (living, mine):
        folder.remove()
    assert [] == list(temporary.iterdir())


def test_what_only_looks_like_one_is_left_alone(temporary):
    """A folder of somebody else, or a link to one."""
    (temporary / "elsewhere").mkdir()
    (temporary / "elsewhere" / "in-use").touch()
    (temporary / "jjm-x-link").symlink_to(temporary / "elsewhere")
    (temporary / "jjm-x-other").mkdir()
    ScratchFolder("jjm-x-").remove()
    assert {"elsewhere", "jjm-x-link", "jjm-x-other"} == {p.name for p in temporary.iterdir()}


def test_one_that_another_program_is_just_making_is_left_alone(temporary):
    """Its lock is there before it is locked; one that was begun long ago belongs to nobody."""
    for name in ("new-jjm-x-now", "new-jjm-x-long-ago"):
        (temporary / name).mkdir()
        (temporary / name / "in-use").touch()
    os.utime(temporary / "new-jjm-x-long-ago", (0, 0))
    ScratchFolder("jjm-x-").remove()
    assert ["new-jjm-x-now"] == [path.name for path in temporary.iterdir()]
