"""See the main job done: a backlog becomes merged, checked code.

In a temporary folder, with no key and no server: a small git repository and a backlog are made,
the backlog is worked through by the pretend Jules, which really commits and pushes. It is the
same program as `jjm queue run`; only the Jules is pretended.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from pathlib import Path

    from jules_job_manager.cli.context import Context

REPOSITORY = "octo/atlas"
CHECK = "python3 -m unittest discover -s tests -t ."


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--keep", metavar="DIR", help="work in this new folder and leave it there")
    parser.add_argument("--speed", type=float, default=40.0, help="how much faster than told (40)")


def run(args: Namespace, context: Context) -> int:
    """Run the demo."""
    import tempfile
    from pathlib import Path

    from jules_job_manager.errors import InvalidInputError

    if args.speed <= 0:
        raise InvalidInputError("--speed must be above 0.")
    if args.keep:
        folder = Path(args.keep)
        if folder.exists() and any(folder.iterdir()):
            raise InvalidInputError(
                f"{folder} is not empty.", hint="Name a new folder with --keep."
            )
        folder.mkdir(parents=True, exist_ok=True)
        return _demo(context, folder.resolve(), args.speed)
    with tempfile.TemporaryDirectory(prefix="jjm-demo-") as name:
        return _demo(context, Path(name), args.speed)


def _demo(context: Context, folder: Path, speed: float) -> int:
    from importlib import resources

    from jules_job_manager.cli.exit_codes import OK, PENDING

    example = resources.files("jules_job_manager.example")
    before = example.joinpath("backlog.md").read_text(encoding="utf-8")
    backlog = folder / "backlog.md"
    backlog.write_text(before, encoding="utf-8")
    scenario = folder / "scenario.toml"
    scenario.write_text(
        example.joinpath("scenario.toml").read_text(encoding="utf-8"), encoding="utf-8"
    )
    _say(
        context,
        "1. A repository with one commit, and a backlog of five jobs (one is still a draft)",
    )
    origin = _make_repository(folder)
    own = _own_context(context, folder, scenario, speed)
    _command(own, ["queue", "import", str(backlog), "--repo", REPOSITORY])
    _say(context, "2. The queue, worked through on the pretend Jules")
    code = _command(
        own,
        ["queue", "run", "--remote", f"{REPOSITORY}={origin}", "--check", CHECK, "--approve", "policy",
         "--answer", "Yes, English and German.", "--interval", "0.2"],
    )  # fmt: skip
    _say(context, "3. What stands where now")
    _command(own, ["queue", "list"])
    _say(context, "4. What was merged")
    context.write(_git(origin, "log", "--oneline", "--graph", "main"))
    _say(context, "5. What changed in the backlog file")
    _print_changes(context, before, backlog.read_text(encoding="utf-8"))
    _say(context, "What you saw")
    context.write(
        "Task 2 said it was complete while its module did not exist. It was sent back to the same"
    )
    context.write(
        "task, and merged only when the checks passed. Task 4 waits for you: it says DROP TABLE."
    )
    context.write("Try next: jjm config init, jjm doctor, jjm queue import YOUR-BACKLOG.md")
    # The demo ends as it should when one job waits for a person.
    return OK if code == PENDING else 1


def _own_context(context: Context, folder: Path, scenario: Path, speed: float) -> Context:
    from jules_job_manager.cli.context import Context

    kept = {
        name: context.environ[name]
        for name in ("PATH", "HOME", "LANG", "TERM", "NO_COLOR")
        if name in context.environ
    }
    environ = {
        **kept,
        "JJM_HOME": str(folder / "home"),
        "JJM_BACKEND": "simulator",
        "JJM_SIMULATOR__SPEED": str(speed),
        "JJM_SIMULATOR__SCENARIO": str(scenario),
    }
    own = Context(
        environ=environ, stdin=context.stdin, stdout=context.stdout, stderr=context.stderr
    )
    own.preset = {"queue.approve_refuse_words": ["DROP TABLE", "rm -rf"]}
    return own


def _command(own: Context, words: list[str]) -> int:
    """Run another command of this program, as a user would type it."""
    from importlib import import_module

    from jules_job_manager.cli import table
    from jules_job_manager.cli.dispatch import command_parser

    found = table.find(words)
    assert found is not None
    module_name, names, taken = found
    module = import_module(f"jules_job_manager.cli.commands.{module_name}")
    own.write(f"$ jjm {' '.join(words)}")
    own.stdout.flush()
    code: int = module.run(command_parser(module, " ".join(names)).parse_args(words[taken:]), own)
    own.stdout.flush()
    return code


def _make_repository(folder: Path) -> Path:
    seed = folder / "seed"
    for name, text in {
        "README.md": "# Atlas\n\nConstruction project management.\n",
        "atlas/__init__.py": '"""Atlas."""\n',
        "tests/__init__.py": "",
    }.items():
        path = seed / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    _git(seed, "init", "-q", "-b", "main")
    _git(seed, "add", "--all")
    _git(seed, "commit", "-q", "-m", "Begin")
    origin = folder / "origin.git"
    _git(folder, "clone", "-q", "--bare", str(seed), str(origin))
    return origin


def _git(folder: Path, *arguments: str) -> str:
    import os
    import subprocess

    from jules_job_manager.errors import ForgeError

    person = {"NAME": "Demo", "EMAIL": "demo@example.com"}
    names = {f"GIT_{role}_{k}": v for role in ("AUTHOR", "COMMITTER") for k, v in person.items()}
    environment = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")} | names
    try:
        done = subprocess.run(
            ["git", *arguments],
            cwd=folder,
            env=environment,
            check=True,
            capture_output=True,
            text=True,
        )
    except FileNotFoundError as exc:
        raise ForgeError("git is not installed.", hint="The demo needs git 2.38 or newer.") from exc
    except subprocess.CalledProcessError as exc:
        raise ForgeError(f"git {arguments[0]} failed: {exc.stderr.strip()}") from exc
    return done.stdout.rstrip()


def _print_changes(context: Context, before: str, after: str) -> None:
    from difflib import unified_diff

    for line in unified_diff(
        before.splitlines(), after.splitlines(), "before", "after", n=0, lineterm=""
    ):
        if not line.startswith("@@"):
            context.write(line)


def _say(context: Context, text: str) -> None:
    if context.is_terminal:
        from rich.text import Text

        from jules_job_manager.cli.output import console

        console(context).print(Text(f"\n{text}", style="bold"))
    else:
        context.write(f"\n{text}")
    context.stdout.flush()
