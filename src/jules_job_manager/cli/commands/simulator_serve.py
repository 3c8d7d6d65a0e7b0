"""Serve the pretend Jules over REST.

One line with the base address is printed when it is ready; `/stats` beside it shows counters.
Any API key is accepted. It listens on loopback only unless --host says otherwise.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from jules_job_manager.adapters.backends.simulator.engine import Simulator
    from jules_job_manager.cli.context import Context


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--port", type=int, default=8765, help="port; 0 takes a free one (8765)")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (127.0.0.1)")
    parser.add_argument("--seed", type=int, default=1, help="seed of ids and words (1)")
    parser.add_argument(
        "--speed", type=float, default=60.0, help="how many times faster than told (60)"
    )
    parser.add_argument("--scenario", metavar="FILE", help="scenario file (TOML)")
    parser.add_argument(
        "--repo", action="append", default=[], metavar="OWNER/NAME=PATH",
        help="git repository to work on; repeatable; none: a sample",
    )  # fmt: skip
    parser.add_argument("--state", metavar="FILE", help="keep the world in this file")


def run(args: Namespace, context: Context) -> int:
    """Serve until stopped."""
    import tempfile

    with tempfile.TemporaryDirectory(prefix="jjm-simulator-") as scratch:
        simulator = _open(args, scratch)
        try:
            return _serve(args, context, simulator)
        finally:
            simulator.close()


def _serve(args: Namespace, context: Context, simulator: Simulator) -> int:
    import socket

    import uvicorn

    from jules_job_manager.adapters.backends.simulator.rest_face import create_app
    from jules_job_manager.errors import InvalidInputError

    config = uvicorn.Config(
        create_app(simulator), log_level="error", access_log=False, lifespan="off",
        timeout_graceful_shutdown=3,
    )  # fmt: skip
    family = socket.AF_INET6 if ":" in args.host else socket.AF_INET
    try:
        listener = socket.create_server((args.host, args.port), family=family)
    except (OSError, OverflowError) as exc:
        raise InvalidInputError(
            f"Cannot listen on {args.host} port {args.port}: {exc}",
            hint="--port 0 takes a free port.",
        ) from exc
    host = f"[{args.host}]" if family == socket.AF_INET6 else args.host
    # The socket already listens, so whoever reads this line can connect at once.
    context.write(f"http://{host}:{listener.getsockname()[1]}/v1alpha")
    context.stdout.flush()
    try:
        uvicorn.Server(config).run(sockets=[listener])
    except KeyboardInterrupt:
        pass
    finally:
        listener.close()
    return 0


def _open(args: Namespace, scratch: str) -> Simulator:
    from pathlib import Path

    from jules_job_manager.adapters.backends.simulator.engine import Simulator
    from jules_job_manager.adapters.backends.simulator.scenario import load_scenario
    from jules_job_manager.adapters.system_clock import SystemClock
    from jules_job_manager.cli.simulator_world import world_repositories
    from jules_job_manager.errors import InvalidInputError

    if args.speed < 0:
        raise InvalidInputError("--speed must not be negative.")
    return Simulator.open(
        Path(args.state) if args.state else Path(scratch) / "world.db",
        scenario=load_scenario(Path(args.scenario) if args.scenario else None),
        seed=args.seed,
        speed=args.speed,
        repositories=world_repositories(args.repo),
        clock=SystemClock(),
    )
