"""Kill test: real processes ended by `kill -9` at random moments while they work through a queue.

    python benchmarks/kill.py [--jobs 100] [--kills 200] [--seed 1] [--pause 2.0]
    python benchmarks/kill.py --workers 3 --database private [--jobs 100] [--kills 1]

With one worker `jjm queue run` is killed and started again, on SQLite. With several, `jjm worker`s
share one PostgreSQL (`private` starts one from the wheel the tests use); the first that is killed is
the leader, for good, and how long the others take to go on with its work is measured; the others
are killed at random and started again. Jules is `jjm simulator serve`. At the end Jules, git and the
store are asked whether anything was lost or doubled; the exit code is 1 when something was.
"""

from __future__ import annotations

import argparse
import contextlib
import random
import shutil
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))
from tests.kill_evidence import examine
from tests.kill_hunt import hunt_one, hunt_several
from tests.kill_world import World
from tests.servers import private_postgresql


def main() -> int:
    """Run it and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--jobs", type=int, default=100)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--pause", type=float, default=2.0, help="mean seconds between two kills")
    parser.add_argument("--at-once", type=int, default=20, help="most tasks at work at once")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--database", default="", help="postgresql address, or: private")
    parser.add_argument("--keep", action="store_true", help="keep the folder")
    given = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="jjm-kill-"))
    with contextlib.ExitStack() as stack:
        database = given.database
        if database == "private":
            server = stack.enter_context(private_postgresql())
            if server is None:
                sys.exit("There are no binaries of PostgreSQL.")
            database = server.address
        world = World(folder, jobs=given.jobs, database=database, at_once=given.at_once)
        stack.enter_context(world.jules())
        world.import_backlog()
        started, chance = time.monotonic(), random.Random(given.seed)
        hunt = hunt_one if given.workers == 1 else hunt_several
        told = hunt(world, chance, kills=given.kills, pause=given.pause, workers=given.workers)
        told["seconds in all"] = f"{time.monotonic() - started:.0f}"
        findings = examine(world)
    for name, figure in {**told, **findings.figures}.items():
        print(f"{name:52} {figure}")
    for line in findings.wrong:
        print(f"WRONG  {line}")
    if given.keep or findings.wrong:
        print(f"kept: {folder}")
    else:
        shutil.rmtree(folder, ignore_errors=True)
    return 1 if findings.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
