"""Reviews of whole deliveries: eight at a time, the first failing evidence, and what we add.

Run `python benchmarks/reviews.py [--sandbox bubblewrap|host] [--seconds S]`. Each delivery has rules,
set-up, three checks and a suite of S seconds; the floor is the same commands run bare, one after the
other, in a checkout that is there already.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.review_lab import Lab

from jules_job_manager.adapters.sandboxes.bubblewrap import BubblewrapSandbox
from jules_job_manager.adapters.sandboxes.host import HostSandbox
from jules_job_manager.domain.review_plan import CommandCheck, ReviewPlan
from jules_job_manager.ports.sandbox import Sandbox

DELIVERIES = 8
AT_ONCE = 2
FILES = 400
"""Files of the repository: copied for each check, read by the rules."""


def commands(seconds: float) -> list[str]:
    """Return the checks: two short ones, and a suite that mostly waits, as tests do."""
    suite = f"python3 -c 'import time; end = time.time() + {seconds}; sum(range(2000000)); time.sleep(max(0, end - time.time()))'"
    return ["python3 -m compileall -q package", "test -f package/m1.py", suite]


def sandbox_of(kind: str, folder: Path) -> Sandbox:
    """Return the sandbox to run in."""
    if kind == "host":
        return HostSandbox(environment={"PATH": os.environ["PATH"]})
    return BubblewrapSandbox(path=os.environ["PATH"], home=folder)


async def bare(folder: Path, words: list[str]) -> None:
    """Run the commands as they are."""
    for command in words:
        process = await asyncio.create_subprocess_exec("/bin/sh", "-c", command, cwd=folder)
        assert await process.wait() == 0


async def measure(kind: str, seconds: float, folder: Path) -> None:
    """Print the figures of one sandbox."""
    checks = tuple(CommandCheck(command=command) for command in commands(seconds))
    lab = Lab(folder=folder, sandbox=sandbox_of(kind, folder), plan=ReviewPlan(checks=checks))
    module = '"""Module."""\n\n\ndef double(number: int) -> int:\n    """Return twice."""\n    return 2 * number\n'
    base = {f"package/m{n}.py": module for n in range(FILES)} | {
        "package/__init__.py": '"""P."""\n'
    }
    lab.commit("main", base)
    good = [
        lab.commit(f"good{n}", {f"package/new{n}.py": module.replace("double", f"new{n}")})
        for n in range(DELIVERIES)
    ]
    bad = lab.commit(
        "bad", {"package/wrong.py": '"""Wrong."""\n\nfrom package.missing import it\n\nprint(it)\n'}
    )
    await lab.review("good0", good[0])  # the mirror is made, caches are warm

    began = time.perf_counter()
    await bare(lab.work, commands(seconds))
    floor = time.perf_counter() - began
    began = time.perf_counter()
    await lab.review("good0", good[0])
    one = time.perf_counter() - began
    print(f"{kind}: one delivery {one:.2f} s, its commands bare {floor:.2f} s: {one / floor:.2f}")

    slots = asyncio.Semaphore(AT_ONCE)

    async def limited(number: int) -> str:
        async with slots:
            review = await lab.review(f"good{number}", good[number])
            return review.verdict.value

    began = time.perf_counter()
    verdicts = await asyncio.gather(*(limited(n) for n in range(DELIVERIES)))
    took = time.perf_counter() - began
    assert set(verdicts) == {"accept"}, verdicts
    print(
        f"{kind}: {DELIVERIES} deliveries, {AT_ONCE} at a time: {took:.2f} s; "
        f"bare, one after the other {DELIVERIES * floor:.2f} s: {took / (DELIVERIES * floor):.2f}"
    )

    first: list[float] = []
    began = time.perf_counter()
    lab.seen.clear()
    appended = lab.seen.append

    def tell(result: object) -> None:
        if getattr(result, "is_failed", False) and not first:
            first.append(time.perf_counter() - began)
        appended(result)  # type: ignore[arg-type]

    lab.seen = type("Told", (list,), {"append": lambda _, result: tell(result)})()
    review = await lab.review("bad", bad)
    whole = time.perf_counter() - began
    assert review.verdict.value == "reject"
    print(
        f"{kind}: first failing evidence after {first[0]:.2f} s of {whole:.2f} s: {first[0] / whole:.2f}"
    )


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sandbox", choices=("bubblewrap", "host"), default="bubblewrap")
    parser.add_argument("--seconds", type=float, default=10.0, help="length of the suite (10)")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(measure(args.sandbox, args.seconds, Path(folder)))


if __name__ == "__main__":
    main()
