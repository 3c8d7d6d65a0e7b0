"""Checking what came back."""

from __future__ import annotations

from dataclasses import dataclass

from jules_job_manager.settings.sections.field import setting


@dataclass(frozen=True, kw_only=True)
class ReviewSettings:
    """Checking what came back."""

    checks: tuple[str, ...] = setting((), "Commands run on the merge; each must exit with 0.")
    check_timeout_seconds: float = setting(900.0, "Longest run of one check.", minimum=0.1)
    at_once: int = setting(2, "Reviews run side by side on this machine.", minimum=1)
    checks_at_once: int = setting(
        2, "Checks of one review run side by side, each on a copy of its own.", minimum=1
    )
    sandbox: str = setting(
        "auto", "Where checks run: auto is bubblewrap and refuses without it; container is podman or "
        "docker; host is no sandbox: what Jules wrote then runs with all your rights.",
        choices=("auto", "bubblewrap", "container", "host"),
    )  # fmt: skip
    container_image: str = setting(
        "docker.io/library/python:3.12-slim", "Image that checks run in, for container."
    )
    memory_mb: int = setting(4096, "Most memory of one check, in MiB.", minimum=16)
    processes: int = setting(512, "Most processes and threads of one check.", minimum=4)
    readable: tuple[str, ...] = setting(
        (), "Further files and folders that checks may read, absolute or with ~."
    )
    setup: tuple[str, ...] = setting(
        (), "Commands run before the checks, in the same folder; each must exit with 0."
    )
    setup_network: bool = setting(
        default=False, doc="Let the commands of setup reach the network, this machine's ports too."
    )
    promised_files: bool = setting(
        default=True, doc="Refuse a delivery that lacks a file the job promised."
    )
    unproven: str = setting(
        "merge", "A delivery that passed, while lines of the job's checklist are not proven: merge it, "
        "or ask a person, who signs them with jjm review sign.", choices=("merge", "ask"),
    )  # fmt: skip
    rules: tuple[str, ...] = setting(
        (), "Built-in rules that are not used as they are meant, as RULE=USE: required, advisory or "
        "off; `all` stands for every other rule. A repository's .jjm.toml counts before it."
    )  # fmt: skip
