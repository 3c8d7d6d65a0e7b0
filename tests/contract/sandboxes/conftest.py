"""Every sandbox that can be used on this machine."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sys
from pathlib import Path

import pytest

from jules_job_manager.adapters.sandboxes.bubblewrap import BubblewrapSandbox
from jules_job_manager.adapters.sandboxes.container import ContainerSandbox
from jules_job_manager.adapters.sandboxes.host import HostSandbox

# Runs the command that it is given with the variables and in the folder that a container would
# have; it isolates nothing, so only what the engine does not do is tested with it.
FAKE_PODMAN = """#!{python} -IS
import json, os, sys
words = sys.argv[1:]
with open({record!r}, "a") as record:
    record.write(json.dumps(words) + "\\n")
if words[0] != "run":
    sys.exit(0)
options, alone = [], ("--rm", "--init", "--read-only")
index = 1
while words[index].startswith("--"):
    step = 1 if words[index] in alone else 2
    options.append(words[index : index + step])
    index += step
mount = next(o[1] for o in options if o[0] == "--mount" and "target=/checkout" in o[1])
source = dict(p.partition("=")[::2] for p in mount.split(","))["source"]
variables = dict(o[1].split("=", 1) for o in options if o[0] == "--env")
variables |= {{"PATH": os.environ["PATH"], "TMPDIR": "/tmp", "HOME": {home!r}}}
os.chdir(source)
os.execve("/bin/sh", ["/bin/sh", *words[index + 1 :]], variables)
"""


def bubblewrap() -> BubblewrapSandbox:
    """Return the sandbox, or skip the test with the reason."""
    made = BubblewrapSandbox(path=os.environ["PATH"], home=Path.home())
    problem = asyncio.run(made.is_usable())
    if problem:
        pytest.skip(problem)
    return made


class FakeEngine:
    """A `podman` on a PATH of its own, and what it was asked."""

    def __init__(self, folder: Path) -> None:
        self._record = folder / "record"
        home = folder / "home"
        home.mkdir(parents=True)
        program = folder / "bin" / "podman"
        program.parent.mkdir()
        text = FAKE_PODMAN.format(python=sys.executable, record=str(self._record), home=str(home))
        program.write_text(text)
        program.chmod(0o755)
        self.environment = {"PATH": f"{program.parent}:{os.environ['PATH']}", "HOME": str(home)}

    @property
    def calls(self) -> list[list[str]]:
        """The arguments of every call."""
        return [json.loads(line) for line in self._record.read_text().splitlines()]


@pytest.fixture
def engine(tmp_path):
    return FakeEngine(tmp_path / "engine")


@pytest.fixture(params=["bubblewrap", "container", "host"])
def sandbox(request):
    """Each of them in turn."""
    if request.param == "container":
        environment = request.getfixturevalue("engine").environment
        return ContainerSandbox(image="example.org/image:1", environment=environment)
    if request.param == "host":
        return HostSandbox(environment={"PATH": os.environ["PATH"]})
    return bubblewrap()


@pytest.fixture
def isolated():
    """The one that isolates and needs no engine."""
    return bubblewrap()


@pytest.fixture
def folder(tmp_path):
    """A scratch checkout."""
    made = tmp_path / "scratch" / "checkout"
    made.mkdir(parents=True)
    yield made
    shutil.rmtree(made, ignore_errors=True)
