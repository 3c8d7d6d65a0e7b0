"""See the main job done: a backlog becomes merged, checked code.

In a temporary folder, with no key and no server: a small git repository and a backlog are made,
the backlog is worked through by the pretend Jules, which really commits and pushes. It is the
same program as `jjm queue run`; only the Jules is pretended.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Sequence
    from pathlib import Path

    from jules_job_manager.cli.context import Context

REPOSITORY = "octo/atlas"
CHECK = "python3 -m unittest discover -s tests -t ."

_END = ("done", "done", "done", "needs_you", "draft")
"""How the five jobs stand when all went as told."""
_WIDTH = 78
_STYLES = {"-": "red", "+": "green"}
_WHAT_YOU_SAW = (
    "- Task 2 said it was complete while a file it promised did not exist, a function",
    "  answered with made-up data, and a test was switched off. Each was named with",
    "  its line in a message to the same task; it was merged when every check passed.",
    "- Task 3 started when Task 2 was merged; its question was answered for you.",
    "- Task 4 waits for you: its plan says DROP TABLE, and a rule leaves such plans",
    "  to a person.",
    "- 'Tests pass' is ticked in the backlog because a check proved it; nothing else",
    "  is.",
)
_SEED_TEST = """import unittest

import atlas


class PackageTest(unittest.TestCase):
    def test_it_says_what_it_is(self) -> None:
        self.assertEqual("Atlas.", atlas.__doc__)
"""
_NEXT = (
    "Now with your own work:",
    "  jjm config init      write a commented configuration",
    "  jjm doctor           check the set-up, and how Jules is reached",
    "  jjm queue import YOUR-BACKLOG.md --repo OWNER/NAME",
    "  jjm queue run --remote OWNER/NAME=GIT-URL --check 'make test'",
)


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
        code = _demo(context, folder.resolve(), args.speed)
        _say(context, "What to try next")
        _say_how_to_go_on(context, folder.resolve(), args.speed)
    else:
        with tempfile.TemporaryDirectory(prefix="jjm-demo-") as name:
            code = _demo(context, Path(name).resolve(), args.speed)
        _say(context, "What to try next")
        context.write("  jjm demo --keep DIR  the same again, left in DIR for you to go on with")
    _write_lines(context, ("", *_NEXT))
    return code


def _demo(context: Context, folder: Path, speed: float) -> int:
    from importlib import resources

    from jules_job_manager.cli.exit_codes import CANCELLED, FAILED, OK
    from jules_job_manager.cli.queue_jobs import read_jobs

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
    _command(
        own,
        ["queue", "run", "--remote", f"{REPOSITORY}={origin}", "--check", CHECK, "--approve", "policy",
         "--answer", "Yes, English and German.", "--interval", "0.2", "--no-input"],
    )  # fmt: skip
    if own.was_stopped:
        return CANCELLED
    _say(context, "3. What stands where now")
    _command(own, ["queue", "list"])
    _say(context, "4. What was merged")
    context.write(_git(origin, "log", "--oneline", "--graph", "main"))
    _say(context, "5. What changed in the backlog file")
    _print_changes(context, before, backlog.read_text(encoding="utf-8"))
    if tuple(job.status.value for job in read_jobs(own)) != _END:
        _say(context, "The demo did not come to its end.")
        context.write("Run it again; if nobody stopped it, `jjm demo --debug` tells more.")
        return FAILED
    _say(context, "What you saw")
    _write_lines(context, _WHAT_YOU_SAW)
    return OK


def _say_how_to_go_on(context: Context, folder: Path, speed: float) -> None:
    import shlex

    home, scenario, origin = (
        shlex.quote(str(folder / name)) for name in ("home", "scenario.toml", "origin.git")
    )
    lines = (
        f"Everything is still in {folder}. Decide about the plan of Task 4 yourself:",
        f"  export JJM_HOME={home} JJM_BACKEND=simulator JJM_REVIEW__SANDBOX=host",
        f"  export JJM_SIMULATOR__SPEED={speed:g} JJM_SIMULATOR__SCENARIO={scenario}",
        "  jjm plan TASK        TASK is the number that stands beside Task 4 above",
        "  jjm approve TASK",
        f"  jjm queue run --remote {REPOSITORY}={origin} --check '{CHECK}'",
    )
    _write_lines(context, lines)


def _write_lines(context: Context, lines: Sequence[str]) -> None:
    for line in lines:
        context.write(line)


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
    # The code that the demo's checks run is our own, and every machine can run it.
    own.preset = {"queue.approve_refuse_words": ["DROP TABLE", "rm -rf"], "review.sandbox": "host"}
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
    _write_lines(own, _wrapped(words).splitlines())
    own.stdout.flush()
    code: int = module.run(command_parser(module, " ".join(names)).parse_args(words[taken:]), own)
    own.stdout.flush()
    return code


def _wrapped(words: Sequence[str]) -> str:
    """Return a command over several lines, to be pasted as it stands; options keep their values."""
    import shlex

    parts = ["jjm"]
    for word in map(shlex.quote, words):
        if word.startswith("--") or not parts[-1].startswith("--"):
            parts.append(word)
        else:
            parts[-1] += f" {word}"
    lines = [""]
    for part in parts:
        if lines[-1] and len(lines[-1]) + 1 + len(part) > _WIDTH - 6:
            lines.append(part)
        else:
            lines[-1] = f"{lines[-1]} {part}".strip()
    return "$ " + " \\\n    ".join(lines)


def _make_repository(folder: Path) -> Path:
    seed = folder / "seed"
    for name, text in {
        "README.md": "# Atlas\n\nConstruction project management.\n",
        "atlas/__init__.py": '"""Atlas."""\n',
        "tests/__init__.py": "",
        "tests/test_package.py": _SEED_TEST,
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

    changes = unified_diff(
        before.splitlines(), after.splitlines(), "before", "after", n=0, lineterm=""
    )
    for line in changes:
        if not line.startswith("@@"):
            _print_line(context, line, _STYLES.get(line[:1], "") if line[:3].strip("+-") else "")


def _say(context: Context, text: str) -> None:
    _print_line(context, f"\n{text}", "bold")
    context.stdout.flush()


def _print_line(context: Context, line: str, style: str) -> None:
    if context.is_terminal and style:
        from rich.text import Text

        from jules_job_manager.cli.output import console

        console(context).print(Text(line, style=style))
    else:
        _write_lines(context, line.split("\n"))
