"""Finds the command, parses its arguments, runs it, and turns errors into exit codes."""

from __future__ import annotations

import os
import sys
from importlib import import_module

from jules_job_manager.cli import exit_codes, table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser
    from types import ModuleType

_DESCRIPTION = "Turn a backlog into merged, verified work done by Google Jules."


def dispatch(arguments: list[str]) -> int:
    """Run what `arguments` ask for and return the exit code."""
    if "_ARGCOMPLETE" in os.environ:
        _complete()
    config, debug, words = _global_options(arguments)
    try:
        return _run(words, config, debug=debug)
    except SystemExit as exc:
        return _usage_code(exc.code)
    except BrokenPipeError:
        exit_codes.silence_broken_pipe()
        return exit_codes.OK
    except (Exception, KeyboardInterrupt) as exc:  # noqa: BLE001 - the one place that maps errors
        return exit_codes.report(exc, sys.stderr, debug=debug)


def _run(words: list[str], config: str | None, *, debug: bool) -> int:
    found = table.find(words)
    if found is None:
        return _no_command(words)
    module_name, names, taken = found
    module = import_module(f"jules_job_manager.cli.commands.{module_name}")
    parser = command_parser(module, " ".join(names))
    args = parser.parse_args(words[taken:])
    from jules_job_manager.cli.context import Context

    context = Context(
        environ=os.environ,
        config=getattr(args, "config", None) or config,
        debug=debug or bool(getattr(args, "debug", False)),
    )
    code: int = module.run(args, context)
    sys.stdout.flush()
    return code


def command_parser(module: ModuleType, name: str) -> ArgumentParser:
    """Return the parser of one command, with the options every command has."""
    from argparse import ArgumentParser, RawDescriptionHelpFormatter

    doc = (module.__doc__ or "").strip()
    parser = ArgumentParser(
        prog=f"jjm {name}", description=doc, formatter_class=RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )  # fmt: skip
    module.add_arguments(parser)
    group = parser.add_argument_group("every command")
    group.add_argument("--config", metavar="FILE", help="configuration file to read")
    group.add_argument("--debug", action="store_true", help="show tracebacks")
    return parser


def full_parser() -> ArgumentParser:
    """Return the parser of the whole program: for completion and the reference, not for running."""
    from argparse import ArgumentParser

    parser = ArgumentParser(prog="jjm", description=_DESCRIPTION, allow_abbrev=False)
    parser.add_argument("--version", "-V", action="store_true", help="print the version")
    subparsers = parser.add_subparsers()
    groups = {
        name: subparsers.add_parser(name, help=text).add_subparsers()
        for name, (text, _) in table.GROUPS.items()
    }
    for name, module_name, text in table.every_command():
        module = import_module(f"jules_job_manager.cli.commands.{module_name}")
        owner, _, leaf = name.rpartition(" ")
        target = groups[owner] if owner else subparsers
        module.add_arguments(target.add_parser(leaf, help=text))
    return parser


def _global_options(arguments: list[str]) -> tuple[str | None, bool, list[str]]:
    """Take `--config FILE` and `--debug` from before the command."""
    config, debug, index = None, False, 0
    while index < len(arguments):
        word = arguments[index]
        if word == "--debug":
            debug = True
        elif word == "--config" and index + 1 < len(arguments):
            index += 1
            config = arguments[index]
        elif word.startswith("--config="):
            config = word.removeprefix("--config=")
        else:
            break
        index += 1
    return config, debug, arguments[index:]


def _no_command(words: list[str]) -> int:
    if words and words[0] in {"--version", "-V"}:
        from jules_job_manager._version import __version__

        sys.stdout.write(f"jjm {__version__}\n")
        return exit_codes.OK
    if words and words[0] in table.GROUPS and (len(words) == 1 or words[1] in {"-h", "--help"}):
        text, commands = table.GROUPS[words[0]]
        sys.stdout.write(_overview(f"jjm {words[0]}", f"{text}.", commands))
        return exit_codes.OK if len(words) > 1 else exit_codes.FAILED
    if not words or words[0] in {"-h", "--help", "help"}:
        commands = {**table.COMMANDS, **{n: ("", t) for n, (t, _) in table.GROUPS.items()}}
        sys.stdout.write(_overview("jjm", _DESCRIPTION, commands))
        return exit_codes.OK if words else exit_codes.FAILED
    from jules_job_manager.errors import InvalidInputError

    raise InvalidInputError(
        f"There is no command {' '.join(words[:2])!r}.", hint="`jjm --help` lists the commands."
    )


def _overview(program: str, description: str, commands: dict[str, tuple[str, str]]) -> str:
    width = max(len(name) for name in commands)
    lines = [f"usage: {program} COMMAND [OPTION ...]", "", description, "", "commands:"]
    lines += [f"  {name:{width}}  {text}" for name, (_, text) in commands.items()]
    lines += ["", f"`{program} COMMAND --help` tells more."]
    if program == "jjm":
        lines += ["Before the command: --config FILE, --debug. `jjm --version` prints the version."]
        lines += ["First time here? `jjm demo`, then `jjm doctor`."]
    return "\n".join(lines) + "\n"


def _usage_code(code: object) -> int:
    # argparse ends with 2 for a usage error; 2 is "cancelled" here (see exit_codes).
    return exit_codes.FAILED if code == 2 else int(code) if isinstance(code, int) else 0


def _complete() -> None:
    import argcomplete

    argcomplete.autocomplete(full_parser())
