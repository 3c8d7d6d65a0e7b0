"""Bring back the work of a task that failed, was deleted or cancelled, or has no branch.

The last patch that was kept of it becomes a new local branch of your own clone, on the commit it
was made on. When the clone has no such commit, the patch is merged into the clone's base branch.
Your working tree, index, hooks and filters are left alone, no branch is ever moved, and Jules is
not asked.

Exit code 1 when the work does not fit: the patch is then saved, and the files are named.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from pathlib import Path

    from jules_job_manager.bootstrap import App
    from jules_job_manager.cli.context import Context
    from jules_job_manager.ports.clone import Rebuilt
    from jules_job_manager.services.recovery import LostWork


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "key", metavar="JOB", nargs="?", help="the job's key; its newest task with work is taken"
    )
    parser.add_argument("--task", metavar="TASK_ID", help="this task; without JOB, any task")
    parser.add_argument("--branch", metavar="NAME", help="name of the new branch (recovered/…)")
    parser.add_argument("--repo-path", metavar="DIR", default=".", help="your clone (here)")
    parser.add_argument(
        "--patch-to", metavar="FILE", help="also save the patch, in a file that does not exist yet"
    )
    parser.add_argument("--dry-run", action="store_true", help="try it, make no branch")


def run(args: Namespace, context: Context) -> int:
    """Rebuild the work as a branch."""
    from pathlib import Path

    from jules_job_manager.errors import InvalidInputError

    if not args.key and not args.task:
        raise InvalidInputError(
            "Say whose work is wanted: a job, or a task with --task.",
            hint="`jjm queue list` shows the jobs, `jjm list` the tasks.",
        )
    if args.patch_to and Path(args.patch_to).exists():
        raise InvalidInputError(f"{args.patch_to} is there already, and it is not overwritten.")

    clone = Path(args.repo_path).expanduser()

    async def work(app: App) -> tuple[LostWork, Rebuilt, bool]:
        from jules_job_manager.bootstrap.upkeep import recovery_of
        from jules_job_manager.domain.job_keys import find_job

        recovery = recovery_of(app, clone)
        if args.key:
            job = find_job(await app.store.jobs.list_jobs(), args.key)
            lost = await recovery.of_job(job, args.task)
        else:
            lost = await recovery.of_task(args.task)
        address = context.settings().remotes.get(lost.repository, "")
        fits = await recovery.is_of_clone(lost, address)
        return lost, await recovery.rebuild(lost, branch=args.branch, dry_run=args.dry_run), fits

    lost, rebuilt, fits = context.run(work)
    if not fits:
        context.note(f"warning: no remote of {args.repo_path} is {lost.repository}.")
    if lost.others:
        context.note(f"Also kept: {', '.join(lost.others)}; take one of them with --task.")
    saved = Path(args.patch_to) if args.patch_to else None
    if not rebuilt.commit and not rebuilt.nothing_new and saved is None and not args.dry_run:
        saved = _free_file(context.settings().home / "recovered", lost.task_id)
    if saved is not None and not args.dry_run:
        _save(saved, lost.change_set.unidiff_patch)
        context.note(f"The patch is saved as {saved}.")
    return _tell(context, args, lost, rebuilt)


def _tell(context: Context, args: Namespace, lost: LostWork, rebuilt: Rebuilt) -> int:
    """Say what came of it; return the exit code."""
    from jules_job_manager.cli.exit_codes import FAILED, OK
    from jules_job_manager.domain.text import safe_text

    base = lost.change_set.base_commit_id[:12] or "(unknown)"
    place = rebuilt.onto[:12] if rebuilt.on_own_base else _short(rebuilt.onto)
    if not rebuilt.on_own_base:
        context.note(f"The clone has no commit {base}, so the patch was merged into {place}.")
    if rebuilt.nothing_new:
        context.write(safe_text(f"{place} holds all the work of task {lost.task_id} already."))
        return OK
    if not rebuilt.commit:
        why = (
            f"conflicts in {', '.join(rebuilt.conflicts)}" if rebuilt.conflicts else rebuilt.problem
        )
        context.note(f"error: The work of task {lost.task_id} does not fit on {place}: {why}.")
        context.note(
            "hint: In your clone, `git fetch` may bring its base commit; then try again."
            if not rebuilt.on_own_base
            else "hint: The patch may be damaged; look at it in the saved file."
        )
        return FAILED
    branch = args.branch or lost.branch
    if args.dry_run:
        context.write(safe_text(f"Would make branch {branch} on {place} from task {lost.task_id}."))
        return OK
    context.write(safe_text(f"Branch {branch} holds the work of task {lost.task_id}, on {place}."))
    return OK


def _short(ref: str) -> str:
    return ref.removeprefix("refs/remotes/").removeprefix("refs/heads/")


def _free_file(folder: Path, task_id: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    names = (f"{task_id}{'' if n == 1 else f'-{n}'}.patch" for n in range(1, 1000))
    return next(folder / name for name in names if not (folder / name).exists())


def _save(path: Path, patch: str) -> None:
    from jules_job_manager.errors import InvalidInputError

    try:
        with path.open("xb") as stream:
            stream.write(patch.encode("utf-8", "surrogateescape"))
    except OSError as exc:
        raise InvalidInputError(f"{path} cannot be written: {exc.strerror}.") from exc
