"""Import of a large backlog: reading the document, and the whole command.

    python benchmarks/backlog_import.py [--jobs 10000]

The floor is markdown-it-py parsing the same text whole, inline text included, as a program does
that reads Markdown by the book; the second floor is its blocks alone, which is the part that our
reader uses too. Neither knows of jobs, labels, dependencies or prompts.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import statistics
import tempfile
import time
from pathlib import Path

from markdown_it import MarkdownIt

from jules_job_manager.adapters.documents.markdown import MarkdownBacklogDocuments
from jules_job_manager.adapters.storage.opening import open_sqlite
from jules_job_manager.adapters.system_clock import SystemClock
from jules_job_manager.services.backlogs import BacklogService


def document(jobs: int) -> str:
    """Return a task-queue document with `jobs` jobs, each depending on the one before."""
    parts = ["# Jules Task Queue\n\n## CRITICAL PRIORITY\n"]
    for number in range(1, jobs + 1):
        needs = "None" if number == 1 else f"Task {number - 1}"
        parts.append(
            f"\n### Task {number}: Piece number {number}\n**Status**: 📋 Ready for Jules\n"
            f"**Estimated Time**: 1 day\n**Dependencies**: {needs}\n**GitHub Branch**: `piece-{number}`\n\n"
            f"**Prompt for Jules**:\n```\nWrite piece {number}.\n\nFILES TO CREATE/MODIFY:\n"
            f"- pieces/piece_{number}.py (NEW)\n```\n\n**Validation Checklist**:\n- [ ] Piece {number} exists\n\n---\n"
        )
    return "".join(parts)


def timed(work, runs: int) -> tuple[float, object]:
    """Return the median seconds of `runs` runs of `work`, and what the last returned."""
    times, result = [], None
    for _ in range(runs):
        result = None
        gc.collect()
        start = time.perf_counter()
        result = work()
        times.append(time.perf_counter() - start)
    return statistics.median(times), result


def blocks_only() -> MarkdownIt:
    """Return a parser of blocks, as our reader sets one up."""
    parser = MarkdownIt("commonmark").enable("table")
    parser.core.ruler.enableOnly(["normalize", "block"])
    return parser


def imported(content: bytes) -> int:
    """Import the document into a new SQLite store, as `jjm queue import` does."""

    async def work() -> int:
        with tempfile.TemporaryDirectory() as folder:
            store = await open_sqlite(Path(folder) / "jjm.db")
            try:
                service = BacklogService(
                    documents=MarkdownBacklogDocuments(), jobs=store.jobs, clock=SystemClock()
                )
                report = await service.import_backlog(path="/backlog.md", content=content)
                return len(report.jobs)
            finally:
                await store.aclose()

    return asyncio.run(work())


def main() -> None:
    """Time both sizes and print ratios."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--jobs", type=int, default=10_000)
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    print("jobs     whole parse s  blocks s  read s  x whole  x blocks  import s  x whole")
    for count in (options.jobs // 10, options.jobs):
        text = document(count)
        content = text.encode()
        whole_parser = MarkdownIt("commonmark").enable("table")
        whole, _ = timed(lambda p=whole_parser, t=text: p.parse(t), options.runs)
        blocks, _ = timed(lambda t=text: blocks_only().parse(t), options.runs)
        read, backlog = timed(lambda c=content: MarkdownBacklogDocuments().read(c), options.runs)
        assert len(backlog.jobs) == count
        full, jobs = timed(lambda c=content: imported(c), options.runs)
        assert jobs == count
        print(
            f"{count:<8} {whole:13.2f} {blocks:9.2f} {read:7.2f} {read / whole:8.2f}"
            f" {read / blocks:9.2f} {full:9.2f} {full / whole:8.2f}"
        )


if __name__ == "__main__":
    main()
