"""The pretend Jules in this very process."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jules_job_manager.adapters.backends.simulator.engine import Simulator
    from jules_job_manager.ports.backend import Backend
    from jules_job_manager.ports.clock import Clock
    from jules_job_manager.settings.model import Settings


def simulator_backend(
    settings: Settings, clock: Clock, closers: list[Callable[[], object]]
) -> Backend:
    """Return a backend on it; what closes its world is added to `closers`.

    Raises:
        ConfigurationError, ForgeError: see `open_simulator`.
    """
    from jules_job_manager.adapters.backends.rest.backend import open_rest_backend
    from jules_job_manager.adapters.backends.simulator.rest_face import in_process_transport

    simulator = open_simulator(settings, clock)
    closers.append(simulator.close)
    return open_rest_backend(
        base_url="http://127.0.0.1/v1alpha",
        api_key="simulator",
        timeout_seconds=settings.jules.timeout_seconds,
        max_tries=settings.monitoring.max_retries,
        clock=clock,
        name="simulator",
        transport=in_process_transport(simulator),
    )


def open_simulator(settings: Settings, clock: Clock) -> Simulator:
    """Open the pretend Jules that the settings describe, its world in the home folder.

    Raises:
        ConfigurationError: the scenario cannot be used.
        ForgeError: the sample repository cannot be made.
    """
    from jules_job_manager.adapters.backends.simulator.engine import Simulator
    from jules_job_manager.adapters.backends.simulator.scenario import load_scenario

    chosen = settings.simulator
    return Simulator.open(
        Path(chosen.state).expanduser() if chosen.state else settings.home / "simulator.db",
        scenario=load_scenario(Path(chosen.scenario).expanduser() if chosen.scenario else None),
        seed=chosen.seed,
        speed=chosen.speed,
        repositories=settings.remotes,
        clock=clock,
    )
