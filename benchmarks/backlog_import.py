"""Import of a large backlog: reading the document, and the whole command.

    python benchmarks/backlog_import.py [--jobs 10000]

The floor is markdown-it-py parsing the same text, which any reader of Markdown must do.
"""

from __future__ import annotations

import argparse
import time

from markdown_it import MarkdownIt

from jules_job_manager.adapters.documents.markdown import MarkdownBacklogDocuments


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


def timed(work) -> tuple[float, object]:
    """Return the seconds that `work` took, and what it returned."""
    start = time.perf_counter()
    result = work()
    return time.perf_counter() - start, result


def main() -> None:
    """Time both sizes and print ratios."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--jobs", type=int, default=10_000)
    options = parser.parse_args()
    print("jobs     markdown-it s   read s   x floor   jobs/s")
    for count in (options.jobs // 10, options.jobs):
        text = document(count)
        floor, _ = timed(lambda text=text: MarkdownIt("commonmark").parse(text))
        seconds, backlog = timed(lambda text=text: MarkdownBacklogDocuments().read(text.encode()))
        assert len(backlog.jobs) == count
        print(
            f"{count:<8} {floor:13.2f} {seconds:8.2f} {seconds / floor:9.2f} {count / seconds:8.0f}"
        )


if __name__ == "__main__":
    main()
