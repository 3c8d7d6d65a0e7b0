"""Growth: how reading a store of 1,000,000 tasks compares with reading one of 1,000.

    python benchmarks/growth.py [--large 1000000] [--runs 15] [--only sqlite|postgresql]

On SQLite and on a private PostgreSQL (from the wheel the tests use, or JJM_TEST_DATABASE_URL):
`jjm list --cached` as a whole command, and each question alone, asked of an open store. The
failed tasks are few and the oldest, so a filter that had to look at everything would show.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from filling import FIRST_ID, fill
from jules_job_manager.adapters.storage.opening import open_store
from jules_job_manager.adapters.system_clock import SystemClock
from jules_job_manager.domain.task import JulesTask, TaskStatus
from jules_job_manager.ports.store import Store
from jules_job_manager.ports.task_store import TaskQuery
from measure import Command, compare

sys.path.insert(0, str(Path(__file__).parent.parent))
from tests.servers import postgresql

AIM = 1.5
SMALL = 1000


def questions(size: int) -> Mapping[str, Callable[[Store], Awaitable[object]]]:
    """Return what is asked of a store of that many tasks, by name."""
    middle = f"{FIRST_ID + size // 2}"

    async def deep(store: Store) -> object:
        moment = (await _found(store, middle)).to_dict()["updated_at"]
        return await store.tasks.list_tasks(TaskQuery(after=f"{moment}/{middle}"))

    def listed(**filters: object) -> Callable[[Store], Awaitable[object]]:
        return lambda store: store.tasks.list_tasks(TaskQuery(**filters))  # type: ignore[arg-type]

    return {
        "list": listed(),
        "list of one backend": listed(backend="simulator"),
        "list, a page from the middle": deep,
        "list of one repository": listed(backend="simulator", repository="octo/demo"),
        "list of the failed": listed(status=TaskStatus.FAILED),
        "list of the failed of one backend": listed(
            status=TaskStatus.FAILED, backend="simulator", limit=20
        ),
        "list with the archived": listed(backend="simulator", include_archived=True),
        "get": lambda store: store.tasks.get_task(middle),
        "ids by their beginning": lambda store: store.tasks.find_task_ids(middle[:-1], limit=20),
    }


async def _found(store: Store, task_id: str) -> JulesTask:
    task = await store.tasks.get_task(task_id)
    assert task is not None
    return task


async def ask(places: Mapping[int, Mapping[str, object]], runs: int) -> None:
    """Ask every question of both stores in turn, and print medians and their ratio."""
    stores = {size: await open_store(**place) for size, place in places.items()}  # type: ignore[arg-type]
    small, large = sorted(stores)
    print(f"{'asked of an open store':36} {small:>9} ms {large:>9} ms     ratio     aim")
    for name in questions(small):
        times: dict[int, list[float]] = {small: [], large: []}
        for run in range(runs + 1):
            for size, store in stores.items():
                start = time.perf_counter()
                await questions(size)[name](store)
                if run:  # the first is a warm-up
                    times[size].append(time.perf_counter() - start)
        low, high = (statistics.median(times[size]) * 1000 for size in (small, large))
        print(f"{name:36} {low:12.2f} {high:12.2f} {high / low:9.2f}  <= {AIM:g}")
    for store in stores.values():
        await store.aclose()


def whole_commands(places: Mapping[int, Mapping[str, object]], runs: int) -> None:
    """Time `jjm list --cached` on both stores."""
    commands = [
        Command(
            name=f"jjm list --cached at {size}", aim=AIM if size > SMALL else None,
            argv=[sys.executable, "-m", "jules_job_manager", "list", "--cached"],
            environment={
                "JJM_HOME": str(Path(str(place["data_path"])).parent), "JJM_BACKEND": "simulator",
                "JJM_STORAGE__BACKEND": str(place["kind"]), "DATABASE_URL": str(place["database_url"]),
            },
        )
        for size, place in sorted(places.items())
    ]  # fmt: skip
    compare(commands[0], commands[1:], runs=runs)


async def _filled(place: Mapping[str, object], size: int) -> None:
    store = await open_store(**place)  # type: ignore[arg-type]
    start = time.perf_counter()
    await fill(store, tasks=size)
    print(
        f"{place['kind']}: {size} tasks written in {time.perf_counter() - start:.0f} s", flush=True
    )
    await store.aclose()


async def _new_database(address: str, name: str) -> str:
    import asyncpg

    connection = await asyncpg.connect(address)
    await connection.execute(f"DROP DATABASE IF EXISTS {name}")
    await connection.execute(f"CREATE DATABASE {name}")
    await connection.close()
    return address.rpartition("/")[0] + f"/{name}"


@contextmanager
def addresses(kind: str, sizes: tuple[int, int]) -> Iterator[Mapping[int, str] | None]:
    """Yield the address of an empty database for each size; None when there is no server."""
    if kind == "sqlite":
        yield dict.fromkeys(sizes, "")
        return
    with postgresql() as server:
        if server is None:
            yield None
        else:
            yield {n: asyncio.run(_new_database(server, f"jjm_growth_{n}")) for n in sizes}


def measure(kind: str, scratch: Path, large: int, runs: int) -> None:
    """Fill a small and a large store of one kind and print both tables."""
    with addresses(kind, (SMALL, large)) as urls:
        if urls is None:
            print(f"{kind}: left out, there is no server")
            return
        places: dict[int, Mapping[str, object]] = {}
        for size, url in urls.items():
            path = scratch / f"{kind}-{size}" / "jjm.db"
            places[size] = {
                "kind": kind, "data_path": path, "database_url": url, "fallback": "error",
                "clock": SystemClock(),
            }  # fmt: skip
            path.parent.mkdir()
            asyncio.run(_filled(places[size], size))
        asyncio.run(ask(places, runs))
        whole_commands(places, runs)


def main() -> None:
    """Measure both databases."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--large", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=15)
    parser.add_argument("--only", choices=("sqlite", "postgresql"))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        for kind in ("sqlite", "postgresql") if options.only is None else (options.only,):
            measure(kind, Path(scratch), options.large, options.runs)


if __name__ == "__main__":
    main()
