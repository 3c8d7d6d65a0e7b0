"""What the container sandbox asks of its engine; none runs here, so a recording one stands in."""

from __future__ import annotations

import sys

import pytest

from jules_job_manager.adapters.sandboxes.container import ContainerSandbox
from jules_job_manager.errors import ConfigurationError, OperationFailedError
from jules_job_manager.ports.sandbox import MIB, Limits

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(sys.platform != "linux", reason="the stand-in is tracked on Linux only"),
]


@pytest.fixture
def container(engine):
    return ContainerSandbox(image="example.org/image:1", environment=engine.environment)


async def test_the_container_is_held_tightly(container, engine, folder):
    """Every restriction is asked for, and the command is the shell's one argument."""
    (folder / ".git").write_text("gitdir: x\n")
    limits = Limits(memory_bytes=64 * MIB, processes=9, file_bytes=77)
    await container.run("echo '--privileged'", folder=folder, limits=limits)
    words = engine.calls[0]
    joined = " ".join(words)
    for wanted in (
        "--rm --init --name jjm-check-", "--network none", "--read-only", "--cap-drop ALL",
        "--security-opt no-new-privileges", "--pids-limit 9", f"--memory {64 * MIB}",
        f"--memory-swap {64 * MIB}", "--ulimit fsize=77", "--ulimit core=0", "--tmpfs /tmp:rw,",
        f"--mount type=bind,source={folder},target=/checkout ",
        f"--mount type=bind,source={folder}/.git,target=/checkout/.git,readonly",
    ):  # fmt: skip
        assert wanted in joined
    end = ["--entrypoint", "/bin/sh", "example.org/image:1", "-c", "echo '--privileged'"]
    assert end == words[-5:]


async def test_the_network_only_when_allowed(container, engine, folder):
    """Then the engine's default."""
    await container.run("true", folder=folder, network=True)
    assert "--network" not in engine.calls[0]


@pytest.mark.parametrize("command", ["true", "sleep 600"])
async def test_the_container_is_removed_by_its_name(container, engine, folder, command):
    """Whether it ended or was ended: killing the client alone leaves a container running."""
    await container.run(command, folder=folder, limits=Limits(wall_seconds=1))
    run, remove = engine.calls
    assert ["rm", "--force", run[run.index("--name") + 1]] == remove


async def test_an_engine_that_fails_is_no_failed_check(container, folder):
    """Exit code 125 is the engine's own."""
    with pytest.raises(OperationFailedError, match="no such image"):
        await container.run("echo no such image; exit 125", folder=folder)


@pytest.mark.parametrize("image", ["", "--privileged", "a b", "a\n"])
def test_a_name_that_is_none_is_refused(image):
    """It would be read as an option."""
    with pytest.raises(ConfigurationError, match="names no image"):
        ContainerSandbox(image=image, environment={})


async def test_usable_only_with_an_engine(container, tmp_path):
    """What is missing is said."""
    assert "" == await container.is_usable()
    bare = ContainerSandbox(image="image", environment={"PATH": str(tmp_path)})
    assert "podman" in await bare.is_usable()
    with pytest.raises(OperationFailedError, match="podman"):
        await bare.run("true", folder=tmp_path)
