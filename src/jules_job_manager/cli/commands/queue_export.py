"""Write the queue as a document or as JSON.

For a backlog, Markdown is its own document with status, dates and notes put in: byte for byte
the same file when nothing changed. For one job, or with no document left, it is written anew.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Sequence

    from jules_job_manager.bootstrap import App
    from jules_job_manager.cli.context import Context
    from jules_job_manager.domain.job import Job


_NONE = "none"
"""Names the jobs that are in no document."""


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "what",
        metavar="KEY_OR_FILE",
        nargs="?",
        help="a job's key, a backlog's file or name, or 'none': jobs in no document (the only backlog)",
    )
    parser.add_argument(
        "--format", choices=("markdown", "json"), default="markdown", help="(markdown)"
    )
    parser.add_argument("--output", "-o", metavar="FILE", help="write there instead of to stdout")
    parser.add_argument("--force", action="store_true", help="replace a file that is there")


def run(args: Namespace, context: Context) -> int:
    """Export the queue."""
    content = context.run(lambda app: _content(app, args, is_here=not context.server))
    if args.output:
        _write_file(args.output, content, replace=args.force)
        context.note(f"Wrote {args.output}.")
        return 0
    context.stdout.flush()
    raw = getattr(context.stdout, "buffer", None)
    if raw is None:
        context.stdout.write(content.decode("utf-8", "replace"))
    else:
        raw.write(content)
        raw.flush()
    return 0


async def _content(app: App, args: Namespace, *, is_here: bool) -> bytes:
    import json

    from jules_job_manager.services.backlog_text import jobs_as_markdown
    from jules_job_manager.services.uploaded_backlogs import is_uploaded

    every = await app.store.jobs.list_jobs()
    jobs, path = _chosen(every, args.what, needs_document=args.format == "markdown")
    if args.format == "json":
        return (json.dumps([job.to_dict() for job in jobs], indent=2) + "\n").encode()
    if is_here and is_uploaded(path):
        return (await app.uploaded_backlogs.exported(path)).encode()
    if path:
        return await app.backlogs.exported(path)
    return jobs_as_markdown(jobs).encode()


def _chosen(
    jobs: Sequence[Job], what: str | None, *, needs_document: bool
) -> tuple[Sequence[Job], str]:
    """Return the jobs meant, and the document to write them with (empty: write a new one)."""
    from jules_job_manager.domain.job_keys import find_job
    from jules_job_manager.errors import InvalidInputError

    paths = list(dict.fromkeys(job.backlog for job in jobs))
    if what is not None:
        path = _named(paths, [job.key for job in jobs], what)
        if path is not None:
            return [job for job in jobs if job.backlog == path], path
        return [find_job(jobs, what)], ""
    if needs_document and len(paths) > 1:
        raise InvalidInputError(
            "The queue has jobs of several backlogs.",
            hint=f"Name one of {', '.join(path or _NONE for path in paths)}, or use --format json.",
        )
    return jobs, paths[0] if paths else ""


def _named(paths: Sequence[str], keys: Sequence[str], what: str) -> str | None:
    """Return the backlog that is meant: its name or file, or else the end of it; None: a job is."""
    from pathlib import Path

    from jules_job_manager.domain.job_keys import matching_key
    from jules_job_manager.services.uploaded_backlogs import PREFIX

    file = str(Path(what).expanduser().resolve())
    for name in (what, file, PREFIX + file):
        if name and name in paths:
            return name
    if matching_key(keys, what) is not None:
        return None
    if what == _NONE and "" in paths:
        return ""
    ends = [path for path in paths if path and Path(path.removeprefix(PREFIX)).name == what]
    return ends[0] if len(ends) == 1 else None


def _write_file(name: str, content: bytes, *, replace: bool) -> None:
    from pathlib import Path

    from jules_job_manager.errors import InvalidInputError

    try:
        with Path(name).open("wb" if replace else "xb") as file:
            file.write(content)
    except FileExistsError:
        raise InvalidInputError(
            f"{name} is there already.", hint="Choose another file, or replace it with --force."
        ) from None
    except OSError as exc:
        raise InvalidInputError(
            f"{name} cannot be written: {exc.strerror}.", hint="Choose another file with --output."
        ) from exc
