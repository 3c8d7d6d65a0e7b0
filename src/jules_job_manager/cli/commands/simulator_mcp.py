"""Serve the pretend Jules as the Node MCP server google-jules-mcp does, on stdin and stdout.

It gives the same tools, texts and errors, and keeps its world where the in-process simulator
does. Use it as the server of the mcp backend:
JJM_BACKEND=mcp JJM_MCP_SERVER__COMMAND="jjm simulator mcp"
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from jules_job_manager.cli.context import Context


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--seed", type=int, help="seed of ids and words (simulator.seed)")
    parser.add_argument(
        "--speed", type=float, help="how many times faster than told (simulator.speed)"
    )
    parser.add_argument("--scenario", metavar="FILE", help="scenario file (simulator.scenario)")
    parser.add_argument(
        "--repo", action="append", default=[], metavar="OWNER/NAME=PATH",
        help="git repository to work on; repeatable; none: [remotes], else a sample",
    )  # fmt: skip
    parser.add_argument("--state", metavar="FILE", help="keep the world here (simulator.state)")


def run(args: Namespace, context: Context) -> int:
    """Serve until stdin ends or SIGTERM comes."""
    import asyncio
    from dataclasses import replace
    from pathlib import Path

    from jules_job_manager.adapters.backends.simulator.mcp_face.run import run as serve
    from jules_job_manager.adapters.system_clock import SystemClock
    from jules_job_manager.bootstrap import open_simulator
    from jules_job_manager.cli.simulator_world import world_repositories

    names = ("seed", "speed", "scenario", "state")
    settings = context.settings({f"simulator.{name}": getattr(args, name) for name in names})
    if args.repo:
        settings = replace(settings, remotes=world_repositories(args.repo))
    simulator = open_simulator(settings, SystemClock())
    given = context.environ.get("JULES_DATA_PATH")
    data_path = Path(given).expanduser() if given else settings.home / "mcp_data.json"
    try:
        asyncio.run(serve(simulator, data_path, context.environ))
    finally:
        simulator.close()
    return 0
