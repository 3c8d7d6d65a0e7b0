"""Draw what waits for what: as text, or for Mermaid, Graphviz (dot) or a program (JSON)."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Iterator, Sequence

    from jules_job_manager.cli.context import Context
    from jules_job_manager.domain.job import Job


_LEAST_TITLE = 16
_MERMAID_ACTS_ON = frozenset("\"'<>&#;`\\*_[]{}()|")


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "--format",
        choices=("text", "mermaid", "dot", "json"),
        default="text",
        help="how to draw (text)",
    )


def run(args: Namespace, context: Context) -> int:
    """Print the graph."""
    from jules_job_manager.cli import output
    from jules_job_manager.cli.queue_jobs import NO_JOBS, read_jobs

    jobs = read_jobs(context)
    if args.format == "json":
        output.print_json(context, _as_json(jobs))
        return 0
    if not jobs:
        context.note(NO_JOBS)
        return 0
    if args.format == "text":
        lines = _as_text(jobs, _room(context))
    else:
        lines = {"mermaid": _as_mermaid, "dot": _as_dot}[args.format](jobs)
    for line in lines:
        context.write(line)
    return 0


def _room(context: Context) -> int | None:
    """Return the columns of the terminal, or None when the output is not one."""
    import shutil

    return shutil.get_terminal_size().columns if context.is_terminal else None


def _as_json(jobs: Sequence[Job]) -> dict[str, object]:
    from jules_job_manager.domain.graph import dependencies_of, layers

    names = ("key", "title", "priority", "status", "reason")
    return {
        "nodes": [{name: job.to_dict()[name] for name in names} for job in jobs],
        "edges": [{"from": needed, "to": job.key} for job in jobs for needed in job.depends_on],
        "layers": [list(row) for row in layers(dependencies_of(jobs))],
    }


def _as_text(jobs: Sequence[Job], room: int | None = None) -> Iterator[str]:
    """Yield the steps; with `room` (columns) a title gives way to what the job waits for."""
    from jules_job_manager.domain.graph import dependencies_of, layers
    from jules_job_manager.domain.text import safe_text, shorten

    by_key = {job.key: job for job in jobs}
    for number, row in enumerate(layers(dependencies_of(jobs)), start=1):
        yield f"Step {number}"
        for key in row:
            job = by_key[key]
            after = f"  ← {', '.join(job.depends_on)}" if job.depends_on else ""
            before = f"  {key}  [{job.status.value}]  "
            title = job.title
            if room is not None:
                title = shorten(title, max(_LEAST_TITLE, room - len(before) - len(after)))
            yield safe_text(f"{before}{title}{after}")


def _as_mermaid(jobs: Sequence[Job]) -> Iterator[str]:
    yield "graph TD"
    number = {job.key: index for index, job in enumerate(jobs)}
    for job in jobs:
        yield f'  j{number[job.key]}["{_mermaid(job.key)}: {_mermaid(job.title)}<br/>{job.status.value}"]'
    for job in jobs:
        for needed in job.depends_on:
            if needed in number:
                yield f"  j{number[needed]} --> j{number[job.key]}"


def _mermaid(text: str) -> str:
    """Return `text` for a quoted label: what Mermaid or HTML would act on becomes `#code;`."""
    from jules_job_manager.domain.text import safe_text

    return "".join(f"#{ord(c)};" if c in _MERMAID_ACTS_ON else c for c in safe_text(text))


def _as_dot(jobs: Sequence[Job]) -> Iterator[str]:
    yield "digraph backlog {"
    yield "  node [shape=box];"
    for job in jobs:
        yield f"  {_dot(job.key)} [label={_dot(f'{job.key}: {job.title} [{job.status.value}]')}];"
    for job in jobs:
        for needed in job.depends_on:
            yield f"  {_dot(needed)} -> {_dot(job.key)};"
    yield "}"


def _dot(text: str) -> str:
    from jules_job_manager.domain.text import safe_text

    quoted = safe_text(text).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{quoted}"'
